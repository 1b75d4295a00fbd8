"""A run: all chosen requirements against one subject, and its result."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Final, Protocol, TypedDict, cast

from conformance.catalogue import depth, foundations, from_the_ground
from conformance.chronicle import Story, Timing
from conformance.contract import DataStoreProvider, Hookup
from conformance.errors import WiringError
from conformance.gating import Ground, gate
from conformance.profile import Profile
from conformance.requirement import Owner, Requirement
from conformance.run import run_requirement
from conformance.settle import ranking, settle
from conformance.subject import RunningSubject
from conformance.surroundings import Surroundings, surroundings
from conformance.verdict import NOT_TRIED, Certainty, Outcome, Verdict
from conformance.waivers import Waivers, applied

EXIT_PASSED: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_COULD_NOT_RUN: Final = 2
EXIT_NOT_VERIFIED: Final = 3
EXIT_INTERRUPTED: Final = 130

Listener = Callable[[Outcome], None]


class Trying(Protocol):
    """How requirements are tried: `attempts`, or several side by side."""

    def __call__(
        self,
        subject: RunningSubject,
        order: Sequence[Requirement],
        requirements: Mapping[str, Requirement],
        *,
        seed: int = 0,
        waived: Collection[str] = (),
    ) -> Iterator[Outcome]:
        """Outcomes as they come."""
        ...


@dataclass(slots=True)
class Result:
    """What a run found. `outcomes` are settled; `ranked` are the failed ids, the cause first.

    `chosen`: how many requirements were to be tried. Those that an interrupted run did not come to are NOT_TRIED.
    """

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
    chosen: int = 0
    declared: Mapping[str, str] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    stories: Sequence[Story] = ()
    timings: Sequence[Timing] = ()
    transport: str = ""
    declarations: Mapping[str, object] = field(default_factory=dict)
    waivers: Waivers = field(default_factory=dict)
    uncounted: Collection[str] = ()
    today: datetime.date = datetime.date.min

    @property
    def counted(self) -> list[Outcome]:
        """The outcomes that score and exit status are made from: not those of requirements newer than the profile."""
        return [each for name, each in self.outcomes.items() if name not in self.uncounted]

    def count(self, verdict: Verdict) -> int:
        """How many of the requirements that count have this verdict."""
        return sum(each.verdict is verdict for each in self.counted)

    @property
    def not_tried(self) -> int:
        """How many of the chosen requirements an interrupted run did not come to, those that do not count included."""
        return sum(each.verdict is Verdict.NOT_TRIED for each in self.outcomes.values())

    @property
    def score(self) -> tuple[int, int]:
        """Passed and in all, of what is the vendor's own and can be asked of it; what was not tried has not passed."""
        own = [
            each
            for each in self.counted
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
            for each in self.counted
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
    waived: Collection[str] = (),
) -> Iterator[Outcome]:
    """Judge requirements one after the other. What rests on one that was seen to fail is not tried: it is BLOCKED.

    `waived`: known to fail, so no time is spent on finding the shortest way to show it.
    """
    ground = subject.ground()
    failed: set[str] = set()
    for each in order:
        outcome = blocked(each, foundations(each.id, requirements) & failed, ground, requirements)
        if outcome is None:
            is_new = each.id not in waived
            outcome = run_requirement(each, subject, ground=ground, seed=seed, shrink=shrink and is_new)
            failed |= seen_to_fail(outcome)
        yield outcome


def blocked(
    one: Requirement, below: Collection[str], ground: Ground, requirements: Mapping[str, Requirement]
) -> Outcome | None:
    """What becomes of a requirement that rests on failed ones; None: it is to be tried.

    What the plugin says it cannot do stays NOT_APPLICABLE, whatever failed below.
    """
    if not below or gate(one, ground) is not None:
        return None
    cause = min(below, key=lambda each: (depth(each, requirements), each))
    return Outcome(one, Verdict.BLOCKED, NOT_TRIED, blocked_by=cause)


def seen_to_fail(outcome: Outcome) -> set[str]:
    """Requirements that were seen to be broken by it."""
    own = {outcome.requirement.id} if outcome.verdict is Verdict.FAILED else set()
    return own | {each.requirement_id for each in outcome.charged if each.violation.certainty is Certainty.SEEN}


def run_session(
    subject: RunningSubject,
    chosen: Iterable[Requirement],
    requirements: Mapping[str, Requirement],
    *,
    seed: int = 0,
    listen: Listener = lambda _outcome: None,
    waivers: Waivers = MappingProxyType({}),
    today: datetime.date | None = None,
    trying: Trying | None = None,
) -> Result:
    """Run requirements in the order given. Ctrl-C ends the run and keeps what was found so far.

    `today`: which waivers are over. `trying`: how they are tried, if not one after the other here.
    """
    profile = subject.profile
    requirements = profile.seen(requirements)
    order = [requirements[each.id] for each in chosen]
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    interrupted = False
    try:
        for outcome in (trying or attempts)(subject, order, requirements, seed=seed, waived=waivers):
            outcomes.append(outcome)
            listen(outcome)
    except KeyboardInterrupt:
        interrupted = True
    day = today or datetime.datetime.now(datetime.UTC).date()
    settled = applied(waivers, settle(outcomes, requirements), day)
    return Result(
        **about(subject),
        profile=profile.name,
        seed=seed,
        is_certifying=profile.is_certifying,
        outcomes=dict(sorted(with_untried(settled, order).items())),
        ranked=[each for each in ranking(settled, requirements) if profile.counts(each)],
        seconds=time.perf_counter() - began,
        was_interrupted=interrupted,
        chosen=len(order),
        stories=subject.chronicle.stories(),
        timings=subject.chronicle.timings(),
        waivers=waivers,
        uncounted=uncounted(profile, [*settled, *(each.id for each in order)]),
        today=day,
    )


class About(TypedDict):
    """What a result tells of a subject, whatever was tried."""

    provider: str
    version: str
    contract_version: str
    hookup: Hookup
    declared: Mapping[str, str]
    surroundings: Surroundings | None
    transport: str
    declarations: Mapping[str, object]


def about(subject: RunningSubject) -> About:
    """What a result tells of this subject."""
    declared = subject.declared
    return About(
        provider=declared.name,
        version=declared.version,
        contract_version=declared.contract_version,
        hookup=declared.hookup,
        declared=_declared(subject),
        surroundings=surroundings(subject),
        transport=str(subject.environment.transport),
        declarations=declarations(declared),
    )


def with_untried(settled: Mapping[str, Outcome], chosen: Iterable[Requirement]) -> dict[str, Outcome]:
    """The outcomes, and that of each chosen requirement to which the run did not come before it was interrupted."""
    left = {each.id: Outcome(each, Verdict.NOT_TRIED, "interrupted") for each in chosen if each.id not in settled}
    return {**settled, **left}


def uncounted(profile: Profile, identifiers: Iterable[str]) -> frozenset[str]:
    """Those that are newer than the profile."""
    return frozenset(each for each in identifiers if not profile.counts(each))


def declarations(declared: DataStoreProvider) -> dict[str, object]:
    """What a plugin declares, as JSON: each capability with its answer, traits and limits by name."""
    answers = {str(each): getattr(answer, "reason", "supported") for each, answer in declared.capabilities.items()}
    as_json = {"capabilities": answers, "traits": asdict(declared.traits), "limits": asdict(declared.limits)}
    return cast("dict[str, object]", json.loads(json.dumps(as_json, default=_mapping)))


def _mapping(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else repr(value)


def _declared(subject: RunningSubject) -> dict[str, str]:
    traits = subject.declared.traits
    return {
        "hookup": str(subject.hookup),
        "access model": str(subject.access_model),
        "access": f"by {traits.access_mechanism}, for each {traits.access_granularity}",
        "capabilities": ", ".join(str(each) for each, answer in subject.declared.capabilities.items() if answer),
    }
