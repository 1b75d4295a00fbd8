"""The command: what it prints, what it leaves, and its exit status."""

from __future__ import annotations

import importlib.metadata
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conformance import main as entry
from conformance.cli import interrupt, listing
from conformance.environments.file import read_environment
from tests.architecture.tree import ROOT
from tests.kit.fakes import ENVIRONMENT, RUNNING

FINE = "reference_providers.solidfire:PROVIDER"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def fake(tmp_path: Path) -> str:
    """An environment file beside the folder that is looked at."""
    file = tmp_path.parent / f"{tmp_path.name}.toml"
    file.write_text(ENVIRONMENT, encoding="utf-8")
    return str(file)


def here() -> list[str]:
    return sorted(each.name for each in Path().iterdir())


def command(*words: str) -> int:
    return entry.main(words)


def run(*words: str) -> int:
    return command("run", "--provider", FINE, "--profile", "smoke", *words)


# --- a run -----------------------------------------------------------------------------------------------------------


def test_a_run_prints_lines_and_the_score_and_writes_reports(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--environment", fake, "--only", "REG") == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].split()[:3] == ["[1/4]", "PASSED", "REG-001"]
    assert "\n4 of 4 requirements passed: solidfire " in told
    assert told.endswith(
        "Reports: conformance-report/report.json, conformance-report/junit.xml, conformance-report/report.html\n"
    )
    record = json.loads(Path("conformance-report/report.json").read_text(encoding="utf-8"))
    assert [each["id"] for each in record["requirements"]] == ["REG-001", "REG-002", "REG-003", "REG-004"]
    assert here() == ["conformance-report"]


def test_findings_are_exit_status_1_and_say_how_to_replay_them(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("run", "--provider", "tests.kit.fakes:inconstant", "--environment", fake, "--only", "REG-003")
    assert command(*words) == 1
    told = capsys.readouterr().out
    assert "1. REG-003 MUST: " in told
    assert (
        f"--provider tests.kit.fakes:inconstant --environment {fake} --only REG-003 --profile certify-0.1 --seed 0"
        in told
    )


def test_a_known_failure_is_waived_and_leaves_no_counterexample(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    waivers = Path(fake).with_suffix(".waivers")
    entry = '[[waiver]]\nreason = "ACME-1"\nids = ["REG-003"]\nowner = "jane"\nuntil = 2999-01-01\n'
    words = ("run", "--provider", "tests.kit.fakes:inconstant", "--environment", fake, "--only", "REG")
    assert command(*words) == 1
    assert "[[waiver]]" in capsys.readouterr().out
    assert sorted(each.name for each in Path("conformance-report/counterexamples").iterdir()) == [
        "REG-003.json",
        "REG-003.py",
    ]
    waivers.write_text(entry, encoding="utf-8")
    assert command(*words, "--waivers", str(waivers)) == 0
    told = capsys.readouterr().out
    assert "3 of 4 requirements passed (1 waived)" in told
    assert "REG-003 MUST: ACME-1; owner jane; until 2999-01-01" in told
    assert not Path("conformance-report/counterexamples").exists()
    waivers.write_text(entry.replace("REG-003", "REG-001"), encoding="utf-8")
    assert command(*words, "--waivers", str(waivers)) == 1
    assert "REG-001 MUST: it passes now: take it out of the waivers" in capsys.readouterr().out


def test_the_order_is_that_of_the_seed(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    orders = []
    for seed in ("1", "1", "5"):
        run("--environment", fake, "--only", "REG", "--order", "random", "--seed", seed, "--workers", "1")
        orders.append([line.split()[2] for line in capsys.readouterr().out.splitlines()[:4]])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == ["REG-001", "REG-002", "REG-003", "REG-004"]


def test_a_random_profile_tells_the_seed_it_drew(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "--provider", FINE, "--environment", fake, "--only", "REG-001", "--profile", "soak") == 0
    assert "profile soak, seed 0," not in capsys.readouterr().out


def test_ctrl_c_reports_what_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.toml").write_text('[array]\nlaunch = "tests.kit.fakes:stopped_by_hand"\n', encoding="utf-8")
    assert run("--environment", "e.toml", "--only", "REG") == 130
    told = "Interrupted: 4 of 4 chosen requirements were not tried, and count as not passed."
    assert told in capsys.readouterr().out
    folder = Path("conformance-report")
    assert told in (folder / "report.html").read_text(encoding="utf-8")
    assert told in (folder / "junit.xml").read_text(encoding="utf-8")
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert list(record)[2:5] == ["was_interrupted", "not_tried", "chosen"]
    assert (record["was_interrupted"], record["not_tried"], record["chosen"]) == (True, 4, 4)
    assert (record["exit_status"], record["score"]) == (130, {"passed": 0, "of": 4})


def test_ctrl_c_again_does_not_disturb_the_cleaning_up(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupt.stoppable():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert "cleaning up; once more leaves at once" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


# --- bad input -------------------------------------------------------------------------------------------------------

EXTERNAL = """
[array]
kind = "external"
url = "https://127.0.0.1:9/api"
username = "admin"
password = { env = "SURELY_NOT_SET" }
[safety]
prefix = "sc-"
allowed_hosts = []
allowed_pools = []
max_luns = 1
max_bytes = "1TiB"
consent = "a test"
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--provider", "nowhere:P"], "no module nowhere"),
        (["--provider", "json:nothing"], "has no attribute nothing"),
        (["--provider", "json:__name__"], "is str; expected a factory without arguments"),
        (["--provider", "solidfir"], "no provider named 'solidfir' is installed"),
        (["--provider", ""], "no plugin was named; give --provider module:attribute"),
        (["--provider", "json:loads"], "the factory json:loads raised TypeError"),
        (["--profile", "quick"], "no profile quick; there are smoke, certify, certify-0.1, soak"),
        (["--only", "EXT-999", "--only", "XYZ"], "no requirement or area EXT-999, XYZ"),
        (["--parameter", "hunter2"], "--parameter is not of the form NAME=VALUE"),
        (["--parameter", "token=env:SURELY_NOT_SET"], "variable SURELY_NOT_SET is not set"),
        (["--parameter", "colour=red"], "has no parameter colour; it has "),
        (["--parameter", "password=hunter2"], "parameter password is a secret and not to be typed"),
        (["--environment", "nowhere.toml"], "cannot read environment file nowhere.toml: No such file"),
        (["--waivers", "nowhere.toml"], "cannot read waivers nowhere.toml: No such file"),
        (["--report", "/dev/null/x"], "cannot write reports to /dev/null/x: Not a directory"),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_nothing(
    words: list[str], told: str, fake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--environment", fake, "--only", "REG-001", *words) == 2
    expect_one_line(told, capsys)
    assert here() == []


def expect_one_line(told: str, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("storage-conformance: ")
    assert told in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ENVIRONMENT + "[[clusters]]\n", "unknown key clusters"),
        ("array =", "is no TOML"),
        ('[array]\nlaunch = "nowhere"\n', "expected module:attribute"),
        ('[array]\nlaunch = "tests.kit.fakes:failing"\n', "array has no power; plug it in"),
        (EXTERNAL, "variable SURELY_NOT_SET is not set"),
        (EXTERNAL.replace('{ env = "SURELY_NOT_SET" }', '"hunter2"'), "password"),
        (EXTERNAL.replace('env = "SURELY_NOT_SET"', 'file = "/nowhere"'), "cannot read the secret file /nowhere"),
        (EXTERNAL.replace("https:", "gopher:").replace("SURELY_NOT_SET", "HOME"), "is no http or https URL"),
        (EXTERNAL.replace("SURELY_NOT_SET", "HOME"), "nobody answers at the array: 127.0.0.1:9"),
        (EXTERNAL.partition("[safety]")[0], "no [safety] table"),
    ],
)
def test_a_wrong_environment_file_is_one_line(
    content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lab.toml").write_text(content, encoding="utf-8")
    assert run("--environment", "lab.toml", "--only", "REG-001") == 2
    expect_one_line(told, capsys)
    assert here() == ["lab.toml"]


def test_all_signature_mismatches_are_told_at_once(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "--provider", "tests.kit.fakes:wrong_in_two_ways", "--environment", fake) == 2
    lines = capsys.readouterr().err.splitlines()
    assert ["driver.delete" in lines[0], "driver.fence" in lines[1], "cannot be registered" in lines[2]] == [True] * 3


def test_an_option_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--colour") == 2
    assert "No such option: --colour" in capsys.readouterr().err


def test_what_an_earlier_run_left_has_to_be_removed_first(fake: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("j.jsonl").write_text('{"made": "u", "kind": "store", "name": "n"}\n', encoding="utf-8")
    assert run("--environment", fake, "--journal", "j.jsonl") == 2
    expect_one_line(f"storage-conformance clean --provider {FINE} --environment {fake} --journal j.jsonl", capsys)


@pytest.mark.parametrize(("words", "traceback"), [([], False), (["--verbose"], True)])
def test_a_bug_in_the_kit_says_whose_it_is(
    words: list[str], traceback: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(listing, "catalogue", lambda: 1 // 0)
    assert command(*words, "list") == 2
    told = capsys.readouterr().err
    assert told.startswith("storage-conformance: this is a bug in the kit: ZeroDivisionError")
    assert ("Traceback" in told) is traceback


# --- whose packages these are ----------------------------------------------------------------------------------------


def started(*options: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path[:0] = {[str(each) for each in (path, ROOT) if each]!r}\n"
    program += "from conformance.main import main; sys.exit(main(['list']))"
    return subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT.parent
    )


def test_a_folder_that_shadows_a_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "simulators").mkdir()
    (tmp_path / "simulators" / "__init__.py").touch()
    done = started(path=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"the package simulators is {tmp_path / 'simulators'}, expected {ROOT / 'simulators'}" in line


def test_a_package_that_was_overwritten_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["conformance"], "__doc__", "Something else.")
    assert "overwritten by another distribution" in entry.shadowed()


def test_a_missing_extra_is_named_with_the_command_that_gets_it() -> None:
    """-S leaves out site-packages."""
    done = started("-S")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "typer not installed" in line
    assert "pip install 'storage-conformance[kit,simulators]'" in line


# --- list, explain ---------------------------------------------------------------------------------------------------


def test_list_prints_one_line_for_each_requirement(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list", "--area", "reg") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["REG-001", "MUST", "provider"]
    assert {line[:3] for line in lines} == {"REG"}


def test_list_as_json_has_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list", "--json") == 0
    records = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(records["EXT-001"]) == {
        "id", "strength", "area", "subject", "sentence", "needs", "rests_on", "faults", "not_testable",
    }  # fmt: skip
    assert records["EXT-001"]["needs"] == ["capability resize", "a witness that shows size"]


def test_explain_shows_the_property_and_what_is_around_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("explain", "ext-001") == 0
    told = capsys.readouterr().out
    for part in ("EXT-001 MUST: ", "  rests on   PRV-001", "EXT-002", "def test_ext_001_", "--only EXT-001"):
        assert part in told


def test_explain_knows_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("explain", "ext-01") == 2
    expect_one_line("no requirement EXT-01; did you mean EXT-0", capsys)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("run", "--help") == 0
    assert "\n    storage-conformance run --provider minimal --profile smoke\n" in capsys.readouterr().out
    assert command("--version") == 0
    assert capsys.readouterr().out.startswith("storage-conformance ")


# --- simulate, doctor ------------------------------------------------------------------------------------------------


class _Entry:
    name, value = "fake", "tests.kit.fakes:simulator"


def test_a_simulator_runs_until_ctrl_c_and_tells_how_to_use_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(_event: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [_Entry()])
    monkeypatch.setattr(threading.Event, "wait", pressed)
    assert command("simulate", "fake") == 0
    told = capsys.readouterr().out
    assert "https://127.0.0.1:8443/api" in told
    assert told.endswith("stopped; what was on it is gone\n")
    assert RUNNING.is_closed
    snippet = told[told.index("[array]") : told.index("Ctrl-C")]
    Path("lab.toml").write_text(snippet, encoding="utf-8")
    assert read_environment(Path("lab.toml")).is_real


def test_a_simulator_that_is_not_installed_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("simulate", "tape") == 2
    expect_one_line("no simulator named 'tape' is installed", capsys)


@pytest.mark.parametrize(("launch", "status", "told"), [("array", 0, "is possible"), ("failing", 2, "plug it in")])
def test_the_doctor_says_whether_a_run_is_possible(
    launch: str, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    probe = '[probe]\nlaunch = "tests.kit.fakes:unavailable"\n'
    Path("lab.toml").write_text(f'[array]\nlaunch = "tests.kit.fakes:{launch}"\n{probe}', encoding="utf-8")
    assert command("doctor", "--environment", "lab.toml") == status
    assert told in capsys.readouterr().out
