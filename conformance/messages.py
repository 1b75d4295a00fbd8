"""Who called what when, as plain values: what sequence diagrams are drawn from.

A message is a call of one party to another, with its depth below the operation it belongs to. Texts are masked and
short. Arguments are told by the names of what they are about; what went to a hypervisor is told by its name only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.contract import Host, HostConnection, VmRef, Volume, VolumeRequest
from conformance.trace import Call, Exchange, HostCall, Trace

_MOST: Final = 160
_ABOUT: Final = 60
_OUTCOME: Final = 160
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
NO_RETURN: Final = "did not return"

Happening = Call | Exchange | HostCall


@dataclass(frozen=True, slots=True)
class Message:
    """One arrow. Times are milliseconds since the first message; `outcome` is empty when all went well."""

    caller: str
    callee: str
    name: str
    about: str
    depth: int
    at_ms: float
    took_ms: float | None
    outcome: str = ""
    fault: str = ""
    host: str = ""


def messages(trace: Trace, calls: Sequence[Call], since: float | None = None) -> list[Message]:
    """These calls and all below them, in the order they began; times since the first, or since `since`."""
    zero = calls[0].began if since is None else since
    return [_message(trace, each, depth, zero) for depth, each in _walk(trace, calls)]


def last_messages(trace: Trace, calls: Sequence[Call]) -> tuple[Message, ...]:
    """The last operations among these calls, whole, as long as they are not too many to look at."""
    roots = [each for each in calls if each.parent is None]
    told: list[Message] = []
    for root in reversed(roots):
        one = messages(trace, [root], since=roots[0].began)
        if told and len(told) + len(one) > _MOST:
            break
        told = [*one, *told]
    return tuple(told)


def _walk(trace: Trace, calls: Sequence[Call]) -> Iterator[tuple[int, Happening]]:
    chosen = {each.number for each in calls}
    below: dict[int, list[Happening]] = {}
    for call in trace.calls:
        if call.parent is not None:
            below.setdefault(call.parent.number, []).append(call)
    roots: list[Happening] = [each for each in calls if each.parent is None or each.parent.number not in chosen]
    yield from _deeper(roots, below, 0)


def _deeper(
    level: Iterable[Happening], below: dict[int, list[Happening]], depth: int
) -> Iterator[tuple[int, Happening]]:
    for each in level:
        yield depth, each
        if isinstance(each, Call):
            inner = [*below.get(each.number, ()), *each.exchanges, *each.host_calls]
            yield from _deeper(sorted(inner, key=lambda one: one.began), below, depth + 1)


def _message(trace: Trace, one: Happening, depth: int, zero: float) -> Message:
    took = None if one.ended is None else round((one.ended - one.began) * 1000, 2)
    at = round((one.began - zero) * 1000, 2)
    if isinstance(one, Call):
        given = (*one.arguments, *one.keywords.values())
        about = _cut(trace.masked(", ".join(filter(None, map(about_one, given)))), _ABOUT)
        host = trace.masked(next(filter(None, map(_host, given)), ""))
        return Message(one.caller, one.party, one.name, about, depth, at, took, _outcome(trace, one), host=host)
    if isinstance(one, HostCall):
        return Message("bridge", "hypervisor", one.name, "", depth, at, took, _outcome(trace, one), host=one.host)
    lost = "no answer" if one.fault or one.ended is None else ""
    outcome = lost or (f"status {one.status}" if one.status >= 400 else "")
    return Message("plugin", "array", _request(one), "", depth, at, took, outcome, trace.masked(one.fault))


def _outcome(trace: Trace, one: Call | HostCall) -> str:
    if one.error is not None:
        return _cut(trace.masked(f"{type(one.error).__name__}: {one.error}"), _OUTCOME)
    return NO_RETURN if one.ended is None else ""


def _request(one: Exchange) -> str:
    """The method a JSON-RPC body names; else verb and path, without what identifies one object."""
    try:
        name = json.loads(one.request).get("method")
    except (ValueError, AttributeError):
        name = None
    return _cut(name, _ABOUT) if isinstance(name, str) else _cut(f"{one.verb} {one.path.split('?')[0]}", _ABOUT)


def _host(value: object) -> str:
    """The one host that an argument is about."""
    if isinstance(value, list | tuple) and len(value) == 1:
        return _host(value[0])
    if isinstance(value, HostConnection):
        return value.host.name
    return value.name if isinstance(value, Host) else ""


def about_one(value: object) -> str:
    """The name of what an argument is about; empty for what needs no telling, and for hosts."""
    if isinstance(value, VmRef | VolumeRequest):
        return value.name
    if isinstance(value, Volume):
        return value.request.name
    if isinstance(value, int) and not isinstance(value, bool):
        return _size(value)
    if isinstance(value, list | tuple) and len(value) > 1 and isinstance(value[0], HostConnection):
        return f"{len(value)} hosts"
    return ""


def _size(value: int) -> str:
    size = float(value)
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            return f"{size:.4g} {unit}"
        size /= 1024
    raise AssertionError("the last unit takes every size")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
