"""Read a record that was written earlier, perhaps by another version of the kit or on another machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from conformance.errors import WiringError
from conformance.report.record import SCHEMA_VERSION, Record

FILE: Final = "report.json"
_LARGEST: Final = 64 * 2**20
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def read(place: Path) -> Record:
    """Read a record from a file, or from the folder it is in; raises `WiringError` with cause and next step."""
    path = place / FILE if place.is_dir() else place
    try:
        if path.stat().st_size > _LARGEST:
            raise WiringError(f"{path} is larger than {_LARGEST} bytes: no report of a run is; name its report.json")
        content = path.read_bytes()
    except OSError as error:
        raise WiringError(
            f"cannot read {path}: {error.strerror or error}; "
            "name a report.json, or the folder that `storage-conformance run --report` wrote"
        ) from None
    return parsed(content, str(path))


def parsed(content: bytes | str, name: str) -> Record:
    """The record in a file's content; `name` is what errors call it."""
    try:
        found = json.loads(_without_surrogates(json.loads(content)))
    except (ValueError, RecursionError) as error:
        raise WiringError(f"{name} is not JSON: {error}; name the report.json of a run") from None
    version = found.get("schema_version") if isinstance(found, dict) else None
    if type(version) is not int or "kit_version" not in found:
        raise WiringError(f"{name} is not the record of a run: it has no schema_version and kit_version")
    if version > SCHEMA_VERSION:
        raise WiringError(
            f"{name} is of schema version {version}, written by kit {found['kit_version']}; this kit reads up to "
            f"{SCHEMA_VERSION}: install that kit or a later one"
        )
    return _validated(found, name)


def _without_surrogates(found: object) -> str:
    """Half characters, which a plugin may utter and no file can hold, spelled out."""
    return _SURROGATE.sub(lambda match: f"\\\\u{ord(match[0]):04x}", json.dumps(found, ensure_ascii=False))


def _validated(found: object, name: str) -> Record:
    try:
        return Record.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WiringError(f"{name} is damaged: {where}: {first['msg']}; run again to have it written anew") from None
