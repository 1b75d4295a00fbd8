"""The pytest plugin, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.kit.fakes import ENVIRONMENT

pytestmark = pytest.mark.slow

FINE = "reference_providers.solidfire:PROVIDER"


@pytest.fixture
def installed() -> list[str]:
    """Where the distribution is installed, pytest finds the plugin by itself."""
    found = {each.value for each in metadata.entry_points(group="pytest11")}
    return [] if "conformance.plugin" in found else ["-p", "conformance.plugin"]


@pytest.fixture
def tried(pytester: pytest.Pytester, installed: list[str], monkeypatch: pytest.MonkeyPatch) -> Tried:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    pytester.makefile(".toml", fake=ENVIRONMENT)
    return Tried(pytester, installed)


class Tried:
    """Runs pytest on the requirements of area REG."""

    def __init__(self, pytester: pytest.Pytester, options: list[str]) -> None:
        self._pytester, self._options = pytester, [*options, "-p", "no:cacheprovider", "-k", "REG"]

    def __call__(self, *words: str) -> pytest.RunResult:
        return self._pytester.runpytest_subprocess(*self._options, "--pyargs", "conformance.properties", *words)

    def on(self, provider: str, *words: str) -> pytest.RunResult:
        given = ("--conformance-provider", provider, "--conformance-environment", "fake.toml")
        return self(*given, "--conformance-profile", "smoke", *words)


def test_without_a_provider_nothing_is_collected_and_it_says_how(tried: Tried) -> None:
    done = tried()
    assert done.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    done.stdout.fnmatch_lines(["storage-conformance: --conformance-provider module:attribute names the plugin*"])


def test_a_plugin_that_conforms_passes_and_the_header_says_what_was_tried(tried: Tried) -> None:
    done = tried.on(FINE, "--conformance-seed", "7")
    done.assert_outcomes(passed=4)
    done.stdout.fnmatch_lines(
        [
            f"storage-conformance *: {FINE}, profile smoke, seed 7",
            "  solidfire *, contract *, hookup framework",
            "  capabilities: *resize*",
            "4 of 4 requirements passed:*",
        ]
    )


def test_a_failure_is_told_in_our_words_without_a_traceback(tried: Tried) -> None:
    done = tried.on("tests.kit.fakes:inconstant")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(
        [
            "REG-003 MUST: *",
            "   Expected *",
            "   Replay    storage-conformance replay conformance-report/counterexamples/REG-003.json",
            "             or anew: storage-conformance run *",
            "1. REG-*",
        ]
    )
    done.stdout.no_fnmatch_line("*Traceback*")


def files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_the_same_files_are_left_as_by_a_run(pytester: pytest.Pytester, tried: Tried, words: tuple[str, ...]) -> None:
    done = tried.on("tests.kit.fakes:inconstant", "--conformance-report", "by-pytest", *words)
    places = "by-pytest/report.json, by-pytest/junit.xml, by-pytest/counterexamples/, by-pytest/report.html"
    done.stdout.fnmatch_lines([f"Reports: {places}"])
    asked = ["--provider", "tests.kit.fakes:inconstant", "--environment", "fake.toml", "--profile", "smoke"]
    command = [sys.executable, "-m", "storage_conformance"]
    pytester.run(*command, "run", *asked, "--only", "REG", "--report", "by-run", "--workers", "1")
    assert files(pytester.path / "by-pytest") == files(pytester.path / "by-run")
    records = [json.loads((pytester.path / each / "report.json").read_bytes()) for each in ("by-pytest", "by-run")]
    for record in records:
        for each in ("started", "seconds", "timings"):
            assert record.pop(each) or each == "timings"
        for one in record["requirements"]:
            del one["seconds"]
    told = [json.dumps(each).replace("by-run/", "by-pytest/") for each in records]
    assert without_chance(told[0]) == without_chance(told[1])


def without_chance(text: str) -> str:
    """Without addresses in memory, and without the number that counts the fake's instances in a process."""
    return re.sub(r"(0x|name_length |name_length to be )[0-9a-f]+", r"\1", text)


def test_every_replay_that_a_failure_names_can_be_made(pytester: pytest.Pytester, tried: Tried) -> None:
    done = tried.on("tests.kit.fakes:inconstant")
    told = {each.split("   Replay")[1].strip() for each in done.outlines if each.startswith("   Replay")}
    assert told
    for each in told:
        name, *words = shlex.split(each)
        assert name == "storage-conformance"
        again = pytester.run(sys.executable, "-m", "storage_conformance", *words)
        assert again.ret == 1, again.outlines


def test_what_an_earlier_session_left_does_not_stay(pytester: pytest.Pytester, tried: Tried) -> None:
    tried.on("tests.kit.fakes:inconstant")
    assert (pytester.path / "conformance-report" / "counterexamples").exists()
    tried.on(FINE)
    assert files(pytester.path / "conformance-report") == ["junit.xml", "report.html", "report.json"]


def test_a_folder_that_cannot_be_written_is_an_error_of_use(pytester: pytest.Pytester, tried: Tried) -> None:
    (pytester.path / "taken").write_text("", encoding="utf-8")
    done = tried.on(FINE, "--conformance-report", "taken")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*cannot write reports to taken: *"])


@pytest.mark.parametrize("words", [(), ("-n", "1")])
def test_a_session_that_ends_early_counts_what_it_did_not_try(
    pytester: pytest.Pytester, tried: Tried, words: tuple[str, ...]
) -> None:
    pytester.makeconftest(
        """
        def pytest_runtest_logreport(report):
            if report.when == "call":
                raise KeyboardInterrupt
        """
    )
    done = tried.on(FINE, *words, "-p", "conftest")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    record = json.loads((pytester.path / "conformance-report" / "report.json").read_bytes())
    assert (record["was_interrupted"], record["chosen"], record["exit_status"]) == (True, 4, 130)
    assert record["score"]["of"] == 4
    told = f"Interrupted: {record['not_tried']} of 4 chosen requirements were not tried, and count as not passed."
    assert record["not_tried"] > 0
    done.stdout.fnmatch_lines([told])


def test_workers_send_their_outcomes_home(tried: Tried) -> None:
    done = tried.on("tests.kit.fakes:inconstant", "-n", "2")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["* of 4 requirements passed: solidfire *", "1. REG-*"])


def test_a_finding_met_by_a_passing_requirement_turns_the_run_red(tried: Tried) -> None:
    done = tried.on("tests.kit.fakes:fails_to_close", "-k", "REG-002")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["1. OPS-005 MUST: *", "*met while REG-002 was tried"])
    assert done.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("nowhere:P", "ERROR: storage-conformance: provider nowhere:P: no module nowhere*"),
        ("tests.kit.fakes:wrong_in_two_ways", "*driver.fence is (store); expected (store, target, hosts)"),
    ],
)
def test_a_wrong_use_is_an_error_of_use(tried: Tried, provider: str, told: str) -> None:
    done = tried.on(provider)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([told])


def test_other_tests_are_left_alone(pytester: pytest.Pytester, installed: list[str], tried: Tried) -> None:
    pytester.makepyfile("def test_fine(): pass\ntest_fine.requirement = 'of somebody else'")
    done = pytester.runpytest_subprocess(*installed, "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("*storage-conformance:*")


def test_a_known_failure_is_waived_and_what_passes_may_not_be(pytester: pytest.Pytester, tried: Tried) -> None:
    entry = '[[waiver]]\nreason = "ACME-1"\nids = ["REG-003"]\nowner = "jane"\nuntil = 2999-01-01\n'
    pytester.makefile(".toml", waivers=entry)
    words = ("--conformance-waivers", "waivers.toml")
    done = tried.on("tests.kit.fakes:inconstant", *words, "-rs")
    done.assert_outcomes(passed=3, skipped=1)
    done.stdout.fnmatch_lines(["  waivers: 1", "*REG-003 WAIVED: ACME-1; owner jane; until 2999-01-01"])
    done.stdout.fnmatch_lines(["3 of 4 requirements passed (1 waived)*"])
    stale = tried.on(FINE, *words)
    stale.assert_outcomes(passed=3, failed=1)
    stale.stdout.fnmatch_lines(["*it passes now: take it out of the waivers*"])
