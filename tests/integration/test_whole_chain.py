"""Command, kit, plugin, proxy, array and hypervisors over real sockets: a run, a killed run, an interrupted run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.catalogue import catalogue
from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.profile import PROFILES
from conformance.session import EXIT_PASSED, choose, run_session
from conformance.subject import RunningSubject
from conformance.verdict import Verdict
from tests.faulty_providers.faulty import Injector, plan_for_fault
from tests.integration.lone_array import CLUSTER, LoneArray, lone_array
from tests.integration.place import Place, interrupted, read_until

pytestmark = pytest.mark.slow

JOURNAL: Final = ".storage-conformance/journal.jsonl"
# The reference plugin in a process that gets a signal right after one of its calls was carried out.
STOPPED: Final = """
import functools, os, signal
from reference_providers.solidfire import PROVIDER
from reference_providers.solidfire.{module} import {name} as part

whole = part.{method}

@functools.wraps(whole)
def stopped(*arguments, **keywords):
    answer = whole(*arguments, **keywords)
    os.kill(os.getpid(), signal.{signal})
    return answer

part.{method} = stopped
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def array(tmp_path: Path) -> Iterator[LoneArray]:
    folder = tmp_path / "array"
    folder.mkdir()
    with lone_array(Place(folder)) as array:
        yield array


def outcomes(place: Place) -> dict[str, Any]:
    """Verdicts of the last run by requirement."""
    report = json.loads((place.folder / "conformance-report" / "report.json").read_text(encoding="utf-8"))
    return {each["id"]: each["verdict"] for each in report["requirements"]}


# ---- in this process ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "only"),
    [
        ("solidfire", ["ACC-001", "CHP-001", "DST-001", "DST-002", "HST-001", "SEC-001", "SEC-002"]),
        ("solidfire-plugin-hookup", ["ACC-001", "DST-001"]),
        ("minimal", ["ACC-001", "DEL-001", "DST-001", "PRV-001"]),
        ("zadara", ["ACC-001", "ACC-003", "CHP-001", "DST-001", "DST-002", "HST-001", "LEK-002", "SEC-001"]),
    ],
)
def test_a_reference_plugin_passes_over_sockets(base: str, only: list[str]) -> None:
    requirements = catalogue()
    with (
        open_environment(None, Transport.SOCKETS, base) as environment,
        RunningSubject(plan_for_fault(Injector(None), base), environment, PROFILES["smoke"]) as subject,
    ):
        assert subject.environment.cluster is not None, subject.environment.missing_cluster
        result = run_session(subject, choose(requirements, only), requirements)
    assert {each: outcome.verdict for each, outcome in result.outcomes.items()} == dict.fromkeys(only, Verdict.PASSED)
    assert result.exit_status == EXIT_PASSED


# ---- an array that is there already ---------------------------------------------------------------------------------


def test_a_run_on_an_array_in_another_process_leaves_nothing_there(place: Place, array: LoneArray) -> None:
    place.write("lab.toml", array.environment + CLUSTER)
    asked = ["--environment", "lab.toml", "--profile", "smoke"]
    done = place.run("run", "--provider", "solidfire", *asked, **array.variables)
    assert (done.status, done.stderr) == (EXIT_PASSED, ""), done.stdout
    verdicts = outcomes(place)
    assert verdicts["PRV-008"] == verdicts["DST-001"] == Verdict.PASSED
    assert verdicts["PRV-001"] == Verdict.NOT_VERIFIED
    assert array.tables()["sessions"] == []
    assert array.things() == []
    assert [each for each in place.files() if each.startswith(".storage-conformance")] == []
    assert place.left_behind() == []
    assert array.told["password"] not in done.stdout


@pytest.mark.parametrize(
    ("part", "method", "only"),
    [
        ("lifecycle.SolidFireLifeCycle", "initialize", "PRV-008"),
        ("driver.SolidFireDriver", "create", "PRV-008"),
        ("driver.SolidFireDriver", "grant_access", "ACC-001"),
        ("driver.SolidFireDriver", "create", "DST-001"),
        ("driver.SolidFireDriver", "grant_access", "DST-001"),
        ("driver.SolidFireDriver", "take_snapshot", "SNP-004"),
        ("driver.SolidFireDriver", "clone", "CLN-001"),
        ("driver.SolidFireDriver", "seed_template", "TPL-002"),
        ("driver.SolidFireDriver", "take_snapshot", "DST-011"),
        ("driver.SolidFireDriver", "clone", "DST-012"),
    ],
)
def test_what_a_killed_run_left_is_named_and_removed(
    place: Place, array: LoneArray, part: str, method: str, only: str
) -> None:
    place.write("lab.toml", array.environment + CLUSTER)
    module, name = part.split(".")
    place.write("killed.py", STOPPED.format(module=module, name=name, method=method, signal="SIGKILL"))
    asked = ["--environment", "lab.toml", "--profile", "smoke", "--only", only]
    killed = place.run("run", "--provider", "killed:PROVIDER", *asked, **array.variables)
    assert killed.status == -9, killed.stdout + killed.stderr
    assert array.things() != []
    assert JOURNAL in place.files()

    refused = place.run("run", "--provider", "solidfire", *asked, **array.variables)
    assert refused.status == 2
    command = f"storage-conformance clean --provider solidfire --environment lab.toml --journal {JOURNAL}"
    assert command in refused.stderr

    cleaned = place.run(*command.split()[1:], **array.variables)
    assert (cleaned.status, cleaned.stderr) == (0, ""), cleaned.stdout
    assert array.things() == []
    assert JOURNAL not in place.files()
    again = place.run("run", "--provider", "solidfire", *asked, **array.variables)
    assert again.status == EXIT_PASSED, again.stdout + again.stderr


@pytest.mark.parametrize("only", ["PRV-008", "ACC-001", "DST-001"])
def test_ctrl_c_leaves_nothing_on_an_array_in_another_process(place: Place, array: LoneArray, only: str) -> None:
    place.write("lab.toml", array.environment + CLUSTER)
    stopped = STOPPED.format(module="driver", name="SolidFireDriver", method="create", signal="SIGINT")
    place.write("stopped.py", stopped)
    asked = ["--environment", "lab.toml", "--profile", "smoke", "--only", only]
    done = place.run("run", "--provider", "stopped:PROVIDER", *asked, **array.variables)
    assert done.status == 130, done.stdout + done.stderr
    assert array.things() == []
    assert JOURNAL not in place.files()


# ---- Ctrl-C ---------------------------------------------------------------------------------------------------------


def test_ctrl_c_leaves_a_report_of_what_ran_and_nothing_else(place: Place) -> None:
    process = place.start("run", "--provider", "solidfire", "--only", "DST", "--only", "ACC")
    read_until(process.stdout, "ACC-001")
    assert len(place.processes()) > 1
    done = interrupted(process)
    assert done.status == 130, done.stdout + done.stderr
    verdicts = outcomes(place)
    assert verdicts["ACC-001"] == Verdict.PASSED
    assert verdicts["DST-001"] == Verdict.NOT_TRIED
    record = json.loads((place.folder / "conformance-report" / "report.json").read_text(encoding="utf-8"))
    untried = [each for each, verdict in verdicts.items() if verdict == Verdict.NOT_TRIED]
    assert record["not_tried"] == len(untried) > 0
    assert record["score"]["passed"] < record["score"]["of"]
    assert done.stdout.count(f"Interrupted: {len(untried)} of {record['chosen']} chosen requirements were not") == 1
    reports = ["junit.xml", "report.html", "report.json"]
    assert place.files() == ["conformance-report", *(f"conformance-report/{each}" for each in reports)]
    assert place.left_behind() == []


@pytest.mark.parametrize(
    ("part", "method"),
    [
        ("lifecycle.SolidFireLifeCycle", "initialize"),
        ("driver.SolidFireDriver", "create"),
        ("driver.SolidFireDriver", "delete"),
        ("lifecycle.SolidFireLifeCycle", "delete_datastore"),
    ],
)
def test_ctrl_c_may_come_in_any_call(place: Place, part: str, method: str) -> None:
    module, name = part.split(".")
    place.write("stopped.py", STOPPED.format(module=module, name=name, method=method, signal="SIGINT"))
    before = place.files()
    asked = ["--only", "DEL-001", "--only", "DST-001", "--workers", "1"]  # whose own signal it is
    done = place.run("run", "--provider", "stopped:PROVIDER", *asked)
    assert done.status == 130, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert [each for each in place.files() if each not in before and "conformance-report" not in each] == []
    assert place.left_behind() == []


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_ctrl_c_before_the_first_requirement_ends_at_once(place: Place, signal: str) -> None:
    place.write("stopped.py", f"import os, signal\nos.kill(os.getpid(), signal.{signal})\n")
    done = place.run("run", "--provider", "stopped:PROVIDER")
    assert done.status == 130, done.stdout + done.stderr
    assert done.stderr == "storage-conformance: interrupted; nothing was run\n"
    assert place.files() == ["stopped.py"]
    assert place.left_behind() == []
