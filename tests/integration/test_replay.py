"""A run leaves counterexamples; the command, and scripts that stand alone, run them again in processes of their own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.integration.lone_array import lone_array
from tests.integration.place import Done, Place, interrupted, read_until

pytestmark = pytest.mark.slow

# The reference plugin, but that a resize leaves the size as it was.
BROKEN: Final = """
import functools
from reference_providers.solidfire import PROVIDER
from reference_providers.solidfire.driver import SolidFireDriver

whole = SolidFireDriver.resize

@functools.wraps(whole)
def resize(self, store, volume, size_bytes):
    return whole(self, store, volume, volume.size_bytes)

SolidFireDriver.resize = resize
"""
SLOW: Final = """
import os, signal, functools
from reference_providers.solidfire import PROVIDER
from reference_providers.solidfire.driver import SolidFireDriver

whole = SolidFireDriver.create

@functools.wraps(whole)
def create(self, store, request, placement):
    answer = whole(self, store, request, placement)
    os.kill(os.getpid(), signal.SIGINT)
    return answer

SolidFireDriver.create = create
"""
FILE: Final = "conformance-report/counterexamples/EXT-001.json"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Done]:
    """Where a run found something, and what it said."""
    place = Place(tmp_path_factory.mktemp("first"))
    place.write("acme.py", BROKEN)
    done = place.run("run", "--provider", "acme:PROVIDER", "--profile", "smoke", "--only", "EXT-001")
    assert done.status == 1, done.stdout + done.stderr
    assert f"Replay    storage-conformance replay {FILE}\n" in done.stdout
    return place, done


@pytest.fixture
def place(tmp_path: Path, first: tuple[Place, Done]) -> Place:
    """A place as after that run."""
    place = Place(tmp_path)
    shutil.copytree(first[0].folder, place.folder, dirs_exist_ok=True)
    return place


def seven_parts(told: str, replay: str) -> str:
    """A failure as it is told, without what differs from world to world."""
    start = told.index("EXT-001 MUST: ")
    return told[start : told.index("\n   Calls", start)] + told[told.index("\n   Declared", start) : told.index(replay)]


def test_a_counterexample_fails_again_in_the_words_of_the_report(place: Place, first: tuple[Place, Done]) -> None:
    files = place.files()
    done = place.run("replay", FILE)
    assert (done.status, done.stderr) == (1, "")
    command = f"storage-conformance replay {FILE}"
    assert seven_parts(done.stdout, command) == seven_parts(first[1].stdout, command)
    assert done.stdout.endswith("\nFAILED: EXT-001 fails again\n")
    assert place.files() == files
    assert place.left_behind() == []


@pytest.mark.parametrize("words", [["conformance-report"], ["conformance-report/report.json", "EXT-001"]])
def test_a_report_leads_to_its_counterexamples(place: Place, words: list[str]) -> None:
    assert place.run("replay", *words).status == 1


def test_a_plugin_that_does_it_right_passes(place: Place) -> None:
    done = place.run("replay", FILE, "--provider", "solidfire", "--times", "2")
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.endswith("\nEXT-001 passes now, 2 of 2 times\n")


def test_what_was_found_on_simulators_is_replayed_on_an_array_in_another_process(place: Place, tmp_path: Path) -> None:
    (tmp_path / "array").mkdir()
    with lone_array(Place(tmp_path / "array")) as array:
        place.write("lab.toml", array.environment)
        done = place.run("replay", FILE, "--environment", "lab.toml", **array.variables)
        assert array.things() == []
    # This array's witness shows no sizes from outside; what cannot be asked there is said and not passed.
    assert done.status == 2
    assert "EXT-001 cannot be asked here (NOT_VERIFIED: " in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.json"], "cannot read counterexample nowhere.json: No such file"),
        (["acme.py"], "acme.py is no JSON"),
        (["other.json"], "other.json is no counterexample"),
        (["newer.json"], "and this kit reads up to 1; replay it with kit"),
        (["theirs.json"], "it was found in environment their.toml, which is not here; give --environment FILE"),
        ([FILE, "EXT-002"], "is a counterexample of EXT-001, not of EXT-002"),
        ([FILE, "--provider", "nowhere:P"], "no module nowhere"),
        ([FILE, "--environment", "nowhere.toml"], "cannot read environment file nowhere.toml"),
        ([FILE, "--parameter", "hunter2"], "--parameter is not of the form NAME=VALUE"),
        ([FILE, "--provider", "minimal"], "EXT-001 cannot be asked here (NOT_APPLICABLE: resize: left out"),
    ],
)
def test_what_cannot_be_replayed_is_one_line_and_leaves_nothing(place: Place, words: list[str], told: str) -> None:
    good = json.loads((place.folder / FILE).read_text(encoding="utf-8"))
    place.write("other.json", '{"arguments": {}}')
    place.write("newer.json", json.dumps({**good, "schema_version": 99}))
    place.write("theirs.json", json.dumps({**good, "environment": "their.toml"}))
    files = place.files()
    done = place.run("replay", *words)
    assert done.status == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("storage-conformance: ")
    assert told in line
    assert "hunter2" not in line
    assert place.files() == files
    assert place.left_behind() == []


def test_ctrl_c_leaves_nothing(place: Place) -> None:
    place.write("stopped.py", SLOW)
    files = place.files()
    done = place.run("replay", FILE, "--provider", "stopped:PROVIDER")
    assert done.status == 130, done.stdout + done.stderr
    assert done.stderr == "storage-conformance: interrupted; the counterexample was not run to its end\n"
    assert place.files() == files
    assert place.left_behind() == []


def test_ctrl_c_between_replays_leaves_nothing(place: Place) -> None:
    process = place.start("replay", FILE, "--provider", "solidfire", "--times", "100000", PYTHONUNBUFFERED="1")
    read_until(process.stdout, "Replaying EXT-001")
    done = interrupted(process)
    assert done.status == 130, done.stdout + done.stderr
    assert place.left_behind() == []


# --- the script ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mail(place: Place, tmp_path: Path) -> Place:
    """Somebody else's machine, who got the script and has the plugin."""
    (tmp_path / "mail").mkdir()
    mail = Place(tmp_path / "mail")
    script = (place.folder / FILE).with_suffix(".py").read_text(encoding="utf-8")
    mail.write("EXT-001.py", script)
    mail.write("acme.py", BROKEN)
    return mail


def ran(place: Place, *words: str) -> Done:
    return place.run_program(sys.executable, "EXT-001.py", *words)


def test_a_script_that_was_mailed_shows_the_failure(mail: Place) -> None:
    done = ran(mail)
    assert (done.status, done.stderr) == (1, "")
    assert "EXT-001 MUST: " in done.stdout
    assert "   Replay    python EXT-001.py\n" in done.stdout
    assert done.stdout.endswith("\nFAILED: EXT-001 fails again\n")
    assert mail.files() == ["EXT-001.py", "acme.py"]
    assert mail.left_behind() == []


def test_a_script_runs_on_another_plugin(mail: Place) -> None:
    done = ran(mail, "--provider", "solidfire", "--environment", "simulated", "--times", "2")
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.endswith("\nEXT-001 passes now, 2 of 2 times\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--provider", "nowhere:P"], "EXT-001.py: provider nowhere:P: no module nowhere"),
        (["--environment", "x.toml"], "EXT-001.py: cannot read environment file x.toml: No such file"),
        (["--times", "0"], "expected 1 or more"),
        (["--times", "often"], "invalid"),
    ],
)
def test_a_script_that_cannot_run_says_why(mail: Place, words: list[str], told: str) -> None:
    done = ran(mail, *words)
    assert done.status == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert mail.left_behind() == []


def test_a_script_without_the_kit_says_what_to_install(mail: Place) -> None:
    done = mail.run_program(sys.executable, "-I", "-S", "EXT-001.py")
    assert done.status == 2
    assert done.stderr.endswith("first: pip install 'storage-conformance[kit,simulators]'\n")
