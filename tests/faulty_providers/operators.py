"""What goes wrong at a site: about twenty ways, from which the corpus is made."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from tests.faulty_providers.fault import Call, Change, Memory, Part, Site, When, always


def skip(answer: Any = None) -> Change:
    """Do nothing and say it was done."""
    return lambda call: answer(call) if callable(answer) else answer


def alter_argument(name: str, change: Callable[[Any], Any]) -> Change:
    """Do it with another argument."""
    return lambda call: call.proceed(**{name: change(call.arguments[name])})


def alter_field(name: str, **fields: Callable[[Any], Any]) -> Change:
    """Do it with an argument whose fields are changed."""

    def act(call: Call) -> Any:
        value = call.arguments[name]
        changed = {key: change(getattr(value, key)) for key, change in fields.items()}
        return call.proceed(**{name: dataclasses.replace(value, **changed)})

    return act


def alter_result(change: Callable[[Any], Any]) -> Change:
    """Do it right and answer something else."""
    return lambda call: change(call.proceed())


def lie(**fields: Callable[[Any], Any]) -> Change:
    """Do it right and answer with changed fields."""

    def act(call: Call) -> Any:
        answer = call.proceed()
        return dataclasses.replace(answer, **{key: change(getattr(answer, key)) for key, change in fields.items()})

    return act


def swallow(*kinds: type[BaseException], answer: Any = None) -> Change:
    """Hide errors behind an answer."""

    def act(call: Call) -> Any:
        try:
            return call.proceed()
        except kinds:
            return answer(call) if callable(answer) else answer

    return act


def fail(make: Callable[[Call], BaseException]) -> Change:
    """Fail before doing anything."""

    def act(call: Call) -> Any:
        raise make(call)

    return act


def fail_after(make: Callable[[Call], BaseException]) -> Change:
    """Do it, and fail all the same."""

    def act(call: Call) -> Any:
        call.proceed()
        raise make(call)

    return act


def swap_error(kind: type[BaseException], make: Callable[[BaseException], BaseException]) -> Change:
    """Fail with another error than the right one."""

    def act(call: Call) -> Any:
        try:
            return call.proceed()
        except kind as error:
            raise make(error) from None

    return act


def do_first(extra: Callable[[Call], Any]) -> Change:
    """Do something that nobody asked for, then what was asked."""

    def act(call: Call) -> Any:
        extra(call)
        return call.proceed()

    return act


def do_also(extra: Callable[[Call], Any]) -> Change:
    """Do what was asked, then something that nobody asked for."""

    def act(call: Call) -> Any:
        answer = call.proceed()
        extra(call)
        return answer

    return act


def repeat(**changed: Callable[[Any], Any]) -> Change:
    """Do it twice, the second time with changed arguments."""

    def act(call: Call) -> Any:
        answer = call.proceed()
        call.proceed(**{name: change(call.arguments[name]) for name, change in changed.items()})
        return answer

    return act


def remember_answer(key: Callable[[Call], Any] = lambda call: call.site) -> Change:
    """Answer what was answered the first time, in one plugin object: remember too long."""

    def act(call: Call) -> Any:
        kept = call.memory.own.setdefault("answers", {})
        found = key(call)
        if found not in kept:
            kept[found] = call.proceed()
        return kept[found]

    return act


def previous_argument(name: str) -> Change:
    """Do it to the object of the call before: a stale variable."""

    def act(call: Call) -> Any:
        kept = call.memory.shared.setdefault(f"previous {call.site} {name}", call.arguments[name])
        call.memory.shared[f"previous {call.site} {name}"] = call.arguments[name]
        return call.proceed(**{name: kept})

    return act


def first_argument(name: str) -> Change:
    """Do it to the object that came first, every time."""
    return lambda call: call.proceed(
        **{name: call.memory.shared.setdefault(f"first {call.site} {name}", call.arguments[name])}
    )


def only_first_time(key: Callable[[Call], Any]) -> Change:
    """Do it once for each key and believe for ever that it is still so."""

    def act(call: Call) -> Any:
        done = call.memory.own.setdefault(f"done {call.site}", set())
        if key(call) in done:
            return None
        done.add(key(call))
        return call.proceed()

    return act


def later(seconds: float = 0.01) -> Change:
    """Answer at once and do it on a thread of its own."""

    def act(call: Call) -> Any:
        threading.Timer(seconds, call.proceed).start()

    return act


def hang() -> Change:
    """Never come back."""

    def act(call: Call) -> Any:
        threading.Event().wait(3600)

    # Whoever tries it should not wait as long as for others.
    act.hangs = True  # type: ignore[attr-defined]
    return act


def leave_thread() -> Change:
    """Leave a thread behind."""

    def act(call: Call) -> Any:
        threading.Thread(target=threading.Event().wait, args=(3600,), daemon=True, name="poller").start()
        return call.proceed()

    return act


def log_it(text: Callable[[Call], str]) -> Change:
    """Write something into a log."""

    def act(call: Call) -> Any:
        logging.getLogger("acme").warning("%s", text(call))
        return call.proceed()

    return act


def print_it(text: Callable[[Call], str]) -> Change:
    """Write something to standard output."""

    def act(call: Call) -> Any:
        sys.stdout.write(text(call))
        return call.proceed()

    return act


def note_on_error(text: Callable[[Call], str]) -> Change:
    """Put something into the text of errors."""

    def act(call: Call) -> Any:
        try:
            return call.proceed()
        except Exception as error:
            error.add_note(text(call))
            raise

    return act


def alter_bridge(method: str, change: Change, when: When = always) -> Change:
    """For `Provider.configure`: from now on the plugin makes this one call of its bridges wrongly."""
    return lambda call: call.proceed(
        context=_BridgingContext(call.arguments["context"], method, change, when, call.memory)
    )


class _BridgingContext:
    """The cloud's context; the plugin's own bridge calls pass a fault, those of the cloud do not."""

    def __init__(self, context: Any, method: str, change: Change, when: When, memory: Memory) -> None:
        self._context, self._fault = context, (method, change, when, memory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def hypervisor(self, cluster: Any) -> _MisusedBridge:
        return _MisusedBridge(self._context.hypervisor(cluster), *self._fault)


class _MisusedBridge:
    """A bridge that is right, called wrongly."""

    def __init__(self, bridge: Any, method: str, change: Change, when: When, memory: Memory) -> None:
        self._bridge, self._method, self._change, self._when, self._memory = bridge, method, change, when, memory

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._bridge, name)
        if name != self._method:
            return function

        def misused(*arguments: Any, **keywords: Any) -> Any:
            given = dict(inspect.signature(function).bind(*arguments, **keywords).arguments)
            site = Site(Part.BRIDGE, name)
            call = Call(
                site,
                given,
                lambda **final: function(**final),
                self._memory,
                {"bridge": self._bridge},
                1,
                False,  # noqa: FBT003
            )
            return self._change(call) if self._when(call) else call.proceed()

        return misused
