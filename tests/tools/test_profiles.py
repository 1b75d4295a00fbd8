from __future__ import annotations

from pathlib import Path

import pytest

from conformance.standard import newest
from tools.profiles import as_text, cut, frozen, main, page, problems

IDS = ["AAA-001", "AAA-002"]


def folder(tmp_path: Path, *versions: str) -> Path:
    for each in versions:
        made = newest().model_copy(update={"name": f"certify-{each}", "requirements": frozenset({"AAA-001"})})
        (tmp_path / f"certify-{each}.json").write_text(as_text(made), encoding="utf-8")
    return tmp_path


def test_a_cut_takes_the_catalogue_and_what_people_decided(tmp_path: Path) -> None:
    path = cut("0.10", folder(tmp_path, "0.9"), IDS, "")
    assert path.name == "certify-0.10.json"
    made = frozen(tmp_path)
    assert list(made) == ["certify-0.9", "certify-0.10"]
    assert made["certify-0.10"].requirements == frozenset(IDS)
    assert made["certify-0.10"].ceilings == newest().ceilings


def test_before_its_release_a_version_is_cut_again(tmp_path: Path) -> None:
    cut("0.9", folder(tmp_path, "0.9"), IDS, "# Changelog\n\n## 0.8.0 (2026-01-01)\n")
    assert frozen(tmp_path)["certify-0.9"].requirements == frozenset(IDS)


@pytest.mark.parametrize(
    ("version", "told"),
    [("0.9", "certify-0.9 is released, and certificates name it"), ("0.8", "expected a version after certify-0.9")],
)
def test_what_is_released_stays(version: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=told):
        cut(version, folder(tmp_path, "0.9"), IDS, "# Changelog\n\n## 0.9.0 (2026-01-01)\n")


def test_an_id_that_is_gone_is_named(tmp_path: Path) -> None:
    made = frozen(folder(tmp_path, "0.9"))
    later = made["certify-0.9"].model_copy(update={"requirements": frozenset({"AAA-002"})})
    assert list(problems(made, IDS)) == []
    assert list(problems(made, ["AAA-002"])) == ["certify-0.9 has AAA-001, which the catalogue no longer has"]
    assert list(problems({**made, "certify-1.0": later}, IDS)) == ["certify-1.0 lacks AAA-001 of the version before"]


def test_the_command_checks_what_is_frozen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [["--cut", "next"], ["--cut", "0.0"]])
def test_a_wrong_version_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = main(words)
    except SystemExit as done:
        status = done.code
    assert status == 2
    assert "expected a version" in capsys.readouterr().err


def test_vendors_are_told_what_counts_and_what_is_new(tmp_path: Path) -> None:
    told = page(frozen(folder(tmp_path, "0.9", "0.10")), IDS, "a note")
    assert told.index("## certify-0.10") < told.index("## certify-0.9")
    for part in (
        "| Requirements that count | 1 |",
        "| New since | AAA-002 |",
        "`trash_seconds` 604800",
    ):
        assert part in told
