"""The pytest plugin, in processes of its own."""

from __future__ import annotations

import os
from importlib import metadata

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
        ["REG-003 MUST: *", "   Expected *", "   Replay    storage-conformance run *", "1. REG-*"]
    )
    done.stdout.no_fnmatch_line("*Traceback*")


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
