"""The requirements as pytest tests: ``pytest --pyargs conformance.properties --conformance-provider acme:PROVIDER``.

A thin adapter, and inert without that option. Every pytest run on a machine imports this module, so whatever is heavy
is imported by the hook that needs it. An item carries its outcome home in its report, also from a worker of
pytest-xdist; what all of them together mean is settled there, at the end.
"""

from __future__ import annotations

import inspect
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from conformance.asked import Asked
    from conformance.requirement import Requirement
    from conformance.session import Result
    from conformance.subject import RunningSubject
    from conformance.verdict import Outcome

_OPTION: Final = "--conformance-provider"
_PROPERTY: Final = "storage-conformance"
_HOW: Final = f"{_OPTION} module:attribute names the plugin; without it no requirement is tried"


@dataclass(slots=True)
class _Run:
    """What one pytest process does for us. `records` are outcomes as JSON, in the order they came in."""

    asked: Asked
    stack: ExitStack = field(default_factory=ExitStack)
    subject: RunningSubject | None = None
    records: list[str] = field(default_factory=list)
    result: Result | None = None


_RUN: Final = pytest.StashKey[_Run]()
_UNASKED: Final = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Few options, none of which another plugin could have."""
    group = parser.getgroup("storage-conformance")
    group.addoption(_OPTION, metavar="NAME", help="try this storage plugin: module:attribute, or its name")
    group.addoption("--conformance-environment", metavar="FILE", help="environment file; default: simulated")
    group.addoption("--conformance-profile", metavar="NAME", help="smoke, certify (default) or soak")
    group.addoption("--conformance-seed", metavar="N", type=int, default=0, help="what inputs are drawn from")
    group.addoption(
        "--conformance-parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a store parameter; NAME=env:VARIABLE takes a secret; can be repeated",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the options; nothing is started yet."""
    if config.getoption(_OPTION):
        with _UsageErrors():
            config.stash[_RUN] = _Run(_asked(config))


def _asked(config: pytest.Config) -> Asked:
    from conformance.asked import Asked, parsed
    from conformance.opening import profile_named
    from conformance.profile import DEFAULT_PROFILE

    file = config.getoption("--conformance-environment")
    profile = config.getoption("--conformance-profile") or DEFAULT_PROFILE
    return Asked(
        config.getoption(_OPTION),
        Path(file) if file else None,
        profile_named(profile).name,
        config.getoption("--conformance-seed"),
        parsed(config.getoption("--conformance-parameter")),
    )


class _UsageErrors:
    """Turns what the kit says about a wrong use into what pytest shows for one."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from conformance.errors import KitError

        if isinstance(error, KitError):
            raise pytest.UsageError(f"storage-conformance: {error}") from None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Open the subject, once for the process; one that only hands out work to others needs none."""
    run = session.config.stash.get(_RUN, None)
    if run is None or _hands_out_work(session.config):
        return
    from conformance.main import shadowed
    from conformance.opening import opened

    if shadowed():
        raise pytest.UsageError(f"storage-conformance: {shadowed()}")
    with _UsageErrors():
        run.subject = run.stack.enter_context(opened(run.asked))


def _hands_out_work(config: pytest.Config) -> bool:
    """Whether this is the process of pytest-xdist that has workers."""
    return not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no"


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is tried, with which version, and what it declares."""
    run = config.stash.get(_RUN, None)
    if run is None:
        return []
    from conformance.report.version import kit_version

    asked = run.asked
    lines = [
        f"storage-conformance {kit_version()}: {asked.provider}, profile {asked.profile}, seed {asked.seed}"
    ]
    return [*lines, *_declared(run.subject)] if run.subject is not None else lines


def _declared(subject: RunningSubject) -> list[str]:
    declared = subject.declared
    supported = [str(each) for each, answer in declared.capabilities.items() if answer]
    limits = declared.limits
    return [
        f"  {declared.name} {declared.version}, contract {declared.contract_version}, hookup {declared.hookup}",
        f"  capabilities: {', '.join(supported) or 'none'}",
        f"  LUNs of {limits.smallest_lun_bytes} to {limits.largest_lun_bytes} bytes in steps of "
        f"{limits.granularity_bytes}, names of up to {limits.name_length} characters",
    ]


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make one item of each property; of other functions pytest makes what it always does."""
    if not inspect.isfunction(obj) or not hasattr(obj, "requirement"):
        return None
    from conformance.requirement import Requirement

    if not isinstance(obj.requirement, Requirement):
        return None
    if _RUN not in collector.config.stash:
        collector.config.stash[_UNASKED] = True
        return []
    return [RequirementItem.from_parent(collector, name=name, requirement=obj.requirement)]


class NotPassed(Exception):
    """Carries the text that is shown for a requirement that did not pass."""


class RequirementItem(pytest.Item):
    """One requirement."""

    def __init__(self, *, requirement: Requirement, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.requirement = requirement

    def runtest(self) -> None:
        """Try it, and say in pytest's words what came out."""
        from conformance.report.as_json import outcome_record
        from conformance.run import run_requirement

        run = self.config.stash[_RUN]
        assert run.subject is not None  # noqa: S101  (opened when the session started)
        outcome = run_requirement(self.requirement, run.subject, seed=run.asked.seed)
        self.user_properties.append((_PROPERTY, json.dumps(outcome_record(outcome), default=repr)))
        _say(outcome, run.asked)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our text alone for what did not pass: a traceback through the kit explains nothing."""
        if isinstance(excinfo.value, NotPassed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the property is written."""
        line = inspect.getsourcelines(self.requirement.body)[1] - 1
        return self.path, line, f"{self.requirement.id}: {self.name}"


def _say(outcome: Outcome, asked: Asked) -> None:
    from conformance.report.as_text import brief, failure
    from conformance.verdict import Verdict

    requirement = outcome.requirement
    if outcome.verdict is Verdict.PASSED:
        return
    if outcome.verdict in {Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED, Verdict.WAIVED}:
        pytest.skip(f"{requirement.id} {outcome.verdict}: {brief(outcome)}")
    if outcome.finding is not None:
        raise NotPassed(failure(outcome, asked.replay))
    raise NotPassed(f"{requirement.id} {requirement.strength}: {requirement.sentence}\n   {brief(outcome)}")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Settle, before the terminal reporter asks; stop what was started, whatever becomes of the others."""
    run = session.config.stash.get(_RUN, None)
    try:
        if run is not None and not hasattr(session.config, "workerinput"):
            _settle(session, run)
        return (yield)
    finally:
        if run is not None:
            run.stack.close()


def _settle(session: pytest.Session, run: _Run) -> None:
    from conformance.session import EXIT_FINDINGS

    if not run.records:
        return
    run.result = _result(run)
    if session.exitstatus == pytest.ExitCode.OK and run.result.exit_status == EXIT_FINDINGS:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take an outcome out of its report."""
    _collected.append(report)
