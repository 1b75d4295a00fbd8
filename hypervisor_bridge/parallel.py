"""The same work for many hosts: at most so many at once, every failure told, none hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from conformance.contract import BridgeError

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_AT_ONCE = 32


def run_all(items: Sequence[Item], work: Callable[[Item], Result], limit: int = MOST_AT_ONCE) -> list[Result]:
    """Do it for every item, also when some fail; then raise the first failure, which names the others too.

    With a limit of 1, and for one item, everything happens in the caller's thread.
    """
    outcomes = _outcomes(items, lambda item: _attempt(work, item), min(limit, MOST_AT_ONCE))
    failures = [error for _, error in outcomes if error is not None]
    if failures:
        raise _together(failures)
    return [result for results, _ in outcomes for result in results]


Outcome = tuple[list[Result], Exception | None]


def _outcomes(items: Sequence[Item], attempt: Callable[[Item], Outcome[Result]], limit: int) -> list[Outcome[Result]]:
    if limit <= 1 or len(items) <= 1:
        return [attempt(each) for each in items]
    with ThreadPoolExecutor(min(limit, len(items))) as pool:
        return list(pool.map(attempt, items))


def _attempt(work: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    try:
        return [work(item)], None
    except Exception as error:
        return [], error


def _together(failures: Sequence[Exception]) -> Exception:
    first = failures[0]
    others = [str(each) for each in failures[1:]]
    if not others:
        return first
    if not isinstance(first, BridgeError):
        first.add_note(f"also failed: {'; '.join(others)}")
        return first
    reason = f"{first.reason} (also failed: {'; '.join(others)})"
    joined = type(first)(first.hypervisor, first.host, first.call, reason, first.next_step)
    joined.undo_errors = first.undo_errors
    joined.__cause__ = first
    return joined
