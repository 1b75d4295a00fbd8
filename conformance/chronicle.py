"""What a run saw of who calls what when: one representative of each user operation, and how long everything took.

It is filled from each world's trace when the world closes, and knows no operation by name.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.contract import Host
from conformance.messages import Message, messages
from conformance.trace import Call, Trace

_PARTIES: Final = ("cloud", "plugin", "bridge")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long calls to one party took, in milliseconds; those that succeeded."""

    party: str
    name: str
    count: int
    median_ms: float
    slowest_ms: float
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """One operation, as it went once. `by_user`: a user asked for it, and it went through the cloud."""

    name: str
    by_user: bool
    count: int
    messages: Sequence[Message]


Kind = frozenset[tuple[str, str]]
"""What was called in an operation, by party and name, however often."""


@dataclass(slots=True)
class _Way:
    """One way an operation went: how often, and how it went first."""

    first: list[Message]
    count: int = 0


@dataclass(slots=True)
class Chronicle:
    """Filled while a run goes on. `hosts` are the names of the hosts of a cluster when its first world opened."""

    hosts: tuple[str, ...] = ()
    _ways: dict[tuple[bool, str], dict[Kind, _Way]] = field(default_factory=dict)
    _took: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    _failed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def taken(self) -> Chronicle:
        """All of it, and begin anew: to be carried to another process."""
        whole = Chronicle(self.hosts, self._ways, self._took, self._failed)
        self._ways, self._took, self._failed = {}, {}, Counter()
        return whole

    def take_in(self, other: Chronicle) -> None:
        """Add what another process saw."""
        self.hosts = self.hosts or other.hosts
        self._failed.update(other._failed)
        for key, took in other._took.items():
            self._took.setdefault(key, []).extend(took)
        for name, ways in other._ways.items():
            mine = self._ways.setdefault(name, {})
            for kind, way in ways.items():
                mine.setdefault(kind, _Way(way.first)).count += way.count

    def saw_hosts(self, hosts: Iterable[Host]) -> None:
        """Remember a cluster's hosts as they were at first."""
        self.hosts = self.hosts or tuple(each.name for each in hosts)

    def note(self, trace: Trace) -> None:
        """Take in what happened in one world."""
        for call in trace.calls:
            if call.ended is None or call.error is not None:
                self._failed[call.party, call.name] += 1
            else:
                self._took.setdefault((call.party, call.name), []).append(call.ended - call.began)
        kinds = _kinds(trace.calls)
        for call in trace.calls:
            if call.number in kinds and call.error is None and call.ended is not None:
                self._keep(trace, call, kinds[call.number])

    def _keep(self, trace: Trace, call: Call, kind: Kind) -> None:
        ways = self._ways.setdefault((call.party == "cloud", call.name), {})
        if kind not in ways:
            ways[kind] = _Way(messages(trace, [call]))
        ways[kind].count += 1

    def stories(self) -> list[Story]:
        """User operations in the order they were first seen; then direct calls that none of them makes."""
        every = [_story(name, ways, by_user=by_user) for (by_user, name), ways in self._ways.items()]
        users = [each for each in every if each.by_user]
        within = {message.name for each in users for message in each.messages if message.callee == "plugin"}
        return [*users, *(each for each in every if not each.by_user and each.name not in within)]

    def timings(self) -> list[Timing]:
        """Every operation and every method of plugin and bridge that was called."""
        keys = sorted({*self._took, *self._failed}, key=lambda each: (_PARTIES.index(each[0]), each[1]))
        return [self._timing(*each) for each in keys]

    def _timing(self, party: str, name: str) -> Timing:
        took = [1000 * each for each in self._took.get((party, name), ())]
        median, slowest = (statistics.median(took), max(took)) if took else (0.0, 0.0)
        return Timing(party, name, len(took), round(median, 2), round(slowest, 2), self._failed[party, name])


def _story(name: str, ways: Mapping[Kind, _Way], *, by_user: bool) -> Story:
    """Of the usual ways, the one in which most is called."""
    usual = max(each.count for each in ways.values()) / 2
    kind = max((each for each, way in ways.items() if way.count >= usual), key=len)
    return Story(name, by_user, sum(each.count for each in ways.values()), ways[kind].first)


def _kinds(calls: Iterable[Call]) -> dict[int, Kind]:
    """For each operation, what was called in it; operations are calls that lie under no other."""
    found: dict[int, set[tuple[str, str]]] = {}
    for call in calls:
        if call.party == "bridge" and call.parent is None:
            continue
        root = _root(call)
        found.setdefault(root.number, set()).update(_of(call))
    return {number: frozenset(each) for number, each in found.items()}


def _root(call: Call) -> Call:
    while call.parent is not None:
        call = call.parent
    return call


def _of(call: Call) -> Iterator[tuple[str, str]]:
    yield call.party, call.name
    yield from (("array", each.path if each.fault else "") for each in call.exchanges)
    yield from (("hypervisor", each.name) for each in call.host_calls)
