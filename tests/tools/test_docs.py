"""Generated pages: in step, or said not to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from conformance.report import as_catalogue
from tools import docs, record_page


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    made = {tmp_path / "docs" / "a.md": "new", tmp_path / "b.json": "new"}
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "pages", lambda: made)
    return made


def test_what_was_written_is_in_step(pages: dict[Path, str]) -> None:
    assert docs.main(["--write"]) == 0
    assert docs.main(["--check"]) == 0


def test_what_differs_is_named_with_the_command_that_mends_it(
    pages: dict[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    docs.main(["--write"])
    next(iter(pages)).write_text("old", encoding="utf-8")
    assert docs.main([]) == 1
    told = capsys.readouterr().err
    assert "docs/a.md not in step with the code: run python -m tools.docs --write" in told
    assert "b.json" not in told


def test_every_requirement_is_on_the_page_and_in_the_catalogue() -> None:
    page = docs.requirements_page(catalogue(), {"EXT-001": ["one granule short"]})
    assert [each for each in catalogue() if f"| {each} | " not in page] == []
    (row,) = (line for line in page.splitlines() if line.startswith("| EXT-001 |"))
    assert row.endswith(" 1 |")
    records = json.loads(as_catalogue.text(catalogue(), {"EXT-001": ["one granule short"]}))
    assert [each["faults"] for each in records if each["id"] == "EXT-001"] == [["one granule short"]]


def test_every_option_of_every_command_is_on_the_page() -> None:
    page = docs.command_page()
    for part in ("## storage-conformance run\n", "| `--only ID\\|AREA` |", "## storage-conformance clean\n"):
        assert part in page


def test_every_field_of_the_record_is_on_the_page() -> None:
    page = record_page.page("note")
    for part in (
        "## record\n",
        "| `ranked` | list of text | damaged |",
        "| `finding` | [finding](#finding) or null | `None` |",
    ):
        assert part in page
    assert "| `took_ms` | number or null | `None` |" in page


def test_every_method_of_the_driver_is_on_the_page() -> None:
    page = docs.contract_page()
    for part in ("### DataStoreDriver\n", "#### `delete(store: DataStore, volume: Volume) -> None`", "| `Busy` |"):
        assert part in page
