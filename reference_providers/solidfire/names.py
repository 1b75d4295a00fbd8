"""Names on the array, made from uuids, and the marks in `attributes` that say whose an object is.

Element allows 1 to 64 characters, takes A-Z a-z 0-9 and "-" in volume names, and folds them to lower case in
the target's IQN. A uuid that is short and plain already is used as it is. Any other is replaced by its
digest, under a prefix of its own, so that cutting or folding never makes two names one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 64
MADE_BY: Final = "storage-conformance-solidfire"

_PLAIN: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")


def of_volume(uuid: str) -> str:
    """The LUN's name; datastore and disk on it have the same in hookup PLUGIN."""
    return f"vol-{_plain(uuid)}"


def of_store(uuid: str) -> str:
    """The username of the account that owns the store's LUNs."""
    return f"store-{_plain(uuid)}"


def of_tenant(store_uuid: str, tenant_uuid: str) -> str:
    """The username of the account of a tenant's volumes in a store."""
    # Both uuids do not fit; accounts carry them as marks, which tell should two stores ever share a digest.
    return f"t-{hashlib.sha256(store_uuid.encode()).hexdigest()[:12]}-{_plain(tenant_uuid)}"


def of_host(uuid: str) -> str:
    """The host's access group, and the CHAP name of its initiators."""
    return f"host-{_plain(uuid)}"


def of_snapshot(uuid: str) -> str:
    """The snapshot's name."""
    return f"snap-{_plain(uuid)}"


def of_template(uuid: str) -> str:
    """The name of the LUN that holds a cached template."""
    return f"tmpl-{_plain(uuid)}"


def store_mark(store_uuid: str) -> dict[str, object]:
    """`attributes` of an account."""
    return {"made_by": MADE_BY, "store": store_uuid}


def tenant_mark(store_uuid: str, tenant_uuid: str) -> dict[str, object]:
    """`attributes` of a tenant's account."""
    return {**store_mark(store_uuid), "tenant": tenant_uuid}


def host_mark(host_uuid: str) -> dict[str, object]:
    """`attributes` of a group and its initiators."""
    return {"made_by": MADE_BY, "host": host_uuid}


def is_ours(attributes: Mapping[str, object]) -> bool:
    """Whether this plugin made the object."""
    return attributes.get("made_by") == MADE_BY


def is_of_store(attributes: Mapping[str, object], store_uuid: str) -> bool:
    """Whether this plugin made the object for that store."""
    return is_ours(attributes) and attributes.get("store") == store_uuid


def number_in(external_id: str) -> int | None:
    """The array's number in an id that the cloud kept; None when this plugin did not give it."""
    return int(external_id) if external_id.isascii() and external_id.isdecimal() else None


def _plain(uuid: str) -> str:
    if _PLAIN.fullmatch(uuid):
        return uuid
    return f"-{hashlib.sha256(uuid.encode()).hexdigest()[:40]}"
