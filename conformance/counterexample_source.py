"""Where counterexamples are read from: a file of one, the folder of a report, or the record of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from conformance.counterexample import FORMAT, SCHEMA_VERSION, Counterexample, read
from conformance.errors import WiringError
from conformance.nearest import nearest

_FOLDER: Final = "counterexamples"
_RECORD: Final = "report.json"
_NOTHING: Final = "nothing was started"


def load(path: Path, identifier: str = "") -> Counterexample:
    """The counterexample of a requirement; raises `WiringError`. `identifier` may be left out where there is one."""
    if path.is_dir():
        return _from_folder(path, identifier)
    content = _parsed(path)
    if isinstance(content, Mapping) and content.get("format") != FORMAT and "requirements" in content:
        return _from_record(content, path, identifier)
    told = _refused_early(content, path)
    if identifier not in {"", told.requirement.id}:
        raise WiringError(f"{path} is a counterexample of {told.requirement.id}, not of {identifier}; {_NOTHING}")
    return told


def _from_folder(folder: Path, identifier: str) -> Counterexample:
    files = {each.stem: each for each in sorted((folder / _FOLDER).glob("*.json"))}
    if not files and (folder / _RECORD).is_file():
        return load(folder / _RECORD, identifier)
    if not files:
        raise WiringError(f"{folder} is no folder of a report: no {_RECORD} and no {_FOLDER} in it; {_NOTHING}")
    return load(files[_chosen(identifier, files, folder)])


def _from_record(record: Mapping[str, Any], path: Path, identifier: str) -> Counterexample:
    """A record alone knows the plugin by its own name only: the reference has to be given."""
    try:
        found = {each["id"]: each for each in record["requirements"] if each.get("finding")}
        one = found[_chosen(identifier, found, path)]
        beside = path.parent / _FOLDER / f"{one['id']}.json"
        return load(beside) if beside.is_file() else _refused_early(_remade(record, one), path)
    except (KeyError, TypeError, AttributeError) as error:
        raise WiringError(f"{path} is no report of a run: {type(error).__name__} {error}; {_NOTHING}") from None


def _remade(record: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, object]:
    finding = one["finding"]
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "kit_version": record["kit_version"],
        "requirement": {name: one[name] for name in ("id", "strength", "sentence")},
        "found_by": finding["found_by"] or one["id"],
        "arguments": finding["arguments"],
        "subject": {"name": record["provider"]["name"], "version": record["provider"]["version"]},
        "profile": record["profile"],
        "seed": record["seed"],
        "inputs_digest": one["inputs_digest"],
        "seen": {
            **{name: finding[name] for name in ("expected", "observed", "observer", "intermittent")},
            "calls": finding["steps"],
        },
    }


def _chosen(identifier: str, found: Mapping[str, object], where: Path) -> str:
    if identifier in found:
        return identifier
    listed = ", ".join(found) or "none"
    if identifier:
        raise WiringError(
            f"{where} has no counterexample of {identifier}{nearest(identifier, found)}; it has {listed}; {_NOTHING}"
        )
    if len(found) == 1:
        return next(iter(found))
    raise WiringError(f"{where} has several counterexamples: name one of {listed} after it; {_NOTHING}")


def _refused_early(content: object, path: Path) -> Counterexample:
    try:
        return read(content, str(path))
    except WiringError as error:
        raise WiringError(f"{error}; {_NOTHING}") from None


def _parsed(path: Path) -> object:
    try:
        return cast("object", json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise WiringError(f"cannot read counterexample {path}: {error.strerror or error}; {_NOTHING}") from None
    except (ValueError, RecursionError) as error:
        raise WiringError(f"{path} is no JSON: {error}; {_NOTHING}") from None
