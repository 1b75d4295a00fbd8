"""The requirements as pytest tests: ``pytest --pyargs conformance.properties --conformance-provider acme:PROVIDER``.

A thin adapter, and inert without that option: every pytest run on a machine imports this module, so what is heavy is
imported by the hook that needs it. The work is done in `conformance.pytest_session`.
"""

from __future__ import annotations

import inspect
from typing import Final

import pytest

OPTION: Final = "--conformance-provider"
_HOW: Final = f"{OPTION} module:attribute names the plugin to try; without it no requirement is collected"
_UNASKED: Final = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Few options, none of which another plugin could have."""
    group = parser.getgroup("storage-conformance")
    group.addoption(OPTION, metavar="NAME", help="try this storage plugin: module:attribute, or its name")
    group.addoption("--conformance-environment", metavar="FILE", help="environment file; default: simulated")
    group.addoption("--conformance-profile", metavar="NAME", help="smoke, certify (default) or soak")
    group.addoption("--conformance-waivers", metavar="FILE", help="known failures, and who answers for them")
    group.addoption(
        "--conformance-report",
        metavar="FOLDER",
        default="conformance-report",
        help="folder for report.json, report.html, junit.xml and counterexamples; default: conformance-report",
    )
    group.addoption("--conformance-seed", metavar="N", type=int, default=0, help="what inputs are drawn from")
    group.addoption(
        "--conformance-parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a store parameter; NAME=env:VARIABLE takes a secret; can be repeated",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take part only when asked to; nothing is started yet."""
    if config.getoption(OPTION):
        from conformance.pytest_session import Participant

        participant = Participant.of(config)
        config.pluginmanager.register(participant, "storage-conformance-participant")
        config.add_cleanup(participant.close)


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make one item of each property; of everything else pytest makes what it always does."""
    if not inspect.isfunction(obj) or not hasattr(obj, "requirement"):
        return None
    from conformance.requirement import Requirement

    if not isinstance(obj.requirement, Requirement):
        return None
    if not collector.config.getoption(OPTION):
        collector.config.stash[_UNASKED] = True
        return []
    from conformance.pytest_session import RequirementItem

    return [RequirementItem.from_parent(collector, name=name, requirement=obj.requirement)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how, where requirements were found and no plugin was named."""
    if config.stash.get(_UNASKED, False):
        terminalreporter.write_line(f"storage-conformance: {_HOW}")
