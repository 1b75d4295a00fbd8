"""Freeze what a certificate is against: `python -m tools.profiles --cut 0.2`; without it, check what is frozen."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from conformance.catalogue import catalogue
from conformance.standard import FOLDER, PREFIX, Standard, version_of

ROOT: Final = Path(__file__).resolve().parent.parent
FILES: Final = ROOT / "conformance" / FOLDER
CHANGELOG: Final = ROOT / "CHANGELOG.md"
_ABOUT: Final = """What a certificate is against is frozen. `certify` is the newest version; an older one is asked for
by its name, such as `--profile certify-0.1`. What is new since is tried and told, and does not count."""


def frozen(folder: Path) -> dict[str, Standard]:
    """Every version by name, oldest first."""
    found = [Standard.model_validate_json(each.read_text(encoding="utf-8")) for each in folder.glob(f"{PREFIX}*.json")]
    return {each.name: each for each in sorted(found, key=lambda one: one.version)}


def cut(version: str, folder: Path, requirements: Sequence[str], changelog: str) -> Path:
    """Freeze the catalogue under a version; what people decide is taken over from the version before."""
    name = f"{PREFIX}{version}"
    known = frozen(folder)
    if name in known and re.search(rf"^## {re.escape(version)}(\.\d+)? ", changelog, re.MULTILINE):
        raise ValueError(f"{name} is released, and certificates name it: cut the next version")
    before = known.get(name) or next((each for each in reversed(known.values())), None)
    if before is None or (name not in known and version_of(name) <= before.version):
        raise ValueError(f"expected a version after {', '.join(known) or 'a first one that is written by hand'}")
    made = before.model_copy(update={"name": name, "requirements": frozenset(requirements)})
    path = folder / f"{name}.json"
    path.write_text(as_text(made), encoding="utf-8")
    return path


def as_text(standard: Standard) -> str:
    """The file's content, the same whatever order the set has."""
    content = standard.model_dump(mode="json")
    return json.dumps({**content, "requirements": sorted(standard.requirements)}, indent=2) + "\n"


def problems(versions: Mapping[str, Standard], requirements: Sequence[str]) -> Iterator[str]:
    """What is wrong with the frozen sets: ids are never removed, from the catalogue or from version to version.

    A requirement that is withdrawn stays in the catalogue as not testable, with the reason.
    """
    older: frozenset[str] = frozenset()
    for name, standard in versions.items():
        gone = sorted(standard.requirements - set(requirements))
        if gone:
            yield f"{name} has {', '.join(gone)}, which the catalogue no longer has"
        lost = sorted(older - standard.requirements)
        if lost:
            yield f"{name} lacks {', '.join(lost)} of the version before"
        older = standard.requirements


def page(versions: Mapping[str, Standard], requirements: Sequence[str], note: str) -> str:
    """What vendors are told of each version, newest first."""
    parts = ["# Profiles", note, _ABOUT]
    for standard in reversed(list(versions.values())):
        later = sorted(set(requirements) - standard.requirements)
        limits = standard.ceilings
        ceilings = [
            f"`{name}` {seconds:.10g}" for name, seconds in limits.model_dump(exclude={"completion_of"}).items()
        ]
        ceilings += [f"`completion_seconds` of {name} {seconds:.10g}" for name, seconds in limits.completion_of.items()]
        rows = [
            ("Requirements that count", str(len(standard.requirements))),
            ("New since", ", ".join(later) or "none"),
            ("Ceilings in seconds", ", ".join(ceilings)),
            ("Inputs for each requirement", str(standard.examples)),
        ]
        table = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
        parts += [f"## {standard.name}", "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.profiles", description=__doc__)
    parser.add_argument("--cut", metavar="X.Y", type=_version, help="freeze the catalogue as certify-X.Y")
    version = parser.parse_args(arguments).cut
    ids = list(catalogue())
    try:
        if version:
            print(f"wrote {cut(version, FILES, ids, CHANGELOG.read_text(encoding='utf-8')).relative_to(ROOT)}")
    except ValueError as error:
        print(f"profiles: {error}", file=sys.stderr)
        return 2
    found = list(problems(frozen(FILES), ids))
    print("".join(f"profiles: {each}\n" for each in found), end="", file=sys.stderr)
    return 1 if found else 0


def _version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+", text):
        raise argparse.ArgumentTypeError("expected a version such as 0.2")
    return text


if __name__ == "__main__":
    sys.exit(main())
