"""On which calls a fault shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faulty_providers.fault import Call, When


def nth_call(number: int) -> When:
    """Only at the call of that number on one plugin object, counted from 1."""
    return lambda call: call.number == number


def from_call(number: int) -> When:
    """From that call on."""
    return lambda call: call.number >= number


def nth_object(number: int) -> When:
    """Only for the object that was met as the n-th at this site in one world, by its uuid."""

    def is_it(call: Call) -> bool:
        seen = call.memory.shared.setdefault(f"objects {call.site}", [])
        uuid = owner_uuid(call)
        if uuid not in seen:
            seen.append(uuid)
        return bool(seen.index(uuid) + 1 == number)

    return is_it


def repeated(call: Call) -> bool:
    """When the same object passes again."""
    seen = call.memory.shared.setdefault(f"repeats {call.site}", {})
    uuid = owner_uuid(call)
    seen[uuid] = seen.get(uuid, 0) + 1
    return bool(seen[uuid] > 1)


def repeated_for(*names: str) -> When:
    """When the same objects pass again: the uuids of these arguments, together."""

    def is_again(call: Call) -> bool:
        seen = call.memory.shared.setdefault(f"repeats {call.site} {names}", set())
        key = tuple(str(getattr(call.arguments.get(name), "uuid", "")) for name in names)
        again = key in seen
        seen.add(key)
        return again

    return is_again


def after_restart(call: Call) -> bool:
    """When the plugin object did not initialise the store itself."""
    return call.is_restarted


def argument(name: str, holds: Callable[[Any], bool]) -> When:
    """When an argument is so."""
    return lambda call: holds(call.arguments.get(name))


def both(first: When, second: When) -> When:
    """When both are so; both are asked each time, because some count."""

    def are(call: Call) -> bool:
        one, two = first(call), second(call)
        return one and two

    return are


def nth_key(number: int, key: Callable[[Call], Any]) -> When:
    """Only for what was met as the n-th at this site in one world, told apart by a key."""

    def is_it(call: Call) -> bool:
        seen = call.memory.shared.setdefault(f"keys {call.site}", [])
        if key(call) not in seen:
            seen.append(key(call))
        return bool(seen.index(key(call)) + 1 == number)

    return is_it


def key_repeated(key: Callable[[Call], Any]) -> When:
    """When the same key passes again in one world."""

    def is_again(call: Call) -> bool:
        seen = call.memory.shared.setdefault(f"repeated keys {call.site}", set())
        if key(call) in seen:
            return True
        seen.add(key(call))
        return False

    return is_again


def owner_uuid(call: Call) -> str:
    """The uuid of the object that a call is about."""
    for name in ("request", "uuid", "volume", "target", "snapshot", "cached", "source", "host", "store"):
        uuid = _uuid_of(call.arguments.get(name))
        if uuid:
            return uuid
    return ""


def _uuid_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(getattr(value, "uuid", None) or getattr(getattr(value, "request", None), "uuid", None) or "")
