"""The cloud as a property uses it: each user operation is a call in the trace, and what it led to lies under it."""

from __future__ import annotations

from functools import wraps
from typing import Any

from conformance.orchestrator import Orchestrator
from conformance.orchestrator.orchestrator import REVIVE
from conformance.trace import Trace

USER = "user"
CLOUD = "cloud"


class TracedCloud:
    """Stands in for an orchestrator. User operations are what it can carry on after a crash; the rest is questions."""

    def __init__(self, trace: Trace, target: Orchestrator) -> None:
        self._trace, self._target = trace, target

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if name not in REVIVE:
            return value

        @wraps(value)
        def traced(*arguments: object, **keywords: object) -> object:
            trace = self._trace
            note = trace.begin(USER, CLOUD, name, arguments, keywords, "")
            try:
                answer = value(*arguments, **keywords)
            except BaseException as error:
                trace.end(note, error=error)
                raise
            trace.end(note, answer)
            return answer

        return traced
