"""Answers in XML: dashes in names, types as attributes, lists of things named in the singular."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping


def to_xml(root: str, members: Mapping[str, object]) -> bytes:
    """The members of an answer as a document."""
    element = ET.Element(root)
    _add_all(element, members)
    written: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return written


def _add_all(parent: ET.Element, members: Mapping[str, object]) -> None:
    # In JSON a text may stand under two names that are one here.
    dashed = {name.replace("_", "-"): value for name, value in members.items()}
    for name, value in dashed.items():
        _add(parent, name, value)


def _add(parent: ET.Element, name: str, value: object) -> None:
    element = ET.SubElement(parent, name)
    if isinstance(value, Mapping):
        _add_all(element, value)
    elif isinstance(value, list):
        element.set("type", "array")
        for each in value:
            _add(element, name.removesuffix("s"), each)
    elif value is None:
        element.set("nil", "true")
    elif isinstance(value, int | float):
        element.set("type", "integer" if isinstance(value, int) else "float")
        element.text = str(value)
    else:
        element.text = str(value)
