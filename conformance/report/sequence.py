"""Sequence diagrams: who called whom, when, with what outcome. Narrow enough for a telephone held upright."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.report.folding import Arrow, Group, Item, Node, flat, folded
from conformance.report.svg import Picture, fitting, width_of

PARTIES: Final = ("cloud", "plugin", "array", "bridge", "hypervisor")
USER: Final = "user"
WIDTH: Final = 344.0
_LEFT, _RIGHT = 27.0, 34.0
_HEAD, _ROW, _GROUP_HEAD, _GROUP_FOOT, _LINE = 30.0, 27.0, 19.0, 6.0, 12.0
_LONG: Final = 14
_ERROR_CHARACTERS: Final = 50


@dataclass(frozen=True, slots=True)
class Diagram:
    """What is drawn. `with_times` off: the same picture however long everything took."""

    identifier: str
    title: str
    messages: Sequence[Arrow]
    with_times: bool = True


def drawn(diagram: Diagram, *, alone: bool = False) -> str:
    """The diagram as SVG; empty without messages."""
    items = folded(diagram.messages)
    if len(items) == 1 and isinstance(items[0], Node) and items[0].caller == USER:
        # The title says what the user asked for.
        items = items[0].below
    if not items:
        return ""
    picture = Picture(diagram.identifier, diagram.title, told(items))
    return _Drawing(picture, items, with_times=diagram.with_times).text(alone=alone)


def told(items: Sequence[Item]) -> str:
    """The diagram in words, for those who do not see it."""
    return "; ".join(_sentence(each) for each in items)


def _sentence(item: Item) -> str:
    if isinstance(item, Group):
        return f"{item.title}: ({told(item.below)})"
    outcome = f", which failed with {item.outcome}" if item.outcome else ""
    below = f" ({told(item.below)})" if item.below else ""
    return f"{item.caller} calls {item.callee} {item.name}{outcome}{below}"


class _Drawing:
    """Draws from top to bottom; `_y` is how far it has come."""

    def __init__(self, picture: Picture, items: Sequence[Item], *, with_times: bool) -> None:
        self._picture, self._items, self._with_times = picture, items, with_times
        nodes = list(flat(items))
        seen = {name for each in nodes for name in (each.caller, each.callee)} - {USER}
        self._parties = [*(each for each in PARTIES if each in seen), *sorted(seen.difference(PARTIES))]
        step = (WIDTH - _LEFT - _RIGHT) / max(1, len(self._parties) - 1)
        self._x = {name: _LEFT + step * place for place, name in enumerate(self._parties)}
        self._x[USER] = _LEFT
        self._is_long = len(nodes) > _LONG
        self._y = _HEAD
        self._host = ""

    def text(self, *, alone: bool) -> str:
        height = self._height(self._items) + _HEAD + 8
        for x in {self._x[each] for each in self._parties}:
            self._picture.line(x, _HEAD - 8, x, height, "life", behind=True)
        self._heads(4)
        for each in self._items:
            self._item(each, 0)
        if self._is_long:
            self._heads(self._y + 4)
            height += _HEAD - 6
        return self._picture.text(WIDTH, height + 2, alone=alone)

    def _heads(self, y: float) -> None:
        for name in self._parties:
            width = width_of(name) + 10
            left = min(max(self._x[name] - width / 2, 1), WIDTH - width - 1)
            self._picture.box(left, y, width, 18, "head")
            self._picture.words(left + width / 2, y + 12.5, name, "party", anchor="middle")

    def _height(self, items: Sequence[Item]) -> float:
        return sum(_own_height(each) + self._height(each.below) for each in items)

    def _item(self, item: Item, level: int) -> None:
        if isinstance(item, Group):
            self._group(item, level)
        elif item.caller == USER:
            self._operation(item, level)
        else:
            self._message(item, level)

    def _group(self, group: Group, level: int) -> None:
        inset, height = 3.0 * level, _own_height(group) + self._height(group.below)
        self._picture.box(1 + inset, self._y + 2, WIDTH - 2 - 2 * inset, height - 4, "group", behind=True)
        self._picture.words(7 + inset, self._y + 13, group.title, "loop")
        self._y += _GROUP_HEAD
        for each in group.below:
            self._item(each, level + 1)
        self._y += _GROUP_FOOT

    def _operation(self, node: Node, level: int) -> None:
        """What the user asked for: a heading within the diagram."""
        self._picture.box(0, self._y + 2, WIDTH, 19, "operation", behind=True)
        self._picture.words(6, self._y + 15, node.name, "asked", fitting(node.about, 150))
        self._y += _ROW - 2
        self._inside(node, level, None)

    def _message(self, node: Node, level: int) -> None:
        start, end = self._x[node.caller], self._x[node.callee]
        kind = "call failed" if node.outcome else "call"
        self._label(node, (start + end) / 2)
        self._y += _ROW
        offset = 3 if end > start else -3
        self._picture.arrow(start + offset, self._y - 7, end - offset, kind)
        self._inside(node, level, end)

    def _inside(self, node: Node, level: int, x: float | None) -> None:
        top = self._y - 9
        for each in node.below:
            self._item(each, level)
        if x is not None:
            self._picture.box(x - 2.5, top, 5, self._y - top - (2 if node.below else 1), "busy", behind=True)
        for line in _marks(node):
            self._y += _LINE
            self._picture.words(8, self._y - 2, line, "failure")
        self._y += 5 if node.outcome or node.fault else 0

    def _label(self, node: Node, middle: float) -> None:
        more = " ".join(filter(None, (node.about, self._new_host(node), self._took(node))))
        name = fitting(node.name, WIDTH - 8)
        more = fitting(more, WIDTH - 12 - width_of(name)) if width_of(name) < WIDTH - 60 else ""
        kind = "label failed" if node.outcome else "label"
        x, anchor = _placed(middle, width_of(f"{name} {more}") / 2)
        self._picture.words(x, self._y + 15, name, kind, more, anchor=anchor)

    def _new_host(self, node: Node) -> str:
        """The host, where it is another than in the message before."""
        known, self._host = self._host, node.host or self._host
        return f"@ {node.host}" if node.host not in {"", known} else ""

    def _took(self, node: Node) -> str:
        if not self._with_times or node.took_ms is None:
            return ""
        return milliseconds(node.took_ms)


def _placed(middle: float, half: float) -> tuple[float, str]:
    """Over the arrow, but never beyond an edge, however wide the reader's letters are."""
    if middle - half < 4:
        return 4, "start"
    return (WIDTH - 4, "end") if middle + half > WIDTH - 4 else (middle, "middle")


def milliseconds(value: float) -> str:
    """A time as people read it."""
    if value < 0.1:
        return "<0.1 ms"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def _own_height(item: Item) -> float:
    if isinstance(item, Group):
        return _GROUP_HEAD + _GROUP_FOOT
    marks = len(list(_marks(item)))
    own = _ROW - 2 if item.caller == USER else _ROW
    return own + (marks * _LINE + 5 if marks else 0)


def _marks(node: Node) -> Iterator[str]:
    """What went wrong, in lines that fit."""
    if node.fault:
        yield from textwrap.wrap(f"↯ injected here: {node.fault}", _ERROR_CHARACTERS)
    if node.outcome:
        yield from textwrap.wrap(f"✕ {node.outcome}", _ERROR_CHARACTERS)[:4]
