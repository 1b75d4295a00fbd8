"""Run one requirement against a subject; used by the command, the pytest plugin, the corpus and by replays alike."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.errors import Flaky, StopTest, UnsatisfiedAssumption

from conformance.abstract import to_json
from conformance.contract import AccessMechanism, BridgeError, Capability, ProbeIoError, ProbeRefused, ProviderError
from conformance.errors import BeyondDeclared, KitError, SafetyError
from conformance.gating import Ground, gate
from conformance.inputs import no_local_constants
from conformance.messages import Message, last_messages
from conformance.orchestrator.errors import BrokenPromise, OperationRefused
from conformance.profile import Profile
from conformance.requirement import Requirement
from conformance.shorten import shortened
from conformance.subject import RunningSubject
from conformance.verdict import Broken, Finding, Outcome, Verdict, Violation
from conformance.world import World

# What plugin, bridge, probe and cloud may raise: where a property does not expect it, it is a failure of theirs.
_LEAVES_A_PROPERTY = (ProviderError, BridgeError, ProbeRefused, ProbeIoError, OperationRefused, BrokenPromise)


_MECHANISMS: Final = {
    AccessMechanism.MASK: "masking",
    AccessMechanism.CHAP: "CHAP",
    AccessMechanism.BOTH: "masking and CHAP",
}


@dataclass(slots=True)
class _Attempts:
    """What happened over the examples of one property."""

    requirement: Requirement
    subject: RunningSubject
    shrink_seconds: float
    examples: int = 0
    own: Finding | None = None
    charged: dict[str, Finding] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    give_up_at: float = float("inf")
    digest: Any = field(default_factory=hashlib.sha256)
    passed_over: int = 0
    beyond: str = ""


class _Watched:
    """The subject as a property sees it during one example: remembers its worlds."""

    def __init__(self, subject: RunningSubject) -> None:
        self._subject = subject
        self.worlds: list[World] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subject, name)

    def world(self, *, hypervisor: bool = False) -> World:
        """A fresh world."""
        world = self._subject.world(hypervisor=hypervisor)
        self.worlds.append(world)
        return world


def run_requirement(
    requirement: Requirement,
    subject: RunningSubject,
    *,
    ground: Ground | None = None,
    seed: int = 0,
    shrink: bool = True,
) -> Outcome:
    """Judge one requirement. Never raises for what a plugin does; `KIT_ERROR` is the kit's own failure."""
    return _judged(requirement, subject, ground, lambda attempts: _try_all(attempts, seed, shrink=shrink), seed)


def run_example(
    requirement: Requirement,
    subject: RunningSubject,
    arguments: Mapping[str, object],
    *,
    ground: Ground | None = None,
) -> Outcome:
    """Judge one requirement by this example and no other: what a replay is."""
    return _judged(requirement, subject, ground, lambda attempts: _succeeds(attempts, arguments))


def inputs_digest(requirement: Requirement, profile: Profile, seed: int) -> str:
    """The digest of what a requirement is asked with, whatever becomes of it: nothing is run."""
    digest = hashlib.sha256()
    for pinned in _fixed(requirement, profile):
        digest.update(_key(_abstract(pinned)).encode())
    if requirement.strategies:
        _drawn(requirement, profile, seed, lambda given: digest.update(_key(_abstract(given)).encode()))()
    return digest.hexdigest()


def _judged(
    requirement: Requirement,
    subject: RunningSubject,
    ground: Ground | None,
    attempt: Callable[[_Attempts], object],
    seed: int | None = None,
) -> Outcome:
    began = time.perf_counter()
    refused = gate(requirement, ground or subject.ground())
    if refused:
        return Outcome(requirement, refused[0], refused[1])
    attempts = _Attempts(requirement, subject, subject.profile.shrink_seconds)
    try:
        attempt(attempts)
        outcome = _outcome(attempts, seed)
    except SafetyError as error:
        outcome = Outcome(requirement, Verdict.NOT_VERIFIED, str(error), charged=tuple(attempts.charged.values()))
    except KitError as error:
        outcome = Outcome(requirement, Verdict.KIT_ERROR, str(error))
    except Exception as error:
        outcome = Outcome(requirement, Verdict.KIT_ERROR, f"{type(error).__name__}: {error}")
    return outcome.became(outcome.verdict, examples=attempts.examples, seconds=time.perf_counter() - began)


def _fixed(requirement: Requirement, profile: Profile) -> tuple[Mapping[str, object], ...]:
    """Examples that are not drawn."""
    if not requirement.strategies:
        return ({},)
    return requirement.pinned[: requirement.quick_pinned] if profile.is_quick else requirement.pinned


def _try_all(attempts: _Attempts, seed: int, *, shrink: bool) -> None:
    requirement, profile = attempts.requirement, attempts.subject.profile
    for arguments in _fixed(requirement, profile):
        if not _succeeds(attempts, arguments):
            if shrink:
                _confirm(attempts, arguments)
                _shorten(attempts, arguments)
            return
    if not requirement.strategies:
        return
    try:
        with no_local_constants():
            _drawn(requirement, profile, seed, lambda given: _one(attempts, given), shrink=shrink)()
    except Broken:
        return
    except Flaky:
        _found_intermittent(attempts)


def _confirm(attempts: _Attempts, arguments: Mapping[str, object]) -> None:
    """Run what failed once more, as Hypothesis does with what it has drawn: does it repeat?"""
    again = _Attempts(attempts.requirement, attempts.subject, attempts.shrink_seconds)
    if _succeeds(again, arguments):
        _found_intermittent(attempts)


def _shorten(attempts: _Attempts, arguments: Mapping[str, object]) -> None:
    """Leave out of a pinned program what is not needed to fail like this."""
    home = attempts.own and attempts.own.requirement_id
    if home is None or (attempts.own and attempts.own.intermittent):
        return
    for name, value in arguments.items():
        if isinstance(value, list):
            shortened(value, partial(_still_fails, attempts, arguments, name))


def _still_fails(attempts: _Attempts, arguments: Mapping[str, object], name: str, fewer: Sequence[object]) -> bool:
    """Try it; its failure becomes the one that is told only if it is of this requirement and of the same kind."""
    before, attempts.own = attempts.own, None
    charged = dict(attempts.charged)
    failed = not _succeeds(attempts, {**arguments, name: fewer}) and attempts.own is not None
    if not (failed and attempts.own and before and _is_alike(attempts.own.violation, before.violation)):
        attempts.own, attempts.charged = before, charged
        return False
    return True


def _is_alike(one: Violation, other: Violation) -> bool:
    return (one.observer, one.certainty, one.move) == (other.observer, other.certainty, other.move)


def _found_intermittent(attempts: _Attempts) -> None:
    """What failed once and did not again is still a failure of the subject; the finding says so."""
    if attempts.own is not None:
        attempts.own = replace(attempts.own, intermittent=True)
    else:
        attempts.charged = {home: replace(each, intermittent=True) for home, each in attempts.charged.items()}


def _drawn(
    requirement: Requirement,
    profile: Profile,
    seed: int,
    act: Callable[[Mapping[str, object]], None],
    *,
    shrink: bool = False,
) -> Callable[[], None]:
    """Hypothesis's run of `act` over the examples that it draws for a requirement."""

    def example(**arguments: object) -> None:
        act(arguments)

    test = hypothesis.given(**requirement.strategies)(example)
    test = settings(
        max_examples=max(1, round(profile.examples * requirement.examples)),
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )(test)
    # A seed of its own for each requirement: what one draws does not depend on which others run, or in what order.
    own_seed = int.from_bytes(hashlib.sha256(f"{requirement.id} {seed}".encode()).digest()[:8], "big")
    return hypothesis.seed(own_seed)(test)


def _succeeds(attempts: _Attempts, arguments: Mapping[str, object]) -> bool:
    try:
        _one(attempts, arguments)
    except Broken:
        return False
    return True


def _one(attempts: _Attempts, arguments: Mapping[str, object]) -> None:
    """Run one example, and turn whatever goes wrong into `Broken`."""
    abstract = _abstract(arguments)
    key = _key(abstract)
    if time.monotonic() > attempts.give_up_at and key not in attempts.failing:
        return
    attempts.examples += 1
    attempts.digest.update(key.encode())
    watched = _Watched(attempts.subject)
    try:
        attempts.requirement.body(watched, **arguments)
    except (Broken, *_LEAVES_A_PROPERTY) as error:
        _note_failure(attempts, key)
        finding = _finding(attempts, _violation(error), abstract, watched, cleaning=False)
        if finding.requirement_id == attempts.requirement.id:
            attempts.own = finding
        else:
            attempts.charged[finding.requirement_id] = finding
        if not isinstance(error, Broken):
            raise Broken(finding.violation) from error
        raise
    except BeyondDeclared as error:
        attempts.passed_over += 1
        attempts.beyond = str(error)
    except (StopTest, UnsatisfiedAssumption):
        raise
    finally:
        _keep_side_findings(attempts, watched, abstract)


def _abstract(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: to_json(value) for name, value in arguments.items()}


def _key(abstract: Mapping[str, object]) -> str:
    return json.dumps(abstract, sort_keys=True)


def _violation(error: Exception) -> Violation:
    if isinstance(error, Broken):
        return error.violation
    return Violation("every step to succeed", f"{type(error).__name__}: {error}", "the plugin")


def _note_failure(attempts: _Attempts, key: str) -> None:
    attempts.failing.add(key)
    if attempts.give_up_at == float("inf"):
        attempts.give_up_at = time.monotonic() + attempts.shrink_seconds


def _keep_side_findings(attempts: _Attempts, watched: _Watched, abstract: Mapping[str, object]) -> None:
    for world in watched.worlds:
        for violation in world.found:
            finding = _finding(attempts, violation, abstract, watched, cleaning=True)
            if finding.requirement_id == attempts.requirement.id:
                attempts.own = attempts.own or finding
            else:
                attempts.charged.setdefault(finding.requirement_id, finding)


def _finding(
    attempts: _Attempts, violation: Violation, abstract: Mapping[str, object], watched: _Watched, *, cleaning: bool
) -> Finding:
    steps: tuple[str, ...] = ()
    wire: tuple[str, ...] = ()
    told: tuple[Message, ...] = ()
    masked = violation
    for world in watched.worlds:
        steps += world.trace.steps(cleaning=cleaning)
        wire += world.trace.wire(cleaning=cleaning)
        told += last_messages(world.trace, world.trace.told(cleaning=cleaning))
        masked = replace(
            masked,
            expected=world.trace.masked(masked.expected),
            observed=world.trace.masked(masked.observed),
            # What went wrong after a call of a method that is not there is that method's absence, and no fault.
            unwritten=masked.unwritten or world.watch.unwritten,
        )
    return Finding(
        requirement_id=violation.requirement_id or attempts.requirement.id,
        violation=masked,
        arguments=abstract,
        steps=steps,
        wire=wire[-8:],
        declared=_declared(attempts.requirement, attempts.subject),
        found_by=attempts.requirement.id,
        messages=told,
    )


def _declared(requirement: Requirement, subject: RunningSubject) -> tuple[str, ...]:
    if subject.mismatches:
        return ()
    declared = subject.declared
    needs = [f"{each} supported" for each in requirement.needs if isinstance(each, Capability)]
    traits = declared.traits
    return (
        *needs,
        f"hookup {declared.hookup}",
        f"access by {_MECHANISMS[traits.access_mechanism]}, for each {traits.access_granularity}",
        f"sizes in steps of {declared.limits.granularity_bytes} bytes",
    )


def _outcome(attempts: _Attempts, seed: int | None) -> Outcome:
    charged = tuple(attempts.charged.values())
    reason = ""
    digest = attempts.digest.hexdigest()
    if attempts.failing and seed is not None:
        # It stopped at the failure. What it would have gone on with is part of what it was asked with.
        digest = inputs_digest(attempts.requirement, attempts.subject.profile, seed)
    if attempts.own is not None:
        verdict, blocked = Verdict.FAILED, None
    elif attempts.failing:
        # The property could not get to its point: another requirement stood in the way.
        verdict, blocked = Verdict.BLOCKED, charged[0].requirement_id
    elif attempts.passed_over and attempts.passed_over == attempts.examples:
        verdict, blocked, reason = Verdict.NOT_APPLICABLE, None, attempts.beyond
    else:
        verdict, blocked = Verdict.PASSED, None
    return Outcome(
        attempts.requirement,
        verdict,
        reason,
        finding=attempts.own,
        charged=charged,
        blocked_by=blocked,
        inputs_digest=digest,
    )
