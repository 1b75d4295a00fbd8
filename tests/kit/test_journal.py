"""The journal of what a run makes on something real."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

from conformance.journal import Journal, leftovers


def test_what_is_not_known_to_be_gone_is_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    for uuid in ("a", "b", "c"):
        journal.intend("volume", uuid, {"name": f"sc-{uuid}"})
    journal.gone("b")
    journal.close()
    assert [each["made"] for each in leftovers(path)] == ["c", "a"]


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with closing(Journal(path)) as journal:
        journal.intend("volume", "a", {})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"made": "b", "ki')
    assert [each["made"] for each in leftovers(path)] == ["a"]


def test_it_is_on_disk_before_the_call_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    journal = Journal(path)
    journal.intend("volume", "a", {})
    assert path.read_text(encoding="utf-8").endswith("\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal.close()


def test_an_empty_account_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.intend("volume", "a", {})
    journal.gone("a")
    journal.close()
    assert not path.exists()


def test_no_path_keeps_nothing() -> None:
    journal = Journal(None)
    journal.intend("volume", "a", {})
    journal.close()
