"""The assertions of properties: each says what was expected, what was seen, and who saw it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, is_dataclass, replace
from typing import NoReturn, TypeVar

from conformance.contract import ProbeRefused, ProviderError
from conformance.verdict import Broken, Certainty, Violation

T = TypeVar("T")

ARRAY = "the array"
HOST = "the host"
PLUGIN = "the plugin"
HYPERVISOR = "the hypervisor"
CLOUD = "the cloud"


def broken(expected: str, observed: str, observer: str, home: str | None = None) -> NoReturn:
    """Say that something is not as it must be; `home` is the requirement it is charged to, if not the one running."""
    __tracebackhide__ = True
    raise Broken(Violation(expected, observed, observer, home))


def expect(truth: object, expected: str, observed: str, observer: str, home: str | None = None) -> None:
    """Expect a condition."""
    __tracebackhide__ = True
    if not truth:
        broken(expected, observed, observer, home)


def expect_equal(what: str, observed: object, expected: object, observer: str, home: str | None = None) -> None:
    """Expect two values to be the same."""
    __tracebackhide__ = True
    if observed == expected:
        return
    differing = _differing(observed, expected)
    if differing:
        # Of two long values a reader looks for what is not the same.
        wanted = ", ".join(f"{name} to be {mine!r}" for name, (_, mine) in differing.items())
        found = ", ".join(f"{name} {theirs!r}" for name, (theirs, _) in differing.items())
        broken(f"of {what} {wanted}", found, observer, home)
    broken(f"{what} to be {expected!r}", f"{observed!r}", observer, home)


def expect_size(what: str, observed: int, asked: int, granule: int, observer: str) -> None:
    """Expect at least the asked bytes, and less than one granule more."""
    __tracebackhide__ = True
    if not asked <= observed < asked + granule:
        broken(f"{what} of at least {asked} bytes and less than {granule} more", f"{observed} bytes", observer)


def expect_bytes(what: str, observed: bytes, expected: bytes, observer: str) -> None:
    """Expect the same bytes; names the first that differs."""
    __tracebackhide__ = True
    if observed == expected:
        return
    place = next((i for i, (a, b) in enumerate(zip(observed, expected, strict=False)) if a != b), -1)
    if place < 0:
        broken(f"{what}: {len(expected)} bytes", f"{len(observed)} bytes", observer)
    broken(
        f"{what}: byte {place} to be {expected[place]:#04x}",
        f"{observed[place]:#04x} ({sum(a != b for a, b in zip(observed, expected, strict=False))} bytes differ)",
        observer,
    )


def expect_refusal(kinds: type[Exception] | tuple[type[Exception], ...], what: str, act: Callable[[], T]) -> Exception:
    """Expect a call to be refused with one of these errors; answers the error."""
    __tracebackhide__ = True
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    names = " or ".join(each.__name__ for each in wanted)
    try:
        answer = act()
    except wanted as error:
        return error
    except (ProviderError, ProbeRefused) as error:
        broken(f"{what} to be refused with {names}", f"{type(error).__name__}: {error}", PLUGIN)
    broken(f"{what} to be refused with {names}", f"success: {_short(answer)}", PLUGIN)


def expect_done(what: str, act: Callable[[], T], home: str | None = None) -> T:
    """Expect a call to succeed; answers its answer."""
    __tracebackhide__ = True
    try:
        return act()
    except Broken as error:
        if error.violation.certainty is Certainty.SEEN:
            raise
        raise Broken(replace(error.violation, expected=f"{what} to succeed", requirement_id=home)) from error
    except Exception as error:
        broken(f"{what} to succeed", f"{type(error).__name__}: {error}", PLUGIN, home)


def expect_none(what: str, found: Collection[object], observer: str, home: str | None = None) -> None:
    """Expect nothing of a kind to be there."""
    __tracebackhide__ = True
    if found:
        broken(f"no {what}", ", ".join(sorted(map(_short, found))), observer, home)


def _differing(observed: object, expected: object) -> dict[str, tuple[object, object]]:
    """Fields in which two values of one kind differ: what was observed, and what was expected."""
    if type(observed) is not type(expected) or not is_dataclass(expected):
        return {}
    pairs = {each.name: (getattr(observed, each.name), getattr(expected, each.name)) for each in fields(expected)}
    return {name: (theirs, mine) for name, (theirs, mine) in pairs.items() if theirs != mine}


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
