"""A complete plugin for arrays that speak the SolidFire Element API, in both hookups.

How it maps: a store is an Element account and one more for each tenant who has volumes in it, a volume or a
cached template is an Element volume, a snapshot is an Element snapshot, a host is a volume access group with
the host's initiators. An initiator can be in one group only, so the group decides what the
host sees, and each initiator object requires CHAP with the host's own secret: whoever borrows another host's
IQN still lacks its secret.

There is no database. Who owns what is written into `attributes` of every object on the array, where it
outlives this plugin; names are made from uuids, so that an object whose create was never answered can be
found again.

Read `driver` first, then `luns` and `access`; `resume` tells why every operation looks before it acts. What is
optional has a module each: `snapshots`, `reverts`, `clones`, `templates`, `qos`, `chap`, `stats`. Hookup PLUGIN
is `bridge_hookup`, on top of the same driver.
"""

from __future__ import annotations

from conformance.contract import Hookup

from .connector import Connect, HttpConnection, open_https
from .provider import SolidFireProvider

__all__ = ["PLUGIN_HOOKUP", "PROVIDER", "Connect", "HttpConnection", "SolidFireProvider", "open_https"]

PROVIDER = SolidFireProvider
"""The cloud calls the bridge."""


def PLUGIN_HOOKUP(*, connect: Connect = open_https) -> SolidFireProvider:
    """The plugin calls the bridge."""
    return SolidFireProvider(connect=connect, hookup=Hookup.PLUGIN)
