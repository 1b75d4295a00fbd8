"""What a run says about one requirement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conformance.messages import Message
from conformance.requirement import Requirement

NOT_TRIED: Final = "not tried"


class Verdict(StrEnum):
    """The states of a requirement after a run."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    BLOCKED = "BLOCKED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    NOT_VERIFIED = "NOT_VERIFIED"
    WAIVED = "WAIVED"
    STALE_WAIVER = "STALE_WAIVER"
    KIT_ERROR = "KIT_ERROR"
    NOT_TRIED = "NOT_TRIED"


class Certainty(StrEnum):
    """How sure it is that a violation belongs to the requirement it is charged to.

    SEEN: it was observed to break just that. STEP: a step failed that this requirement answers for, perhaps only in
    this
    company. CLEANUP: so did one of the steps that clean up, perhaps as a consequence.
    """

    SEEN = "seen"
    STEP = "step"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True)
class Violation:
    """What was expected and what was seen, by whom. `requirement_id` None: the requirement being run.

    `unwritten`: the plugin's method that raised NotImplementedError, and is therefore not written yet.
    """

    expected: str
    observed: str
    observer: str
    requirement_id: str | None = None
    move: str = "plugin"
    certainty: Certainty = Certainty.SEEN
    unwritten: str = ""


class Broken(AssertionError):
    """Carries a violation out of a property."""

    def __init__(self, violation: Violation) -> None:
        self.violation = violation
        super().__init__(f"expected {violation.expected}; {violation.observer} observed {violation.observed}")


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation with all that explains it: what the report's seven parts are made from."""

    requirement_id: str
    violation: Violation
    arguments: Mapping[str, object]
    steps: tuple[str, ...]
    wire: tuple[str, ...]
    declared: tuple[str, ...]
    intermittent: bool = False
    found_by: str = ""
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One requirement's verdict. `charged` are findings met on the way that belong to other requirements."""

    requirement: Requirement
    verdict: Verdict
    reason: str = ""
    finding: Finding | None = None
    charged: tuple[Finding, ...] = ()
    blocked_by: str | None = None
    examples: int = 0
    seconds: float = 0.0
    inputs_digest: str = ""

    @property
    def unwritten(self) -> str:
        """The method whose absence made this fail; empty for every other failure."""
        return self.finding.violation.unwritten if self.finding is not None else ""

    @property
    def was_tried(self) -> bool:
        """Whether its property ran, or was kept from running by the plugin's or the environment's own limits."""
        return self.reason != NOT_TRIED

    def became(self, verdict: Verdict, **changes: object) -> Outcome:
        """The same outcome with another verdict."""
        return replace(self, verdict=verdict, **changes)  # type: ignore[arg-type]
