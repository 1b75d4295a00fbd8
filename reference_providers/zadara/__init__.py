"""A plugin for arrays that speak the Zadara VPSA REST API: one target for all, LUN numbers for each host.

How it maps: a store is a pool and whatever of it carries the store's mark, a volume or a cached template is a VPSA
volume, a snapshot is one of the volume's consistency group, and each initiator of a host is a server, which lives
as long as it has volumes. Hosts are kept apart by what is attached to their servers; the CHAP that all of them log
in with is the array's own (`chap_scope` controller), so it cannot be rotated for one of them.

There is no database. The array has unique names and no marks that come with them, so the names say all: kind, owner
and a check that nobody else's name has by accident. What is not finished yet is called so (`luns`), was never handed
out, and is thrown away by whoever finds it.

Sizes are whole GB, and `expand` says how much more: it is always worked out anew from what the array has, because a
lost reply does not tell whether it has grown. No QoS, no reverting; what a volume has written, the API does not say,
nor the WWID of a LUN: hosts find it by its number.

Read `driver` first, then `luns`, `access` and `copies`; `resume` tells why every operation looks before it acts.
"""

from __future__ import annotations

from .connector import Connect, HttpConnection, open_https
from .provider import ZadaraProvider

__all__ = ["PROVIDER", "Connect", "HttpConnection", "ZadaraProvider", "open_https"]

PROVIDER = ZadaraProvider
