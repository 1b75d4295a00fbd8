"""Names on the array: what a thing is, whose it is, and a check that tells ours from everybody else's.

The array keeps names unique, and has no other mark that is set in the same moment. So a name is
`<kind>-<uuid>-<check>`, where the check is a digest of kind, store and uuid: a name that somebody else gives, be it
nearly the same or made after the same pattern, does not have it. The longest is below the array's 128 characters.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from conformance.contract import InvalidRequest, ObjectKind

MADE_BY: Final = "storage-conformance-zadara"
VOLUME: Final = "vol"
TEMPLATE: Final = "tmpl"
SNAPSHOT: Final = "snap"
KINDS: Final = {VOLUME: ObjectKind.VOLUME, TEMPLATE: ObjectKind.TEMPLATE, SNAPSHOT: ObjectKind.SNAPSHOT}
UNFINISHED: Final = "new-"
_HOST: Final = "host"
_UUID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NAME: Final = re.compile(
    rf"(?P<unfinished>{UNFINISHED})?(?P<kind>{'|'.join(KINDS)})-(?P<uuid>{_UUID.pattern})-(?P<check>[0-9a-f]{{16}})"
)
_SERVER: Final = re.compile(rf"{_HOST}-(?P<uuid>{_UUID.pattern})-(?P<check>[0-9a-f]{{16}})")


@dataclass(frozen=True, slots=True)
class Owner:
    """What a name says."""

    kind: str
    uuid: str
    is_finished: bool = True


def of(kind: str, store_uuid: str, uuid: str) -> str:
    """The name of a volume, template or snapshot of a store."""
    return f"{kind}-{_checked(uuid)}-{_check(kind, store_uuid, uuid)}"


def owner_in(name: str, store_uuid: str) -> Owner | None:
    """Whose a thing of that name is; None when this plugin did not make it for this store."""
    found = _NAME.fullmatch(name)
    if found is None or found["check"] != _check(found["kind"], store_uuid, found["uuid"]):
        return None
    return Owner(found["kind"], found["uuid"], found["unfinished"] is None)


def of_server(host_uuid: str, iqn: str) -> str:
    """The name of the server that stands for an initiator of a host."""
    return f"{_HOST}-{_checked(host_uuid)}-{_check(_HOST, host_uuid, iqn)}"


def host_in(server_name: str, iqn: str) -> str | None:
    """The uuid of the host that a server stands for; None when this plugin did not make it."""
    found = _SERVER.fullmatch(server_name)
    return found["uuid"] if found and found["check"] == _check(_HOST, found["uuid"], iqn) else None


def _check(*of_what: str) -> str:
    return hashlib.sha256("/".join((MADE_BY, *of_what)).encode()).hexdigest()[:16]


def _checked(uuid: str) -> str:
    if not _UUID.fullmatch(uuid):
        raise InvalidRequest("uuid", uuid, "1 to 80 letters, digits, hyphens and underscores")
    return uuid
