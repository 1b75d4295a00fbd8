"""A pytest session that tries requirements.

Each item's report carries its outcome, from a worker of pytest-xdist too; what all of them together mean is settled at
the end, where the reports come together.
"""

from __future__ import annotations

import datetime
import inspect
import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.asked import Asked, parsed
from conformance.catalogue import catalogue
from conformance.contract import Hookup
from conformance.errors import KitError
from conformance.main import shadowed
from conformance.opening import opened, profile_named
from conformance.profile import DEFAULT_PROFILE
from conformance.report.as_json import outcome_from, outcome_record
from conformance.report.as_text import brief, failure, summary
from conformance.report.version import kit_version
from conformance.requirement import Requirement
from conformance.run import run_requirement
from conformance.session import EXIT_FINDINGS, Result
from conformance.settle import ranking, settle
from conformance.subject import RunningSubject
from conformance.verdict import Outcome, Verdict
from conformance.waivers import Waivers, applied, read_waivers

_PARTICIPANT: Final = pytest.StashKey["Participant"]()
_CARRIED: Final = "storage_conformance"
_SKIPPED: Final = frozenset({Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED, Verdict.WAIVED})


class NotPassed(Exception):
    """Carries the text that is shown for a requirement that did not pass."""


class RequirementItem(pytest.Item):
    """One requirement."""

    def __init__(self, *, requirement: Requirement, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.requirement = requirement
        self.outcome: Outcome | None = None
        self.extra_keyword_matches.add(requirement.id)

    def runtest(self) -> None:
        """Try it, and say in pytest's words what came out."""
        participant = self.config.stash[_PARTICIPANT]
        self.outcome = participant.tried(self.requirement)
        _say(participant.waived(self.outcome), participant.asked)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show our text alone for what did not pass: a traceback through the kit explains nothing."""
        if isinstance(excinfo.value, NotPassed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the property is written."""
        return self.path, inspect.getsourcelines(self.requirement.body)[1] - 1, self.name


def _say(outcome: Outcome, asked: Asked) -> None:
    requirement = outcome.requirement
    profile = profile_named(asked.profile)
    if not profile.counts(requirement.id) and outcome.verdict is not Verdict.PASSED:
        pytest.skip(f"{requirement.id} {outcome.verdict}: new since {profile.name}, does not count yet")
    if outcome.verdict in _SKIPPED:
        pytest.skip(f"{requirement.id} {outcome.verdict}: {brief(outcome)}")
    if outcome.finding is not None:
        raise NotPassed(failure(outcome, asked.replay))
    if outcome.verdict is not Verdict.PASSED:
        raise NotPassed(f"{requirement.id} {requirement.strength}: {requirement.sentence}\n   {brief(outcome)}")


class Participant:
    """The hooks of one pytest process that was asked to try a plugin."""

    def __init__(self, asked: Asked, waivers: Waivers, *, is_worker: bool, hands_out_work: bool) -> None:
        self.asked, self._waivers = asked, waivers
        self._today = datetime.datetime.now(datetime.UTC).date()
        self._is_worker, self._hands_out_work = is_worker, hands_out_work
        self._stack = ExitStack()
        self._subject: RunningSubject | None = None
        self._carried: list[Mapping[str, Any]] = []
        self._result: Result | None = None

    @classmethod
    def of(cls, config: pytest.Config) -> Participant:
        """Read the options. Under pytest-xdist the process that hands out work needs no subject of its own."""
        is_worker = hasattr(config, "workerinput")
        distributes = not is_worker and config.getoption("dist", "no") != "no"
        with usage_errors():
            participant = cls(_asked(config), _waivers(config), is_worker=is_worker, hands_out_work=distributes)
        config.stash[_PARTICIPANT] = participant
        return participant

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()

    def tried(self, requirement: Requirement) -> Outcome:
        """Run one requirement."""
        assert self._subject is not None  # noqa: S101  (opened when the session started)
        return run_requirement(requirement, self._subject, seed=self.asked.seed)

    def waived(self, outcome: Outcome) -> Outcome:
        """The outcome as its waiver lets it be."""
        return applied(self._waivers, {outcome.requirement.id: outcome}, self._today)[outcome.requirement.id]

    # --- hooks -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Open the subject, once for the process, before the header tells about it."""
        if self._hands_out_work:
            return
        with usage_errors():
            if trouble := shadowed():
                raise KitError(trouble)
            self._subject = self._stack.enter_context(opened(self.asked))

    def pytest_report_header(self) -> list[str]:
        """Say what is tried, with which version, and what it declares."""
        asked = self.asked
        first = f"storage-conformance {kit_version()}: {asked.provider}, profile {asked.profile}, seed {asked.seed}"
        waived = [f"  waivers: {len(self._waivers)}"] if self._waivers else []
        return [first, *(_declared(self._subject) if self._subject is not None else []), *waived]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the outcome into the report."""
        report = yield
        if call.when == "call" and isinstance(item, RequirementItem) and item.outcome is not None:
            setattr(report, _CARRIED, json.dumps(self._record(item.outcome), default=repr))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome out of the report."""
        carried = getattr(report, _CARRIED, None)
        if carried is not None:
            self._carried.append(json.loads(carried))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Settle: a finding that a passing property met on the way belongs to another requirement."""
        if self._is_worker or not self._carried:
            return
        self._result = _result(self._carried, self.asked, self._waivers, self._today)
        if session.exitstatus == pytest.ExitCode.OK and self._result.exit_status == EXIT_FINDINGS:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The score, and the failures ranked: the first is the cause."""
        if self._result is not None:
            terminalreporter.section("storage-conformance")
            terminalreporter.write_line(summary(self._result, self.asked.replay))

    def _record(self, outcome: Outcome) -> dict[str, object]:
        assert self._subject is not None  # noqa: S101  (there is an outcome)
        declared = self._subject.declared
        return {
            "outcome": outcome_record(outcome),
            "provider": declared.name,
            "version": declared.version,
            "contract_version": declared.contract_version,
            "hookup": str(declared.hookup),
        }


def _asked(config: pytest.Config) -> Asked:
    file = config.getoption("--conformance-environment")
    profile = config.getoption("--conformance-profile") or DEFAULT_PROFILE
    return Asked(
        config.getoption("--conformance-provider"),
        Path(file) if file else None,
        profile_named(profile).name,
        config.getoption("--conformance-seed"),
        parsed(config.getoption("--conformance-parameter")),
    )


def _waivers(config: pytest.Config) -> Waivers:
    file = config.getoption("--conformance-waivers")
    return read_waivers(Path(file) if file else None, catalogue())


@contextmanager
def usage_errors() -> Generator[None, None, None]:
    """Turn what the kit says about a wrong use into what pytest shows for one."""
    try:
        yield
    except KitError as error:
        raise pytest.UsageError(f"storage-conformance: {error}") from None


def _declared(subject: RunningSubject) -> list[str]:
    declared = subject.declared
    supported = [str(each) for each, answer in declared.capabilities.items() if answer]
    limits = declared.limits
    luns = f"{limits.smallest_lun_bytes} to {limits.largest_lun_bytes} bytes in steps of {limits.granularity_bytes}"
    return [
        f"  {declared.name} {declared.version}, contract {declared.contract_version}, hookup {declared.hookup}",
        f"  capabilities: {', '.join(supported) or 'none'}",
        f"  LUNs of {luns}, names of up to {limits.name_length} characters",
    ]


def _result(carried: list[Mapping[str, Any]], asked: Asked, waivers: Waivers, today: datetime.date) -> Result:
    profile = profile_named(asked.profile)
    requirements = profile.seen(catalogue())
    outcomes = [outcome_from(each["outcome"], requirements) for each in carried]
    settled = applied(waivers, settle(outcomes, requirements), today)
    return Result(
        provider=carried[0]["provider"],
        version=carried[0]["version"],
        contract_version=carried[0]["contract_version"],
        hookup=Hookup(carried[0]["hookup"]),
        profile=profile.name,
        seed=asked.seed,
        is_certifying=profile.is_certifying,
        outcomes=dict(sorted(settled.items())),
        ranked=[each for each in ranking(settled, requirements) if profile.counts(each)],
        seconds=sum(each.seconds for each in outcomes),
        waivers=waivers,
        uncounted=frozenset(each for each in settled if not profile.counts(each)),
        today=today,
    )
