"""A pytest session that tries requirements.

Each item's report carries its outcome, from a worker of pytest-xdist too; what all of them together mean is settled at
the end, where the reports come together.
"""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.asked import Asked, parsed
from conformance.catalogue import catalogue
from conformance.errors import KitError
from conformance.main import shadowed
from conformance.opening import opened, profile_named
from conformance.profile import DEFAULT_PROFILE
from conformance.pytest_gathering import Gathering, carried, seen_by
from conformance.report import folder
from conformance.report.as_text import brief, failure, summary
from conformance.report.version import kit_version
from conformance.report.whole import Reports
from conformance.requirement import Requirement
from conformance.run import run_requirement
from conformance.session import EXIT_FINDINGS, EXIT_INTERRUPTED, Result
from conformance.subject import RunningSubject
from conformance.verdict import Outcome, Verdict
from conformance.waivers import Waivers, applied, read_waivers

_PARTICIPANT: Final = pytest.StashKey["Participant"]()
_CARRIED: Final = "storage_conformance"
_STATUS: Final = {EXIT_FINDINGS: pytest.ExitCode.TESTS_FAILED, EXIT_INTERRUPTED: pytest.ExitCode.INTERRUPTED}
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
        _say(participant.waived(self.outcome), participant.asked, participant.reports)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show our text alone for what did not pass: a traceback through the kit explains nothing."""
        if isinstance(excinfo.value, NotPassed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the property is written."""
        return self.path, inspect.getsourcelines(self.requirement.body)[1] - 1, self.name


def _say(outcome: Outcome, asked: Asked, reports: Reports) -> None:
    requirement = outcome.requirement
    profile = profile_named(asked.profile)
    if not profile.counts(requirement.id) and outcome.verdict is not Verdict.PASSED:
        pytest.skip(f"{requirement.id} {outcome.verdict}: new since {profile.name}, does not count yet")
    if outcome.verdict in _SKIPPED:
        pytest.skip(f"{requirement.id} {outcome.verdict}: {brief(outcome)}")
    if outcome.finding is not None:
        raise NotPassed(failure(outcome, reports.replay))
    if outcome.verdict is not Verdict.PASSED:
        raise NotPassed(f"{requirement.id} {requirement.strength}: {requirement.sentence}\n   {brief(outcome)}")


class Participant:
    """The hooks of one pytest process that was asked to try a plugin."""

    def __init__(self, asked: Asked, waivers: Waivers, report: Path, *, is_worker: bool, hands_out_work: bool) -> None:
        self.asked, self._waivers = asked, waivers
        now = datetime.datetime.now(datetime.UTC)
        self._today = now.date()
        self.reports = Reports(report, asked, now.isoformat(timespec="seconds"))
        self._is_worker, self._hands_out_work = is_worker, hands_out_work
        self._stack = ExitStack()
        self._subject: RunningSubject | None = None
        self._gathering = Gathering(asked, waivers, self._today)
        self._result: Result | None = None
        self._written = ""

    @classmethod
    def of(cls, config: pytest.Config) -> Participant:
        """Read the options. Under pytest-xdist the process that hands out work needs no subject of its own."""
        is_worker = hasattr(config, "workerinput")
        distributes = not is_worker and config.getoption("dist", "no") != "no"
        with usage_errors():
            report = Path(config.getoption("--conformance-report"))
            participant = cls(_asked(config), _waivers(config), report, is_worker=is_worker, hands_out_work=distributes)
            if not is_worker:
                folder.check_writable(report)
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
            assert self._subject is not None  # noqa: S101  (there is an outcome)
            setattr(report, _CARRIED, carried(item.outcome, self._subject))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome out of the report."""
        text = getattr(report, _CARRIED, None)
        if text is not None:
            self._gathering.take(text)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember what is to be tried."""
        self._gathering.chose(each.requirement.id for each in session.items if isinstance(each, RequirementItem))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """The same, where only workers collect."""
        self._gathering.chose_functions(each.rpartition("::")[2] for each in ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a worker saw; one that crashed tells nothing."""
        seen = getattr(node, "workeroutput", {}).get(_CARRIED)
        if seen is not None:
            self._gathering.heard(seen)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Settle: a finding that a passing property met on the way belongs to another requirement. Then report."""
        if self._is_worker:
            if self._subject is not None:
                session.config.workeroutput[_CARRIED] = seen_by(self._subject)  # type: ignore[attr-defined]
            return
        if self._subject is not None:
            self._gathering.heard(seen_by(self._subject))
        self._result = self._gathering.result()
        if self._result is None:
            return
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = _STATUS.get(self._result.exit_status, pytest.ExitCode.OK)
        self._written = self._reported(self._result)

    def _reported(self, result: Result) -> str:
        """Write the reports; answers where they are, or why they are not."""
        try:
            places = self.reports.write(result, self._gathering.told)
            return f"Reports: {', '.join([*places, self.reports.write_page()])}"
        except KitError as error:
            return f"storage-conformance: {error}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The score, and the failures ranked: the first is the cause."""
        if self._result is not None:
            terminalreporter.section("storage-conformance")
            terminalreporter.write_line(summary(self._result, self.reports.replay))
            terminalreporter.write_line(self._written)


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
