"""What the runs come to: numbers, and who survived."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.requirement import Requirement
from tests.faulty_providers.fault import Fault, Kind
from tests.kit_quality.bench import Run, is_broken_kit, is_red

_Z: Final = 1.959964
"""For intervals of 95 %."""
_STRAY_ERROR: Final = "OPS-003"
_SLIPS: Final = ("TypeError", "AttributeError", "NameError", "UnboundLocalError", "AssertionError")
MOST_REDS: Final = 3
RIGHT_FIRST: Final = 0.9


@dataclass(frozen=True, slots=True)
class Tried:
    """One fault and what the kit made of it. `ranked`: what it names, the cause first, without what is red anyway."""

    fault: Fault
    run: Run
    ranked: Sequence[str]
    is_near: bool = False
    """Whether it was tried with its own requirement only: then nothing is known of others that may be red as well."""

    @property
    def is_killed(self) -> bool:
        return bool(self.ranked)

    @property
    def is_right_first(self) -> bool:
        wanted = self.fault.requirement
        return bool(self.ranked) and (
            self.ranked[0] in {wanted, *self.fault.also} or (len(wanted) == 3 and self.ranked[0].startswith(wanted))
        )

    @property
    def bites(self) -> bool:
        """Whether the report begins with the very requirement that the fault is there for."""
        return self.ranked[:1] == [self.fault.requirement]


def tried(fault: Fault, run: Run, baseline: Run, *, is_near: bool = False) -> Tried:
    """Judge a run by what it shows that the unbroken base does not."""
    known = set(baseline.ranked)
    return Tried(fault, run, [each for each in run.ranked if each not in known], is_near)


@dataclass(slots=True)
class Tally:
    """Everything, when all is done."""

    tried: list[Tried] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    variant_runs: int = 0
    errors: list[str] = field(default_factory=list)
    must_bite: Mapping[str, Requirement] = field(default_factory=dict)

    def add(self, one: Tried) -> None:
        """One more fault."""
        self.tried.append(one)
        self.errors += faults_of_the_bench(one)

    def add_unbroken(self, run: Run) -> None:
        """One more plugin that is right."""
        self.variant_runs += 1
        self.false_alarms += [f"{run.name}: {each} {run.findings.get(each, '')}" for each in run.ranked]
        self.errors += [f"{run.name}: {run.error}"] if run.error else []
        self.errors += _kit_errors(run)

    @property
    def killed(self) -> int:
        return sum(each.is_killed for each in self.tried)

    @property
    def survivors(self) -> list[Tried]:
        return sorted((each for each in self.tried if not each.is_killed), key=lambda each: each.fault.name)

    @property
    def reds(self) -> list[int]:
        """How many requirements are red, for each fault that was found."""
        return sorted(len(each.ranked) for each in self.tried if each.is_killed and not each.is_near)

    @property
    def right_first(self) -> float:
        """Of the faults found that were tried with everything, the part whose report begins with the right one."""
        found = [each for each in self.tried if each.is_killed and not each.is_near]
        return sum(each.is_right_first for each in found) / len(found) if found else 0.0

    @property
    def toothless(self) -> list[str]:
        """Requirements that no fault of theirs puts first."""
        biting = {each.fault.requirement for each in self.tried if each.bites}
        return [each for each, one in self.must_bite.items() if not one.not_testable and each not in biting]

    @property
    def exit_status(self) -> int:
        """0: the kit is good; 1: it is not good enough; 2: the bench or the corpus is wrong."""
        if self.errors:
            return 2
        is_good = (
            not self.survivors
            and quantile(self.reds, 0.5) <= MOST_REDS
            and self.right_first >= RIGHT_FIRST
            and not self.false_alarms
            and not self.toothless
        )
        return 0 if is_good and self.tried else 1

    def by_kind(self) -> dict[Kind, tuple[int, int]]:
        """Found and all, of each kind."""
        groups = {kind: [each for each in self.tried if each.fault.kind is kind] for kind in Kind}
        return {kind: (sum(each.is_killed for each in some), len(some)) for kind, some in groups.items() if some}


def faults_of_the_bench(one: Tried) -> list[str]:
    """What makes a run worth nothing."""
    found = _kit_errors(one.run)
    if one.run.error and one.run.error != "deadline":
        found.append(f"{one.fault.name}: {one.run.error}")
    elif not one.run.error and not one.run.fired:
        found.append(f"{one.fault.name}: its site {one.fault.at} never fires")
    return found + _accidents(one)


def _accidents(one: Tried) -> list[str]:
    """A fault that fell over its own feet was found for that, and not for what it is there to show."""
    if _STRAY_ERROR in {one.fault.requirement[:3], one.fault.requirement, *one.fault.also}:
        return []
    stray = one.run.findings.get(_STRAY_ERROR, "")
    return [f"{one.fault.name}: {stray}"] if any(f" {each}: " in stray for each in _SLIPS) else []


def _kit_errors(run: Run) -> list[str]:
    broken = [each for each, verdict in run.verdicts.items() if is_broken_kit(verdict)]
    return [f"{run.name}: KIT_ERROR of {', '.join(broken)}: {run.findings.get(broken[0], '')}"] if broken else []


def differences(filtered: Run, unfiltered: Run) -> list[str]:
    """Where the reach map was wrong: what is red with all requirements and not with those that see the fault."""
    return [
        f"{unfiltered.name}: {each} is {verdict} when nothing is left out, else {filtered.verdicts.get(each)}"
        for each, verdict in unfiltered.verdicts.items()
        if is_red(verdict) != is_red(filtered.verdicts.get(each, ""))
    ]


def quantile(ordered: Sequence[int], part: float) -> int:
    """The smallest of these that so large a part does not exceed; 0 of nothing."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The interval in which the true part lies, of 95 % (Wilson 1927, without continuity correction)."""
    if not total:
        return 0.0, 1.0
    part = hits / total
    middle = part + _Z**2 / (2 * total)
    margin = _Z * math.sqrt(part * (1 - part) / total + _Z**2 / (4 * total**2))
    scale = 1 + _Z**2 / total
    return max(0.0, (middle - margin) / scale), min(1.0, (middle + margin) / scale)
