"""Records that were written earlier: read again, or refused with the cause and the next step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import main as entry
from conformance.errors import WiringError
from conformance.report import as_html, as_json, folder, reading
from tests.kit.test_html import whole
from tests.kit.test_report import REPLAY

TEXT = as_json.text(whole(), REPLAY, "2024-05-01T12:00:00+00:00")


def changed(**changes: object) -> str:
    return json.dumps({**json.loads(TEXT), **changes})


def test_a_record_is_found_in_its_folder_and_by_its_name(tmp_path: Path) -> None:
    folder.write(tmp_path, {"report.json": TEXT})
    assert reading.read(tmp_path) == reading.read(tmp_path / "report.json") == reading.parsed(TEXT, "text")


def test_the_record_holds_all_that_was_told() -> None:
    record = reading.parsed(TEXT, "text")
    assert [each.name for each in record.operations] == ["create_volume"]
    assert [each.name for each in record.operations[0].messages][:2] == ["create_volume", "create"]
    (failed,) = (each for each in record.requirements if each.id == "EXT-001")
    assert failed.finding is not None
    assert [each.fault for each in failed.finding.messages] == ["", "the reply was lost"]
    assert record.model_dump(mode="json")["timings"] == json.loads(TEXT)["timings"]


def test_what_a_later_kit_adds_is_passed_over() -> None:
    assert reading.parsed(changed(moon="full"), "text") == reading.parsed(TEXT, "text")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON: .*; name the report.json of a run"),
        ("[" * 100_000, "is not JSON: "),
        ("[1]", "is not the record of a run: it has no schema_version and kit_version"),
        ('{"schema_version": 2}', "is not the record of a run"),
        ('{"schema_version": true, "kit_version": "1"}', "is not the record of a run"),
        (
            changed(schema_version=99, kit_version="7.0"),
            "is of schema version 99, written by kit 7.0; .* up to 2: install that kit",
        ),
        (changed(score="all"), "is damaged: score: .*; run again to have it written anew"),
        (changed(operations=[{"name": "x"}]), r"is damaged: operations\.0\.by_user: "),
    ],
)
def test_what_is_no_record_is_refused_with_the_cause(content: str, said: str) -> None:
    with pytest.raises(WiringError, match=f"a file {said}"):
        reading.parsed(content, "a file")


def test_what_is_not_there_is_refused_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(
        WiringError, match=r"cannot read .*report\.json: No such file or directory; name a report\.json"
    ):
        reading.read(tmp_path)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LARGEST", 10)
    folder.write(tmp_path, {"report.json": TEXT})
    with pytest.raises(WiringError, match="is larger than 10 bytes"):
        reading.read(tmp_path)


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_writes_the_page_beside_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write(tmp_path, {"report.json": TEXT})
    assert entry.main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == as_html.render(reading.parsed(TEXT, "text"))


def test_the_command_writes_the_page_where_it_is_told(tmp_path: Path) -> None:
    folder.write(tmp_path, {"report.json": TEXT})
    assert entry.main(["report", str(tmp_path / "report.json"), "--into", str(tmp_path / "pages")]) == 0
    assert [each.name for each in (tmp_path / "pages").iterdir()] == ["report.html"]


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["report", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"storage-conformance: cannot read {tmp_path / 'none'}: ")
    assert said.count("\n") == 1
