"""CHAP secrets of a host: made with the first user of a target, removed with the last, never touched when not ours."""

from __future__ import annotations

from conformance.contract import Secret
from hypervisor_bridge.saga import Saga

from . import constants as c
from .connection import RemoteHost, VirSecret
from .errors import error_code
from .records import Records, Target
from .xml import secret_xml

_ABSENT = (c.ERR_NO_SECRET,)


def ensure_secret(remote: RemoteHost, records: Records, saga: Saga, target: Target, value: Secret | None) -> str | None:
    """The usage of the secret for a target, which is there with its value now; None without CHAP."""
    if value is None:
        return None
    uuid, usage = target.secret_uuid(records.cluster_uuid), target.usage
    existing = _by_usage(remote, usage)
    if existing is None:
        _make(remote, records, saga, uuid, usage, value)
        return usage
    if records.has(records.secret_key(remote.host.uuid, existing.UUIDString())):
        _update(remote, saga, existing, value)
    return usage


def secret_value(remote: RemoteHost, uuid: str) -> Secret | None:
    """What the secret holds; None for the empty uuid."""
    if not uuid:
        return None
    found = remote.do("virSecretLookupByUUIDString", lambda: remote.connection.secretLookupByUUIDString(uuid))
    return Secret(remote.do("virSecretGetValue", found.value).decode())


def release_secret(remote: RemoteHost | None, records: Records, saga: Saga, host_uuid: str, uuid: str) -> None:
    """Remove a secret of ours; absent is success, what somebody else made stays, and None is a host that left."""
    key = records.secret_key(host_uuid, uuid)
    if not uuid or not records.has(key):
        return
    found = None if remote is None else _by_uuid(remote, uuid)
    if remote is not None and found is not None:
        xml = remote.do("virSecretGetXMLDesc", found.XMLDesc)
        value = _value_or_none(remote, found)
        saga.step(lambda: remote.do("virSecretUndefine", found.undefine), lambda: _put_back(remote, uuid, xml, value))
    saga.forget(key)


def _make(remote: RemoteHost, records: Records, saga: Saga, uuid: str, usage: str, value: Secret) -> None:
    connection = remote.connection
    made = saga.make(
        records.secret_key(remote.host.uuid, uuid),
        {"usage": usage},
        lambda: remote.do("virSecretDefineXML", lambda: connection.secretDefineXML(secret_xml(uuid, usage), 0)),
        lambda: _remove(remote, uuid),
    )
    _set(remote, made, value)


def _update(remote: RemoteHost, saga: Saga, existing: VirSecret, value: Secret) -> None:
    """A rotated value; without one, an earlier call was interrupted before it was set."""
    before = _value_or_none(remote, existing)
    if before == value:
        return
    saga.step(
        lambda: _set(remote, existing, value),
        lambda: None if before is None else _set(remote, existing, before),
    )


def _set(remote: RemoteHost, secret: VirSecret, value: Secret) -> None:
    remote.do("virSecretSetValue", lambda: secret.setValue(value.reveal().encode()))


def _value_or_none(remote: RemoteHost, secret: VirSecret) -> Secret | None:
    try:
        return Secret(remote.do("virSecretGetValue", secret.value).decode())
    except Exception as error:
        if error_code(error) in _ABSENT:
            return None
        raise


def _put_back(remote: RemoteHost, uuid: str, xml: str, value: Secret | None) -> None:
    if _by_uuid(remote, uuid) is None:
        made = remote.do("virSecretDefineXML", lambda: remote.connection.secretDefineXML(xml, 0))
        if value is not None:
            _set(remote, made, value)


def _remove(remote: RemoteHost, uuid: str) -> None:
    found = _by_uuid(remote, uuid)
    if found is not None:
        remote.do("virSecretUndefine", found.undefine)


def _by_usage(remote: RemoteHost, usage: str) -> VirSecret | None:
    secrets = remote.do("virConnectListAllSecrets", remote.connection.listAllSecrets)
    for each in secrets:
        if each.usageType() == c.SECRET_USAGE_TYPE_ISCSI and each.usageID() == usage:
            return each
    return None


def _by_uuid(remote: RemoteHost, uuid: str) -> VirSecret | None:
    try:
        return remote.do("virSecretLookupByUUIDString", lambda: remote.connection.secretLookupByUUIDString(uuid))
    except Exception as error:
        if error_code(error) in _ABSENT:
            return None
        raise
