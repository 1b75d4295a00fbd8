"""A bridge's connections to hypervisors, watched: every remote call it makes is noted, whatever the protocol.

What a cluster gives a bridge is opaque to the kit, so nothing is known here of any hypervisor: what the factory's
methods answer is watched likewise, plain values aside, and a call is told by its name and its host. Arguments and
answers pass unseen.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Set
from enum import Enum
from typing import Any, Final

from conformance.contract import Host
from conformance.trace import Trace

_PLAIN: Final = (bool, int, float, str, bytes, bytearray, Enum, Mapping, BaseException, type(None))


def watched(connections: object, trace: Trace) -> Any:
    """The factory, watched. What it answers out of its own head, without a host, is no remote call.

    A factory may have `local_calls`: names of methods of what it gives that ask nobody, such as `name`.
    """
    return _Watched(connections, trace, "", getattr(connections, "local_calls", frozenset()), is_factory=True)


class _Watched:
    def __init__(self, target: Any, trace: Trace, host: str, local: Set[str], *, is_factory: bool) -> None:
        self.watched_target, self._trace, self._host = target, trace, host
        self._local, self._is_factory = local, is_factory

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.watched_target, name)
        if not callable(value) or name in self._local:
            return value

        def remote(*arguments: Any, **keywords: Any) -> Any:
            host = next((each.name for each in arguments if isinstance(each, Host)), self._host)
            given = [_Watched.bare(each) for each in arguments]
            if self._is_factory and not host:
                return value(*given, **keywords)
            note = self._trace.host_call(name, host)
            try:
                answer = value(*given, **keywords)
            except BaseException as error:
                self._trace.host_answered(note, error)
                raise
            self._trace.host_answered(note)
            return self._around(answer, host)

        return remote

    @staticmethod
    def bare(argument: Any) -> Any:
        """The argument as what is watched must get it."""
        return argument.watched_target if isinstance(argument, _Watched) else argument

    def _around(self, answer: Any, host: str) -> Any:
        """What the answer's own methods do is watched too."""
        if type(answer) in (list, tuple):
            return type(answer)(self._around(each, host) for each in answer)
        is_plain = isinstance(answer, _PLAIN) or dataclasses.is_dataclass(answer) or inspect.isroutine(answer)
        return answer if is_plain else _Watched(answer, self._trace, host, self._local, is_factory=False)
