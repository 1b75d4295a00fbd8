"""A lock that lets whoever takes it see things as they are, and publishes what has changed before it is free again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class PublishingLock:
    """As an RLock; whoever takes it calls `begin` first, and whoever leaves it calls `publish` first, if `revision` is
    not what was published last.

    So nothing is answered by anybody before initiators see what has been changed.
    """

    def __init__(self, begin: Callable[[], None], revision: Callable[[], int], publish: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._begin = begin
        self._revision = revision
        self._publish = publish
        self._published = 0
        self._depth = 0

    def __enter__(self) -> PublishingLock:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._depth == 1:
                self._publish_changes()
        finally:
            self._depth -= 1
            self._lock.release()

    def _publish_changes(self) -> None:
        # What is asked while publishing may finish a clone, which is a change.
        while (revision := self._revision()) != self._published:
            self._published = revision
            self._publish()
