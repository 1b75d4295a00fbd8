"""Secrets of one host (virSecret*): kept by the overlay, because the test driver has none."""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import libvirt

from simulators.libvirt.faults import check_flags, fault, internal
from simulators.libvirt.values import Procedures, Value

_FROM = libvirt.VIR_FROM_SECRET
_USAGE_TYPE_ISCSI = libvirt.VIR_SECRET_USAGE_TYPE_ISCSI


@dataclass(slots=True)
class StoredSecret:
    """One secret; its value is in no text."""

    uuid: str
    usage: str
    is_private: bool
    is_ephemeral: bool
    description: str
    value: bytes | None = field(default=None, repr=False)

    def xml(self) -> str:
        """What an administrator sees."""
        root = ET.Element("secret", ephemeral=_yes(self.is_ephemeral), private=_yes(self.is_private))
        ET.SubElement(root, "uuid").text = self.uuid
        if self.description:
            ET.SubElement(root, "description").text = self.description
        ET.SubElement(ET.SubElement(root, "usage", type="iscsi"), "target").text = self.usage
        ET.indent(root)
        return ET.tostring(root, encoding="unicode") + "\n"

    def handle(self) -> Value:
        """What a client keeps: uuid, usage type and usage."""
        return [self.uuid, _USAGE_TYPE_ISCSI, self.usage]


class Secrets:
    """All secrets of a host, by uuid."""

    def __init__(self) -> None:
        self._by_uuid: dict[str, StoredSecret] = {}

    def procedures(self) -> Procedures:
        """What clients may call."""
        return {
            "virConnectListAllSecrets": self.list_all,
            "virSecretDefineXML": self.define,
            "virSecretLookupByUUIDString": lambda uuid: self._get(uuid).handle(),
            "virSecretLookupByUsage": lambda kind, usage: self.by_usage(kind, usage).handle(),
            "virSecretGetXMLDesc": self.xml_desc,
            "virSecretSetValue": self.set_value,
            "virSecretGetValue": self.get_value,
            "virSecretUndefine": self.undefine,
        }

    def list_all(self, flags: int) -> Value:
        """Every secret's handle."""
        check_flags(flags, 0, "virConnectListAllSecrets")
        return [each.handle() for each in self._by_uuid.values()]

    def xml_texts(self) -> list[str]:
        """The XML of all secrets."""
        return [each.xml() for each in self._by_uuid.values()]

    def define(self, xml: str, flags: int) -> Value:
        """Define or redefine; the value of a redefined secret stays."""
        check_flags(flags, 0, "secretDefineXML")
        wanted = _parse(xml)
        existing = self._by_uuid.get(wanted.uuid)
        self._check_usage(wanted)
        if existing is not None:
            _check_redefinition(existing, wanted)
            wanted.value = existing.value
        self._by_uuid[wanted.uuid] = wanted
        return wanted.handle()

    def by_usage(self, kind: int, usage: str) -> StoredSecret:
        """The secret of an iSCSI usage."""
        for each in self._by_uuid.values():
            if kind == _USAGE_TYPE_ISCSI and each.usage == usage:
                return each
        raise fault(libvirt.VIR_ERR_NO_SECRET, _FROM, f"no secret with matching usage '{usage}'")

    def value_for(self, usage: str | None, uuid: str | None) -> bytes:
        """The value that a pool or disk needs; a defined secret without a value is as good as none."""
        found = self._get(uuid or "") if usage is None else self.by_usage(_USAGE_TYPE_ISCSI, usage)
        return _value_of(found)

    def set_value(self, uuid: str, value: bytes, flags: int) -> Value:
        """Keep a value."""
        check_flags(flags, 0, "secretSetValue")
        self._get(uuid).value = value
        return 0

    def get_value(self, uuid: str, flags: int) -> Value:
        """Give a value, unless the secret is private."""
        check_flags(flags, 0, "secretGetValue")
        found = self._get(uuid)
        if found.is_private:
            raise fault(libvirt.VIR_ERR_INVALID_SECRET, _FROM, "secret is private")
        return _value_of(found)

    def xml_desc(self, uuid: str, flags: int) -> Value:
        """The definition."""
        check_flags(flags, 0, "secretGetXMLDesc")
        return self._get(uuid).xml()

    def undefine(self, uuid: str) -> Value:
        """Remove it, value and all."""
        del self._by_uuid[self._get(uuid).uuid]
        return 0

    def _get(self, uuid: str) -> StoredSecret:
        if uuid not in self._by_uuid:
            raise fault(libvirt.VIR_ERR_NO_SECRET, _FROM, f"no secret with matching uuid '{uuid}'")
        return self._by_uuid[uuid]

    def _check_usage(self, wanted: StoredSecret) -> None:
        for each in self._by_uuid.values():
            if each.usage == wanted.usage and each.uuid != wanted.uuid:
                raise internal(_FROM, f"a secret with UUID {each.uuid} already defined for use with {wanted.usage}")


def _check_redefinition(existing: StoredSecret, wanted: StoredSecret) -> None:
    if existing.usage != wanted.usage:
        raise internal(_FROM, f"a secret with UUID {existing.uuid} is already defined for use with {existing.usage}")
    if existing.is_private and not wanted.is_private:
        text = "cannot change private flag on existing secret"
        raise fault(libvirt.VIR_ERR_OPERATION_DENIED, _FROM, text)


def _value_of(found: StoredSecret) -> bytes:
    if found.value is None:
        raise fault(libvirt.VIR_ERR_NO_SECRET, _FROM, f"secret '{found.uuid}' does not have a value")
    return found.value


def _parse(xml: str) -> StoredSecret:
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        raise fault(libvirt.VIR_ERR_XML_DETAIL, _FROM, f"(definition_of_secret): {error}") from None
    if root.tag != "secret":
        text = f"unexpected root element <{root.tag}>, expecting <secret>"
        raise fault(libvirt.VIR_ERR_XML_ERROR, _FROM, text)
    usage = root.find("usage")
    if usage is None or usage.get("type") != "iscsi":
        raise fault(libvirt.VIR_ERR_NO_SUPPORT, _FROM, "secrets for another use than iscsi")
    target = usage.findtext("target")
    if not target:
        raise fault(libvirt.VIR_ERR_XML_ERROR, _FROM, "iSCSI usage specified, but target is missing")
    return StoredSecret(
        uuid=_uuid(root.findtext("uuid")),
        usage=target,
        is_private=root.get("private") == "yes",
        is_ephemeral=root.get("ephemeral") == "yes",
        description=root.findtext("description") or "",
    )


def _uuid(text: str | None) -> str:
    try:
        return str(uuids.UUID(text)) if text else str(uuids.uuid4())
    except ValueError:
        raise internal(_FROM, "malformed uuid element") from None


def _yes(flag: bool) -> str:  # noqa: FBT001 - formats a flag
    return "yes" if flag else "no"
