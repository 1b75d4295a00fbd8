"""What an engineer reads whose plugin has a fault: golden texts of faults of the corpus, read and found good.

In memory, with all the time it takes to shrink, so that the same text comes out on every machine; what belongs to one
world only is numbered in the order in which it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from conformance.asked import Asked
from conformance.catalogue import catalogue, foundations, from_the_ground
from conformance.report import as_text
from conformance.report.as_counterexample import replay_of
from conformance.session import run_session
from conformance.verdict import Finding
from tests.faulty_providers.corpus import all_faults
from tests.kit.chain import QUICK, running
from tests.kit.snapshot import expect_snapshot

REQUIREMENTS = catalogue()
FAULTS = {each.name: each for each in all_faults()}
PATIENT = replace(QUICK, shrink_seconds=600.0)
CHOSEN: Final = {
    "size": "EXT-001 a granule short",
    "repeat": "PRV-002 a repeated create makes another volume",
    "access": "ACC-004 a revoke does nothing",
    "path": "ACC-014 tells the paths of other volumes as well",
    "chap": "CHP-003 all hosts have one secret",
    "delete": "DEL-001 a delete does nothing",
    "lost-reply": "FLT-006 a resize broken off is in progress for ever",
    "host": "HST-003 removing a host that was granted something fails",
    "leak": "LEK-001 accounts stay",
    "hang": "OPS-001 asking what is used never ends",
    "exit": "OPS-003 ends the process",
    "sequence": "OPS-010 a volume with a host and QoS of its own is not listed",
    "declaration": "REG-004 a call may take a minute",
    "secret": "SEC-001 logs the password",
    "qos": "QOS-002 setting QoS does nothing",
}
_WORLDS: Final = (
    ("uuid", re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("world", re.compile(r"[0-9a-f]{8}-\d+(?=-(?:volume|h1))")),
    ("hex", re.compile(r"\b[0-9a-f]{16,}\b")),
    ("array", re.compile(r"(?<=memory://)m\d+")),
    ("cluster", re.compile(r'(?<=solidfire:)[a-z0-9]{4}(?=\.)|(?<="uniqueID": ")[a-z0-9]{4}|(?<=array-)[a-z0-9]{4}\b')),
    # Hypothesis draws some numbers from modules that happen to be loaded; what fails is shrunk to the same anyway.
    ("digest", re.compile(r'(?<=digest = ")[0-9a-f]{12}')),
)
# Not numbered: whether two things happen within one second is chance.
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z")


def of_any_world(text: str) -> str:
    """The text with what differs from world to world numbered: the same thing has the same number."""
    for kind, pattern in _WORLDS:
        text = pattern.sub(_numbered(kind), text)
    return _TIME.sub("<time>", text)


def _numbered(kind: str) -> Callable[[re.Match[str]], str]:
    known: dict[str, str] = {}
    return lambda found: known.setdefault(found[0], f"<{kind} {len(known) + 1}>")


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_the_text_is_the_one_that_was_found_good(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_text, "kit_version", lambda: "9.9")
    fault = FAULTS[CHOSEN[name]]
    chosen = {fault.requirement, *foundations(fault.requirement, REQUIREMENTS)}
    with running(fault, fault.base) as subject:
        subject.profile, subject.tag = PATIENT, "0123abcd"
        order = from_the_ground([REQUIREMENTS[each] for each in chosen], REQUIREMENTS)
        result = run_session(subject, order, REQUIREMENTS, today=date(2024, 5, 1))
    asked = Asked("acme:PROVIDER", profile="smoke")
    tell: Callable[[Finding], str] = replay_of(Path("conformance-report"), asked)
    text = as_text.summary(replace(result, seconds=1.0), tell)
    expect_snapshot(f"failures/{name}", of_any_world(text))


def test_what_is_the_same_has_the_same_number() -> None:
    one, other = "c02c4959-3fc6-4001-8c91-526931cde6c1", "3f11c026-7845-4001-8025-0486cbcf2293"
    text = f"{one} {other} {one} sc-6338fb0b-9-volume 2026-11-23T00:56:28Z memory://m11/x"
    numbered = "<uuid 1> <uuid 2> <uuid 1> sc-<world 1>-volume <time> memory://<array 1>/x"
    assert of_any_world(text) == numbered
    assert of_any_world('digest = "0ea202b56927"') == 'digest = "<digest 1>"'
