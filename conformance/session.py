"""A run: all chosen requirements against one subject, and its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.catalogue import depth, foundations, from_the_ground
from conformance.chronicle import Story, Timing
from conformance.contract import Hookup
from conformance.errors import WiringError
from conformance.requirement import Owner, Requirement
from conformance.run import run_requirement
from conformance.settle import ranking, settle
from conformance.subject import RunningSubject
from conformance.surroundings import Surroundings, surroundings
from conformance.verdict import Certainty, Outcome, Verdict

EXIT_PASSED: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_COULD_NOT_RUN: Final = 2
EXIT_NOT_VERIFIED: Final = 3
EXIT_INTERRUPTED: Final = 130

Listener = Callable[[Outcome], None]


@dataclass(slots=True)
class Result:
    """What a run found. `outcomes` are settled; `ranked` are the failed ids, the cause first."""

    provider: str
    version: str
    contract_version: str
    hookup: Hookup
    profile: str
    seed: int
    is_certifying: bool
    outcomes: Mapping[str, Outcome]
    ranked: Sequence[str]
    seconds: float
    was_interrupted: bool = False
    declared: Mapping[str, str] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    stories: Sequence[Story] = ()
    timings: Sequence[Timing] = ()

    def count(self, verdict: Verdict) -> int:
        """How many requirements have this verdict."""
        return sum(each.verdict is verdict for each in self.outcomes.values())

    @property
    def score(self) -> tuple[int, int]:
        """Passed and in all, of what is the vendor's own and can be asked of it."""
        own = [
            each
            for each in self.outcomes.values()
            if each.requirement.owner(self.hookup) is Owner.PROVIDER and each.verdict is not Verdict.NOT_APPLICABLE
        ]
        return sum(each.verdict is Verdict.PASSED for each in own), len(own)

    @property
    def exit_status(self) -> int:
        """0 only with something passed and nothing found."""
        if self.was_interrupted:
            return EXIT_INTERRUPTED
        if self.count(Verdict.FAILED) or self.count(Verdict.BLOCKED) or self.count(Verdict.STALE_WAIVER):
            return EXIT_FINDINGS
        if self.count(Verdict.KIT_ERROR) or not self.count(Verdict.PASSED):
            return EXIT_COULD_NOT_RUN
        return EXIT_NOT_VERIFIED if self.is_certifying and self._unverified_musts() else EXIT_PASSED

    def _unverified_musts(self) -> bool:
        return any(
            each.verdict is Verdict.NOT_VERIFIED
            and each.requirement.strength == "MUST"
            and not each.requirement.not_testable
            for each in self.outcomes.values()
        )


def choose(requirements: Mapping[str, Requirement], only: Sequence[str]) -> list[Requirement]:
    """The requirements named by id or by area; all when none is named."""
    if not only:
        return from_the_ground(requirements.values(), requirements)
    areas = {each.area for each in requirements.values()}
    unknown = [each for each in only if each not in requirements and each not in areas]
    if unknown:
        raise WiringError(
            f"no requirement or area {', '.join(unknown)}; `storage-conformance list` shows all; nothing was started"
        )
    named = [each for each in requirements.values() if each.id in only or each.area in only]
    return from_the_ground(named, requirements)


def attempts(
    subject: RunningSubject,
    order: Iterable[Requirement],
    requirements: Mapping[str, Requirement],
    *,
    seed: int = 0,
    shrink: bool = True,
) -> Iterator[Outcome]:
    """Judge requirements one after the other. What rests on one that was seen to fail is not tried: it is BLOCKED."""
    ground = subject.ground()
    failed: set[str] = set()
    for each in order:
        below = foundations(each.id, requirements) & failed
        if below:
            cause = min(below, key=lambda one: (depth(one, requirements), one))
            yield Outcome(each, Verdict.BLOCKED, "not tried", blocked_by=cause)
            continue
        outcome = run_requirement(each, subject, ground=ground, seed=seed, shrink=shrink)
        failed |= _seen_to_fail(outcome)
        yield outcome


def _seen_to_fail(outcome: Outcome) -> set[str]:
    own = {outcome.requirement.id} if outcome.verdict is Verdict.FAILED else set()
    return own | {each.requirement_id for each in outcome.charged if each.violation.certainty is Certainty.SEEN}


def run_session(
    subject: RunningSubject,
    chosen: Iterable[Requirement],
    requirements: Mapping[str, Requirement],
    *,
    seed: int = 0,
    listen: Listener = lambda _outcome: None,
) -> Result:
    """Run requirements in the order given. Ctrl-C ends the run and keeps what was found so far."""
    order = list(chosen)
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    interrupted = False
    try:
        for outcome in attempts(subject, order, requirements, seed=seed):
            outcomes.append(outcome)
            listen(outcome)
    except KeyboardInterrupt:
        interrupted = True
    settled = settle(outcomes, requirements)
    declared = subject.declared
    return Result(
        provider=declared.name,
        version=declared.version,
        contract_version=declared.contract_version,
        hookup=declared.hookup,
        profile=subject.profile.name,
        seed=seed,
        is_certifying=subject.profile.is_certifying,
        outcomes=dict(sorted(settled.items())),
        ranked=ranking(settled, requirements),
        seconds=time.perf_counter() - began,
        was_interrupted=interrupted,
        declared=_declared(subject),
        surroundings=surroundings(subject),
        stories=subject.chronicle.stories(),
        timings=subject.chronicle.timings(),
    )


def _declared(subject: RunningSubject) -> dict[str, str]:
    traits = subject.declared.traits
    return {
        "hookup": str(subject.hookup),
        "access model": str(subject.access_model),
        "access": f"by {traits.access_mechanism}, for each {traits.access_granularity}",
        "capabilities": ", ".join(str(each) for each, answer in subject.declared.capabilities.items() if answer),
    }
