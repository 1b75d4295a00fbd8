"""Run `iscsi-test-cu`, and tell what really passed from what was skipped.

CUnit counts a skipped test as passed, so the log is read: verbose, because some tests say only there that they
skip. Each suite runs in a process of its own: CompareAndWrite/InvalidDataOutSize leaves a hook behind that puts a
wrong transfer length into every 16-byte CDB, and all later suites of one run would be judged by that.
"""

from __future__ import annotations

import re
import subprocess
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.iscsi_test_cu.targets import Running

TOOL = "iscsi-test-cu"
PATIENCE_SECONDS = 120
_SKIPPED = re.compile(r"\[SKIPPED\](?!.*(?:restrictions on this LUN|Skipping assert))")


class Verdict(StrEnum):
    """What became of a test."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


def suites() -> list[str]:
    """Name the suites of the family that has every test once."""
    listed = subprocess.run([TOOL, "-l"], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True).stdout
    return [line.removeprefix("ALL.") for line in listed.splitlines() if re.fullmatch(r"ALL\.[^.]+", line)]


def run(target: Running, suite: str) -> dict[str, Verdict]:
    """Run one suite and return the verdict on each of its tests, by `Suite.Test`."""
    first, second = target.initiators
    # Only what is about several paths is given a second one: with two, the tool uses both for everything.
    urls = target.urls if suite == "MultipathIO" else target.urls[:1]
    command = [TOOL, "-d", "-V", "-t", f"ALL.{suite}", "-i", first, "-I", second, *urls]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=PATIENCE_SECONDS, check=False
    )
    verdicts = {f"{suite}.{test}": verdict for test, verdict in parse(done.stdout)}
    if not verdicts:
        raise RuntimeError(f"{suite} has no result:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return verdicts


def parse(log: str) -> Iterator[tuple[str, Verdict]]:
    """Yield each test of a log with its verdict."""
    starts = list(re.finditer(r"^  Test: (\S+) \.\.\.", log, re.MULTILINE))
    ends = [start.start() for start in starts[1:]] + [len(log)]
    for start, end in zip(starts, ends, strict=True):
        yield start[1], _verdict(log[start.end() : end])


def _verdict(said: str) -> Verdict:
    """CUnit's word stands on a line of its own, or behind the name of the test when nothing was logged."""
    words = re.findall(r"^(passed|FAILED)", said.lstrip(" "), re.MULTILINE)
    if not words or words[0] == "FAILED":
        return Verdict.FAILED
    return Verdict.SKIPPED if _SKIPPED.search(said) else Verdict.PASSED
