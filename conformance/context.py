"""What the kit, being the cloud, hands a plugin instance at `configure`."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from conformance.calls import CallOperation, KitClock, Operations
from conformance.contract import Cluster, Host, HypervisorBridge
from conformance.trace import Trace


class Locks:
    """Named locks that are exclusive across the instances of one world."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()
        self.on_wait: Callable[[], object] = lambda: None
        """Told each time that somebody has to wait for a lock."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of that name."""
        return self._held(name)

    @contextmanager
    def _held(self, name: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks[name]
        if not lock.acquire(blocking=False):
            self.on_wait()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


class _Masking(logging.Filter):
    """Takes the secrets a trace knows out of log records, and lets the trace know what they were handed."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace

    def filter(self, record: logging.LogRecord) -> bool:
        handed = record.getMessage()
        self._trace.logged.append(handed)
        record.msg, record.args = self._trace.masked(handed), ()
        return True


class KitContext:
    """Satisfies the contract's `ProviderContext`."""

    def __init__(
        self,
        *,
        trace: Trace,
        operations: Operations,
        locks: Locks,
        bridge_of: Callable[[Cluster], HypervisorBridge],
        hosts_of: Callable[[Cluster], Sequence[Host]],
    ) -> None:
        self._operations, self._locks = operations, locks
        self._bridge_of, self._hosts_of = bridge_of, hosts_of
        # Not from the logging registry: loggers kept there would outlive the world.
        self.logger = logging.Logger("storage_conformance.plugin", logging.DEBUG)
        self.logger.parent = logging.getLogger()
        self.logger.addFilter(_Masking(trace))

    @property
    def clock(self) -> KitClock:
        """The clock to wait with."""
        return self._operations.clock

    def hypervisor(self, cluster: Cluster) -> HypervisorBridge:
        """The bridge of a cluster."""
        return self._bridge_of(cluster)

    def hosts(self, cluster: Cluster) -> Sequence[Host]:
        """The cluster's hosts as of now."""
        return self._hosts_of(cluster)

    def operation(self) -> CallOperation:
        """The operation this thread works for."""
        return self._operations.current()

    def lock(self, name: str) -> AbstractContextManager[None]:
        """A lock that is exclusive across instances."""
        return self._locks.lock(name)
