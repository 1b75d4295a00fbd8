"""The bench that tries the kit against faulty plugins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from tests.faulty_providers.corpus import all_faults
from tests.faulty_providers.fault import Driver, Fault, Site, Wire
from tests.faulty_providers.faulty import FaultyPlugin, Injector
from tests.faulty_providers.operators import alter_result, skip
from tests.kit_quality import told
from tests.kit_quality.__main__ import chosen, main
from tests.kit_quality.bench import Run
from tests.kit_quality.reach import seen_from
from tests.kit_quality.tally import Tally, differences, quantile, tried, wilson

KEYS = {
    "killed",
    "total",
    "survivors",
    "reds_median",
    "reds_p95",
    "right_first",
    "classes",
    "false_alarms",
    "variant_runs",
    "seconds",
    "faults",
    "requirements_without_fault",
}
UNBROKEN = Run("solidfire", {"PRV-001": "PASSED", "DEL-001": "PASSED", "DEL-004": "FAILED"}, ["DEL-004"], 1.0)


def ran(fault: Fault, *ranked: str, fired: int = 1, error: str = "") -> Run:
    """A run against a fault."""
    return Run(fault.name, dict.fromkeys(ranked, "FAILED"), ranked, 0.1, fired, error)


def fault(requirement: str, **more: object) -> Fault:
    """A fault that is never put in."""
    return Fault(requirement, "does nothing", Driver.delete, skip(), **more)  # type: ignore[arg-type]


class Answering:
    """A connection to an array that answers the same to every request, and a plugin that keeps its connector."""

    host_listener = None

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = (status, body)
        self.driver = self.lifecycle = self.connect = None

    def request(self, *_arguments: object) -> tuple[int, bytes]:
        return self.answer

    def plugin(self, connect: object) -> Answering:
        self.connect = connect  # type: ignore[assignment]
        return self


@pytest.mark.parametrize(
    "body", [b"<h1>Unauthorized</h1>", b"", b"[]", b'{"error": {"name": "xUnknown"}}', b'{"id": 1}']
)
def test_what_the_array_says_instead_of_a_result_passes_a_fault_unchanged(body: bytes) -> None:
    array = Answering(503, body)
    broken = Fault("PRV-001", "does nothing", Wire.ListVolumes, alter_result(lambda result: {**result, "more": 1}))
    FaultyPlugin(Injector(broken), array.plugin, lambda *_: array)
    connection = array.connect("https://array", None, "verify", 1.0)  # type: ignore[misc]
    assert connection.request("POST", "/", {}, b'{"method": "ListVolumes", "params": {}}', 1.0) == (503, body)


@pytest.mark.slow
def test_three_faults_from_end_to_end(tmp_path: Path) -> None:
    output = tmp_path / "quality.json"
    names = ["PRV-001 says a granule more", "LEK-003 unknown is nothing", "OPS-004 used is a number"]
    requirements = ["REG-001", "LIF-001", "PRV-001", "PRV-002", "LEK-003", "OPS-004"]
    status = main(
        ["--only", *names, "--requirements", *requirements, "--workers", "1", "--sample", "1", "--output", str(output)]
    )
    found = json.loads(output.read_text(encoding="utf-8"))
    assert found.keys() == KEYS
    assert (status, found["killed"], found["total"], found["survivors"]) == (0, 3, 3, [])
    assert [each["ranked"][0] for each in found["faults"]] == ["LEK-003", "OPS-004", "PRV-001"]
    assert all(
        each.keys() == {"name", "kind", "killed", "reds", "tried_with", "ranked", "seconds"} for each in found["faults"]
    )
    assert set(found["classes"]) == {"contract", "data"}
    assert (found["false_alarms"], found["variant_runs"], found["right_first"]) == (0, 1, 1.0)


def test_a_word_that_names_no_fault_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "no such fault anywhere"]) == 2
    assert "no such fault anywhere" in capsys.readouterr().err


def test_faults_are_chosen_by_id_area_or_words() -> None:
    faults = all_faults()
    assert {each.requirement for each in chosen(faults, ["DEL-001"])} == {"DEL-001"}
    assert {each.requirement[:3] for each in chosen(faults, ["SEC"])} >= {"SEC"}
    assert chosen(faults, []) == list(faults)


def test_every_requirement_of_the_corpus_is_in_the_catalogue() -> None:
    named = {each for one in all_faults() for each in (one.requirement, *one.also)}
    areas = {each[:3] for each in catalogue()}
    assert {each for each in named if each not in catalogue() and each not in areas} == set()


def test_what_is_red_anyway_finds_nothing() -> None:
    one = tried(fault("DEL-004"), ran(fault("DEL-004"), "DEL-004"), UNBROKEN)
    assert not one.is_killed


def test_the_right_one_may_be_named_by_its_area() -> None:
    for_area, for_id = fault("DEL"), fault("DEL-001", also=("DEL-002",))
    assert tried(for_area, ran(for_area, "DEL-003", "PRV-001"), UNBROKEN).is_right_first
    assert tried(for_id, ran(for_id, "DEL-002"), UNBROKEN).is_right_first
    assert not tried(for_id, ran(for_id, "DEL-002"), UNBROKEN).bites
    assert not tried(for_id, ran(for_id, "PRV-001", "DEL-001"), UNBROKEN).is_right_first


def test_a_survivor_and_a_red_unbroken_base_make_the_kit_bad() -> None:
    good = Tally(must_bite={"DEL-001": catalogue()["DEL-001"]})
    good.add(tried(fault("DEL-001"), ran(fault("DEL-001"), "DEL-001"), UNBROKEN))
    assert good.exit_status == 0
    good.add_unbroken(UNBROKEN)
    assert (good.exit_status, good.variant_runs) == (1, 1)
    survived = Tally()
    survived.add(tried(fault("DEL-001"), ran(fault("DEL-001")), UNBROKEN))
    assert survived.exit_status == 1
    assert told.as_json(survived, 1.0)["survivors"] == ["DEL-001 does nothing"]


def test_a_requirement_that_no_fault_puts_first_makes_the_kit_bad() -> None:
    tally = Tally(must_bite={each: catalogue()[each] for each in ("DEL-001", "DEL-002")})
    tally.add(tried(fault("DEL-001"), ran(fault("DEL-001"), "DEL-001"), UNBROKEN))
    assert tally.toothless == ["DEL-002"]
    assert tally.exit_status == 1


def test_a_site_that_never_fires_is_an_error_of_the_corpus() -> None:
    tally = Tally()
    tally.add(tried(fault("DEL-001"), ran(fault("DEL-001"), fired=0), UNBROKEN))
    assert tally.exit_status == 2
    assert "driver.delete never fires" in tally.errors[0]


def test_a_fault_that_takes_too_long_is_a_survivor() -> None:
    tally = Tally()
    tally.add(tried(fault("DEL-001"), ran(fault("DEL-001"), fired=0, error="deadline"), UNBROKEN))
    assert (tally.exit_status, tally.errors) == (1, [])
    assert "DEL-001 does nothing (deadline)" in told.as_text(tally, 1.0)


def test_a_requirement_left_out_wrongly_is_noticed() -> None:
    filtered = Run("x", {"PRV-001": "FAILED", "DEL-001": "PASSED", "DEL-004": "PASSED"}, [], 0.1)
    unfiltered = Run("x", {"PRV-001": "FAILED", "DEL-001": "FAILED", "DEL-004": "BLOCKED"}, [], 0.1)
    assert differences(filtered, unfiltered) == ["x: DEL-001 is FAILED when nothing is left out, else PASSED"]


def test_only_what_touches_the_site_is_tried() -> None:
    delete, provider = Site(Driver.delete.part, "delete"), Site(Driver.delete.part, "create")
    reach = {"DEL-001": frozenset({delete, provider}), "PRV-001": frozenset({provider})}
    assert seen_from(delete, reach) == ["DEL-001"]


def test_intervals_and_quantiles() -> None:
    low, high = wilson(9, 10)
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert wilson(0, 0) == (0.0, 1.0)
    assert [quantile([1, 1, 2, 9], part) for part in (0.5, 0.95)] == [1, 9]
    assert quantile([], 0.5) == 0
