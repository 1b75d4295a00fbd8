"""The little of SVG that our pictures need. Text is escaped by construction; colours are classes of `picture.css`."""

from __future__ import annotations

from importlib import resources
from typing import Final
from xml.etree import ElementTree

from conformance.report.plain import plain

_CHARACTER: Final = 6.5
"""Average width of a character of the labels, in user units; what is laid out by it has room to spare."""


def width_of(text: str) -> float:
    """About how wide a label is."""
    return len(text) * _CHARACTER


def fitting(text: str, room: float) -> str:
    """The text, cut to about this width."""
    most = int(room / _CHARACTER)
    return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"


class Picture:
    """A drawing that tells what it shows. `identifier` is unique on its page."""

    def __init__(self, identifier: str, title: str, told: str) -> None:
        names = f"{identifier}-title {identifier}-desc"
        self.root = ElementTree.Element("svg", {"class": "picture", "role": "img", "aria-labelledby": names})
        self._front = self._back = self.root
        self.add("title", {"id": f"{identifier}-title"}, title)
        self.add("desc", {"id": f"{identifier}-desc"}, told)
        self._back, self._front = (ElementTree.SubElement(self.root, "g") for _ in range(2))

    def add(self, tag: str, attributes: dict[str, str], text: str = "", *, behind: bool = False) -> ElementTree.Element:
        """One element; `behind` everything that is not."""
        element = ElementTree.SubElement(self._back if behind else self._front, tag, attributes)
        element.text = plain(text) or None
        return element

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str, *, behind: bool = False) -> None:
        """A line."""
        ends = {"x1": number(x1), "y1": number(y1), "x2": number(x2), "y2": number(y2)}
        self.add("line", {**ends, "class": kind}, behind=behind)

    def arrow(self, x1: float, y: float, x2: float, kind: str) -> None:
        """A horizontal arrow."""
        self.line(x1, y, x2, y, kind)
        back = -5 if x2 > x1 else 5
        self.add("path", {"d": f"M{number(x2)} {number(y)}l{back}-3v6z", "class": f"{kind} tip"})

    def box(self, x: float, y: float, width: float, height: float, kind: str, *, behind: bool = False) -> None:
        """A rectangle."""
        size = {"x": number(x), "y": number(y), "width": number(width), "height": number(height)}
        self.add("rect", {**size, "rx": "3", "class": kind}, behind=behind)

    def words(self, x: float, y: float, text: str, kind: str, more: str = "", anchor: str = "start") -> None:
        """A line of text; `more` is less important."""
        element = self.add("text", {"x": number(x), "y": number(y), "class": kind, "text-anchor": anchor}, text)
        if more:
            span = ElementTree.SubElement(element, "tspan", {"class": "more"})
            span.text = plain(f" {more}")

    def text(self, width: float, height: float, *, alone: bool = False) -> str:
        """The picture; `alone` in a file of its own it brings its colours along."""
        self.root.set("viewBox", f"0 0 {number(width)} {number(height)}")
        self.root.set("width", number(width))
        self.root.set("height", number(height))
        if alone:
            self.root.set("xmlns", "http://www.w3.org/2000/svg")
            style = ElementTree.Element("style")
            style.text = colours()
            self.root.insert(2, style)
            # A page may be dark where the reader's other windows are light.
            self.root.insert(3, ElementTree.Element("rect", {"width": "100%", "height": "100%", "class": "paper"}))
        return ElementTree.tostring(self.root, encoding="unicode")


def colours() -> str:
    """The style sheet of all pictures."""
    return resources.files("conformance.report").joinpath("templates", "picture.css").read_text(encoding="utf-8")


def number(value: float) -> str:
    """Short and always the same."""
    return f"{value:.1f}".removesuffix(".0")
