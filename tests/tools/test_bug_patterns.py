"""The table of what goes wrong in reality: it names what is there, and says so where nothing is."""

from __future__ import annotations

from tools import bug_patterns, docs
from tools.bug_patterns import Pattern


def wrong(pattern: Pattern) -> list[str]:
    return list(bug_patterns.wrong({"an area": [pattern]}, {"EXT-001"}, {"EXT-001 too small", "EXT-002 too large"}))


def test_the_table_names_what_is_there() -> None:
    assert docs.wrong() == []


def test_a_pattern_without_requirement_says_why() -> None:
    assert wrong(Pattern("a", ["#1"])) == ["'a': neither a requirement nor the reason why there is none"]
    assert wrong(Pattern("a", ["#1"], note="not yet")) == []


def test_ids_are_in_the_catalogue_and_names_in_the_corpus() -> None:
    assert wrong(Pattern("a", ["#1"], ["EXT-001"], ["EXT-001 too small"])) == []
    assert wrong(Pattern("a", ["#1"], ["EXT-009"])) == ["'a': no requirement EXT-009"]
    assert wrong(Pattern("a", ["#1"], ["EXT-001"], ["EXT-001 gone"])) == ["'a': no fault 'EXT-001 gone' in the corpus"]


def test_a_fault_is_of_a_requirement_that_is_named() -> None:
    told = "'a': 'EXT-002 too large' is a fault of a requirement that is not named"
    assert wrong(Pattern("a", ["#1"], ["EXT-001"], ["EXT-002 too large"])) == [told]


def test_every_pattern_has_a_row() -> None:
    areas = bug_patterns.read()
    text = bug_patterns.page(areas, "")
    assert text.count("\n| ") == sum(len(each) + 1 for each in areas.values())
    assert "| A delete reports success and deletes nothing | [code] | DEL-001 |" in text
