"""What happens again and again in a sequence of messages, told once: `for each of 3 hosts`, `4 times`.

A pure function of the messages. Folding never hides a failure: messages with another outcome are another shape.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

_LONGEST_PERIOD: Final = 32
_LONGEST_WINDOW: Final = 160
_FRAME: Final = 0.8
"""What a frame costs, in arrows."""


class Arrow(Protocol):
    """What a message must tell; `MessageRecord` and `Message` do."""

    @property
    def caller(self) -> str: ...
    @property
    def callee(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def took_ms(self) -> float | None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def fault(self) -> str: ...
    @property
    def host(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Node:
    """A message with what lies below it."""

    caller: str
    callee: str
    name: str
    about: str
    took_ms: float | None
    outcome: str
    fault: str
    host: str
    below: tuple[Node | Group, ...] = ()

    @property
    def shape(self) -> object:
        """Equal for what is the same but for names and times."""
        return (self.caller, self.callee, self.name, self.outcome, self.fault, tuple(each.shape for each in self.below))


@dataclass(frozen=True, slots=True)
class Group:
    """Something that happened several times; `title` says how often or for whom."""

    title: str
    below: tuple[Node | Group, ...]

    @property
    def shape(self) -> object:
        """As of a node."""
        return self.title, tuple(each.shape for each in self.below)


Item = Node | Group


def folded(messages: Sequence[Arrow]) -> tuple[Item, ...]:
    """The messages as trees, repetitions told once."""
    items, end = _tree(messages, 0, 0)
    if end != len(messages):
        raise ValueError(f"message {end + 1} lies deeper than the one before allows")
    return items


def _tree(messages: Sequence[Arrow], at: int, depth: int) -> tuple[tuple[Item, ...], int]:
    nodes: list[Node] = []
    while at < len(messages) and messages[at].depth >= depth:
        one = messages[at]
        below, at = _tree(messages, at + 1, one.depth + 1)
        told = (one.caller, one.callee, one.name, one.about, one.took_ms, one.outcome, one.fault, one.host)
        nodes.append(Node(*told, below))
    # What was asked for twice was meant twice: only what follows from it is folded.
    return tuple(nodes if depth == 0 else _repeated(list(_for_each_host(nodes)))), at


# --- hosts side by side ----------------------------------------------------------------------------------------------


def _for_each_host(nodes: Sequence[Node]) -> Iterator[Item]:
    """Runs of calls that are alike on several hosts, however interleaved; chosen so that least remains to be told."""
    best: list[tuple[float, int]] = [(0.0, 0)] * (len(nodes) + 1)
    for at in reversed(range(len(nodes))):
        windows = _windows(nodes[at : at + _LONGEST_WINDOW])
        folded_here = [(told + best[at + length][0], length) for told, length in windows]
        best[at] = min([(1 + best[at + 1][0], 1), *folded_here])
    at = 0
    while at < len(nodes):
        length = best[at][1]
        yield nodes[at] if length == 1 else _of_hosts(nodes[at : at + length])
        at += length


def _windows(nodes: Sequence[Node]) -> Iterator[tuple[float, int]]:
    """How much there would be to tell of the first so many calls, wherever all hosts among them were called alike."""
    calls: dict[str, list[object]] = {}
    for length, node in enumerate(nodes, 1):
        if node.callee != "hypervisor":
            return
        calls.setdefault(node.host, []).append(node.shape)
        first, *others = calls.values()
        if others and all(each == first for each in others):
            yield len(first) + _FRAME, length


def _of_hosts(nodes: Sequence[Node]) -> Group:
    by_host: dict[str, list[Item]] = {}
    for each in nodes:
        by_host.setdefault(each.host, []).append(each)
    rounds = list(by_host.values())
    return Group(f"for each of {len(rounds)} hosts", tuple(_repeated(_without_names(rounds[0], rounds))))


# --- the same again --------------------------------------------------------------------------------------------------


def _repeated(items: Sequence[Item]) -> Iterator[Item]:
    shapes = [each.shape for each in items]
    at = 0
    while at < len(items):
        period, times = _period(shapes[at:])
        if times < 2:
            yield items[at]
            at += 1
            continue
        rounds = [items[at + period * number : at + period * (number + 1)] for number in range(times)]
        yield Group(_title(rounds), tuple(_without_names(rounds[0], rounds)))
        at += period * times


def _period(shapes: Sequence[object]) -> tuple[int, int]:
    """How long the piece is that is repeated from here on, and how often; what covers most, in the shortest piece."""
    best = (1, 1)
    for period in range(1, min(_LONGEST_PERIOD, len(shapes) // 2) + 1):
        times = 1
        while shapes[:period] == shapes[period * times : period * (times + 1)]:
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = period, times
    return best


def _title(rounds: Sequence[Sequence[Item]]) -> str:
    hosts = {each.host for one in rounds for each in flat(one[:1]) if each.host}
    return f"for each of {len(rounds)} hosts" if len(hosts) == len(rounds) else f"{len(rounds)} times"


def _without_names(first: Sequence[Item], rounds: Sequence[Sequence[Item]]) -> list[Item]:
    """The first round, with the median of all times, and without the names that differ from round to round."""
    return [_merged(each, [one[place] for one in rounds]) for place, each in enumerate(first)]


def _merged(first: Item, same: Sequence[Item]) -> Item:
    below = tuple(_without_names(first.below, [each.below for each in same]))
    if isinstance(first, Group):
        return replace(first, below=below)
    nodes = [each for each in same if isinstance(each, Node)]
    took = [each.took_ms for each in nodes if each.took_ms is not None]
    names = [each.about.split(", ") for each in nodes]
    kept = [part for part in names[0] if all(part in each for each in names)]
    host = first.host if len({each.host for each in nodes}) == 1 else ""
    took_ms = statistics.median(took) if took else None
    return replace(first, below=below, about=", ".join(kept), host=host, took_ms=took_ms)


def flat(items: Sequence[Item]) -> Iterator[Node]:
    """Every node that is told, without its repetitions."""
    pending: list[Item] = list(reversed(items))
    while pending:
        one = pending.pop()
        if isinstance(one, Node):
            yield one
        pending.extend(reversed(one.below))
