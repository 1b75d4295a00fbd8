"""The page on what goes wrong in reality: each pattern with its threads, the requirements that see it, and faults."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("bug_patterns.toml")
_HEAD: Final = """What has gone wrong in Apache CloudStack's storage plugins and around them, and what
here would have said so. `#1234` is `github.com/apache/cloudstack/issues/1234`; *[code]* was found by reading code.
Faults are plugins of the corpus that go wrong in this very way; there may be more of a requirement, see
[requirements](requirements.md)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which things go wrong."""

    text: str
    threads: Sequence[str]
    requirements: Sequence[str] = ()
    faults: Sequence[str] = ()
    note: str = ""


Areas = Mapping[str, Sequence[Pattern]]


def read(path: Path = TABLE) -> Areas:
    """All patterns, area by area."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return {each["title"]: [Pattern(**one) for one in each["pattern"]] for each in table["area"]}


def wrong(areas: Areas, ids: Collection[str], fault_names: Collection[str]) -> Iterator[str]:
    """What the table says that is not so, one sentence each."""
    for each in (one for patterns in areas.values() for one in patterns):
        yield from (f"{each.text!r}: no requirement {one}" for one in each.requirements if one not in ids)
        yield from (f"{each.text!r}: no fault {one!r} in the corpus" for one in each.faults if one not in fault_names)
        strays = [one for one in each.faults if one.partition(" ")[0] not in each.requirements]
        yield from (f"{each.text!r}: {one!r} is a fault of a requirement that is not named" for one in strays)
        if not (each.requirements or each.note):
            yield f"{each.text!r}: neither a requirement nor the reason why there is none"


def page(areas: Areas, note: str) -> str:
    """The page; call `wrong` before."""
    every = [one for patterns in areas.values() for one in patterns]
    asked = sum(bool(each.requirements) for each in every)
    parts = ["# What goes wrong in reality", note, f"{_HEAD}\n\n{len(every)} patterns, {asked} of them asked about."]
    for title, patterns in areas.items():
        parts += [f"## {title}", "\n".join([*_TABLE, *map(_row, patterns)])]
    return "\n\n".join(parts) + "\n"


_TABLE: Final = ("| Pattern | Threads | Requirements | Faults on record; or why not |", "|---|---|---|---|")


def _row(one: Pattern) -> str:
    last = "; ".join(each.partition(" ")[2] for each in one.faults)
    told = ". ".join(each for each in (last, one.note) if each)
    cells = [one.text, ", ".join(one.threads), ", ".join(one.requirements), told]
    return "| " + " | ".join(each.replace("|", "\\|") or "-" for each in cells) + " |"
