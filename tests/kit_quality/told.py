"""The tally as text for people and as JSON for the next step of a build."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kit_quality.tally import MOST_REDS, RIGHT_FIRST, Tally, Tried, quantile, wilson

Json = dict[str, object]


def as_json(tally: Tally, seconds: float) -> Json:
    """Exactly the keys that `40-conformance` names, and how it came about."""
    return {
        "killed": tally.killed,
        "total": len(tally.tried),
        "survivors": [each.fault.name for each in tally.survivors],
        "reds_median": quantile(tally.reds, 0.5),
        "reds_p95": quantile(tally.reds, 0.95),
        "right_first": round(tally.right_first, 4),
        "classes": {str(kind): _part(killed, total) for kind, (killed, total) in tally.by_kind().items()},
        "false_alarms": len(tally.false_alarms),
        "variant_runs": tally.variant_runs,
        "seconds": round(seconds, 2),
        "faults": [_fault(each) for each in sorted(tally.tried, key=lambda each: each.fault.name)],
        "requirements_without_fault": tally.toothless,
    }


def _part(killed: int, total: int) -> Json:
    low, high = wilson(killed, total)
    return {"killed": killed, "total": total, "wilson": [round(low, 3), round(high, 3)]}


def _fault(one: Tried) -> Json:
    return {
        "name": one.fault.name,
        "kind": str(one.fault.kind),
        "killed": one.is_killed,
        "reds": len(one.ranked),
        "tried_with": "its own requirement" if one.is_near else "every requirement that sees it",
        "ranked": list(one.ranked),
        "seconds": round(one.run.seconds, 3),
    }


def as_text(tally: Tally, seconds: float) -> str:
    """The summary."""
    return "\n".join(_lines(tally, seconds))


def _lines(tally: Tally, seconds: float) -> Iterator[str]:
    yield f"{tally.killed} of {len(tally.tried)} faults found"
    for kind, (killed, total) in tally.by_kind().items():
        low, high = wilson(killed, total)
        yield f"   {kind:<10} {killed:>3}/{total:<3}  95 % {low:.2f} to {high:.2f}"
    yield from _list("survivors", [f"{each.fault.name}{_why(each)}" for each in tally.survivors])
    yield from _list("first in the report is another", [_misled(each) for each in tally.tried if _is_misled(each)])
    yield from _list("requirements that no fault of theirs puts first", tally.toothless)
    yield from _list("false alarms", tally.false_alarms)
    yield from _list("errors of bench and corpus", tally.errors)
    reds = tally.reds
    yield f"{len(reds)} of them were tried with every requirement that sees them, of these:"
    yield (
        f"reds for each fault: median {quantile(reds, 0.5)} (at most {MOST_REDS}), "
        f"95 % {quantile(reds, 0.95)}, most {max(reds, default=0)}"
    )
    yield f"right one first: {tally.right_first:.1%} (at least {RIGHT_FIRST:.0%})"
    yield f"{tally.variant_runs} runs of right plugins, {len(tally.false_alarms)} false alarms"
    yield f"{seconds:.1f} s"


def _list(title: str, entries: list[str]) -> Iterator[str]:
    if entries:
        yield f"{title}:"
        yield from (f"   {each}" for each in entries)


def _why(one: Tried) -> str:
    return f" ({one.run.error})" if one.run.error else ""


def _is_misled(one: Tried) -> bool:
    return one.is_killed and not one.is_right_first


def _misled(one: Tried) -> str:
    return f"{one.fault.name}: {', '.join(one.ranked[:5])}"
