"""What a plugin has not written yet: a method that raises NotImplementedError is a gap, told apart from a fault.

The contract knows no such error, so a gap is FAILED like anything else that is not as it must be. But a plugin that is
being written wants to know what to write next, and not what a missing method makes impossible.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance import homes
from conformance.catalogue import from_the_ground
from conformance.contract import DataStoreDriver, DataStoreLifeCycle, HostListener
from conformance.registration import PROTOCOLS
from conformance.verdict import Outcome, Verdict

ORDER: Final = (
    "initialize",
    "attach_cluster",
    "create",
    "list_objects",
    "delete",
    "delete_datastore",
    "grant_access",
    "connection",
    "revoke_access",
    "fence",
    "used",
    "detach_cluster",
)
"""The order in which a plugin is best written: each of these can be seen to work once those before it do."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A method that is not written: where, which requirement answers for it, and which wait until it is there."""

    method: str
    place: str
    identifier: str
    waiting: Sequence[str]


def gaps(outcomes: Mapping[str, Outcome]) -> Sequence[Gap]:
    """What was met and is not written, the one to write first at the beginning."""
    by_method: dict[str, list[Outcome]] = {}
    for each in outcomes.values():
        if each.unwritten:
            by_method.setdefault(each.unwritten, []).append(each)
    found = [_gap(method, failed, outcomes.values()) for method, failed in by_method.items()]
    return sorted(found, key=lambda each: (_place_in_order(each.method), each.method))


def is_waiting(outcome: Outcome, missing: Iterable[Gap]) -> bool:
    """Whether it is blocked by a gap, and by nothing that is wrong."""
    return outcome.verdict is Verdict.BLOCKED and any(outcome.requirement.id in each.waiting for each in missing)


def origin(error: BaseException) -> str:
    """File and line that raised it, as seen from the current directory."""
    *_, last = traceback.extract_tb(error.__traceback__)
    file = Path(last.filename)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f"{shown}:{last.lineno}"


def contract_method(name: str) -> tuple[str, str] | None:
    """``Protocol.method(...)`` and what the contract says of it; None for what it does not know."""
    optional = dict.fromkeys(each for protocols in PROTOCOLS.values() for each in protocols)
    for protocol in (DataStoreLifeCycle, DataStoreDriver, HostListener, *optional):
        function = vars(protocol).get(name)
        if inspect.isfunction(function) and not name.startswith("_"):
            signature = str(inspect.signature(function)).replace("'", "").replace("self, ", "")
            return f"{protocol.__name__}.{name}{signature}", inspect.getdoc(function) or ""
    return None


def _gap(method: str, failed: Sequence[Outcome], every: Collection[Outcome]) -> Gap:
    """`failed` for want of this method: the requirement that answers for it, and others that need it too."""
    requirements = {each.requirement.id: each.requirement for each in every}
    ids = {each.requirement.id for each in failed}
    home = homes.STEP.get(method)
    first = next((each for each in failed if each.requirement.id == home), failed[0])
    waiting = [each for each in every if each.blocked_by in ids or (each in failed and each is not first)]
    in_order = [each.id for each in from_the_ground([one.requirement for one in waiting], requirements)]
    place = first.finding.violation.observed if first.finding else ""
    return Gap(method, place, first.requirement.id, in_order)


def _place_in_order(method: str) -> int:
    return ORDER.index(method) if method in ORDER else len(ORDER)
