"""Requirements tried side by side: the same verdicts, and a worker that dies is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .place import Place

pytestmark = pytest.mark.slow

ONLY = ("PRV-001", "PRV-002", "PRV-003", "DEL-001", "LIF-001", "REG-001", "EXT-001")
SHORT = """
from reference_providers.solidfire import PROVIDER as RIGHT
from reference_providers.solidfire.driver import SolidFireDriver as Driver

right = Driver.create
Driver.create = lambda self, store, request, placement: {wrong}

PROVIDER = RIGHT
"""
DOUBLED = "right(self, store, __import__('dataclasses').replace(request, size_bytes=2 * request.size_bytes), placement)"
DEAD = "__import__('os')._exit(3)"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def run(place: Place, wrong: str, workers: int) -> tuple[int, str]:
    place.write("acme.py", SHORT.format(wrong=wrong))
    asked = [each for identifier in ONLY for each in ("--only", identifier)]
    done = place.run("run", "--provider", "acme:PROVIDER", "--profile", "smoke", *asked, "--workers", str(workers))
    return done.status, done.stderr


def verdicts(place: Place) -> dict[str, tuple[str, str | None]]:
    record = json.loads((place.folder / "conformance-report" / "report.json").read_text())
    return {each["id"]: (each["verdict"], each["blocked_by"]) for each in record["requirements"]}


def test_the_verdicts_are_those_of_one_process(place: Place) -> None:
    assert run(place, DOUBLED, 1)[0] == 1
    alone = verdicts(place)
    assert run(place, DOUBLED, 2)[0] == 1
    assert verdicts(place) == alone
    assert alone["PRV-001"][0] == "FAILED"
    assert alone["EXT-001"] == ("BLOCKED", "PRV-001")
    assert place.left_behind() == []


def test_a_worker_that_dies_is_named_with_what_it_was_at(place: Place) -> None:
    status, told = run(place, DEAD, 2)
    assert status == 2
    assert "a worker died while it was at " in told
