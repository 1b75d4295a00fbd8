"""A plugin whose answers are perfect and that does nothing is red wherever an effect is promised."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import pytest

from conformance.catalogue import catalogue, foundations
from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.profile import PROFILES
from conformance.session import Result, run_session
from conformance.subject import RunningSubject
from conformance.verdict import Verdict
from reference_providers import solidfire
from tests.faulty_providers.lies import RememberingEntry, lying_plan

REQUIREMENTS = catalogue()
PROMISES: Final = {
    "ACC": ["grant_access", "revoke_access"],
    "CHP": ["rotate_chap"],
    "CLN": ["clone"],
    "DEL": ["delete"],
    "EXT": ["resize"],
    "HST": ["host_added", "host_connected", "host_disconnected", "host_about_to_be_removed", "host_removed"],
    "LIF": ["initialize", "attach_cluster", "detach_cluster", "delete_datastore"],
    "MIG": ["begin_migration", "end_migration"],
    "PRV": ["create"],
    "QOS": ["set_qos"],
    "REV": ["revert"],
    "SNP": ["take_snapshot", "delete_snapshot"],
    "TPL": ["seed_template", "delete_template"],
}
"""What promises an effect on the array, by area. In DST, DED and DIR it is the bridge that acts: see the corpus."""
EVERYTHING: Final = [method for methods in PROMISES.values() for method in methods]


def run(methods: Collection[str], only: Collection[str], base: Any = solidfire.PROVIDER) -> Result:
    with open_environment(None, Transport.MEMORY) as environment:
        assert environment.array is not None
        environment.array = entry = RememberingEntry(environment.array)
        with RunningSubject(lying_plan(base, entry, methods), environment, PROFILES["smoke"]) as subject:
            return run_session(subject, [REQUIREMENTS[each] for each in only], REQUIREMENTS)


def of_area(area: str) -> list[str]:
    own = [each for each in REQUIREMENTS if each.startswith(area)]
    below = {other for each in own for other in foundations(each, REQUIREMENTS)}
    return [each for each in REQUIREMENTS if each in below or each in own]


@pytest.mark.slow
@pytest.mark.parametrize("area", PROMISES)
def test_an_area_whose_methods_lie_is_red_and_comes_first(area: str) -> None:
    result = run(PROMISES[area], of_area(area))
    assert result.ranked[:1] != []
    assert result.ranked[0].startswith(area), result.ranked


@pytest.mark.slow
def test_a_plugin_that_lies_in_everything_passes_nothing_that_promises_an_effect() -> None:
    result = run(EVERYTHING, list(REQUIREMENTS))
    passed = [each for each, outcome in result.outcomes.items() if outcome.verdict is Verdict.PASSED]
    assert result.ranked == ["PRV-001"]
    # What is declared and what is refused needs no effect.
    assert {each[:3] for each in passed} == {"REG", "LIF", "DED"}
    assert {"LIF-001", "LIF-005", "LIF-006", "DED-002"}.isdisjoint(passed)
