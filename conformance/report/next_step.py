"""The part of a report that leads through a plugin while it is being written."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from conformance.session import Result
from conformance.unwritten import Gap, contract_method, gaps

_PROSE: Final = textwrap.TextWrapper(width=112, initial_indent=" " * 6, subsequent_indent=" " * 6)


def told(result: Result) -> Iterator[str]:
    """What is not written yet, and what to write next; nothing for a plugin that is whole."""
    missing = gaps(result.outcomes)
    if missing:
        yield "\n".join(["Not written yet, in the order to write it", *_rows(missing)])
        yield _next(missing[0], result)


def _rows(missing: Sequence[Gap]) -> Iterator[str]:
    for each in missing:
        waiting = f", {len(each.waiting)} wait for it" if each.waiting else ""
        yield f"   {each.method:<18} {each.identifier}{waiting}; {each.place}"


def _next(gap: Gap, result: Result) -> str:
    requirement = result.outcomes[gap.identifier].requirement
    sentence = f"   {requirement.id} {requirement.strength}: {requirement.sentence}"
    lines = [f"Next: implement {gap.method} ({_named(gap)})", sentence]
    known = contract_method(gap.method)
    if known is not None:
        summary = " ".join(known[1].split("\n\n")[0].split())
        lines += [f"   {known[0]}", *_PROSE.wrap(summary)]
    return "\n".join([*lines, f"   storage-conformance explain {gap.method}    says all that the contract asks of it"])


def _named(gap: Gap) -> str:
    """The requirement that answers for it, and the first of those that can be tried once it is there."""
    shown = [gap.identifier, *gap.waiting[:4]]
    more = len(gap.waiting) - len(shown) + 1
    return " ".join(shown) + (f" and {more} more" if more > 0 else "")
