"""The pictures in the docs: every operation is in them, and they are the same every time."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from conformance.orchestrator.orchestrator import REVIVE
from tools import diagrams, tour

pytest.importorskip("libvirt")


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    return diagrams.pages(Path("docs"), "note")


def test_every_user_operation_of_the_cloud_is_shown(pages: dict[Path, str]) -> None:
    page = pages[Path("docs/when-is-each-method-called.md")]
    assert [each for each in REVIVE if f"\n## {each}\n" not in page] == []
    assert "| `DataStoreDriver.create` | [create_volume](#create_volume) |" in page


def test_every_picture_on_the_page_is_there_and_is_svg(pages: dict[Path, str]) -> None:
    page = pages[Path("docs/when-is-each-method-called.md")]
    named = {Path("docs") / line.split("](")[1][:-1] for line in page.splitlines() if line.startswith("![")}
    drawn = {path: text for path, text in pages.items() if path.suffix == ".svg"}
    assert named == drawn.keys()
    assert {ElementTree.fromstring(text).tag for text in drawn.values()} == {"{http://www.w3.org/2000/svg}svg"}


def test_pictures_are_the_same_every_time(pages: dict[Path, str]) -> None:
    assert diagrams.pages(Path("docs"), "note") == pages


def test_who_calls_the_bridge_is_seen(pages: dict[Path, str]) -> None:
    def described(variant: str) -> str:
        root = ElementTree.fromstring(pages[Path("docs/diagrams") / variant / "create_volume.svg"])
        return root.findtext("{http://www.w3.org/2000/svg}desc") or ""

    assert "cloud calls bridge create_datastore" in described("framework")
    assert "plugin calls bridge create_datastore" in described("plugin")
    assert "bridge" not in described("direct")


def test_an_operation_that_is_missing_is_named_with_the_place_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    short = {name: take for name, take in tour.TOUR.items() if name != "set_qos"}
    monkeypatch.setattr(tour, "TOUR", short)
    with pytest.raises(LookupError, match=r"tools/tour\.py: TOUR has no line for set_qos"):
        tour.taken(tour.VARIANTS[0])
