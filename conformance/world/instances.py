"""Plugin instances in a world: one at first, more when a property wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from conformance import leaks
from conformance.context import KitContext
from conformance.contract import (
    DataStoreDriver,
    HttpHandler,
    ProviderError,
)
from conformance.guard import GuardedPlugin
from conformance.instance import Instance
from conformance.strategies.faults import Cut
from conformance.verdict import Broken, Violation
from conformance.wire import exchange
from conformance.world.base import WorldBase
from conformance.world.meeting import Beside, Ending, ending_of


@dataclass(slots=True)
class Attempt:
    """An operation that was broken off; `error` is what it raised, None when it said that all is done."""

    error: ProviderError | None = None


_MOST_REQUESTS: Final = 16


class WithInstances(WorldBase):
    """Plugin instances in a world."""

    _most_requests = 0

    @property
    def plugin(self) -> GuardedPlugin:
        """The plugin instance in use."""
        return self.instance.plugin

    @property
    def driver(self) -> DataStoreDriver:
        """Its driver."""
        return self.plugin.driver

    def new_instance(self) -> Instance:
        """Start one more instance of the plugin, with endpoints of its own."""
        raw = self.subject.new_provider()
        instance = Instance(raw, self.watch, self.array.endpoints, self.subject.door)
        self._instances.append(instance)
        context = KitContext(
            trace=self.trace,
            operations=self.watch.operations,
            locks=self._locks,
            bridge_of=self.bridge_for_plugin,
            hosts_of=self.hosts_of,
        )
        self._configure(instance, context)
        return instance

    def _configure(self, instance: Instance, context: KitContext) -> None:
        try:
            instance.plugin.raw.configure(context)
        except Exception as error:
            raise Broken(
                Violation("configure to succeed", f"{type(error).__name__}: {error}", "the plugin", "REG-002")
            ) from error

    def restart_plugin(self) -> None:
        """Put a new instance in the place of the one in use, as after a restart of the cloud's process."""
        old = self._replaced()
        leaks.close_provider(old.plugin.raw)
        old.close()

    def connections_after_close(self) -> int:
        """Restart the plugin; answers how many connections to the array the old instance keeps."""
        old = self._replaced()
        leaks.close_provider(old.plugin.raw)
        left = leaks.connections_of(old)
        old.close()
        return left

    def _replaced(self) -> Instance:
        self.watch.went_beyond_set_up = True
        old = self.instance
        self.instance = self.new_instance()
        self._instances.remove(old)
        self._stores = {uuid: self.instance.localised(store) for uuid, store in self._stores.items()}
        return old

    @contextmanager
    def broken_off(self, cut: Cut) -> Iterator[Attempt]:
        """What the plugin does inside meets this cut, and may fail as the contract allows."""
        self.watch.went_beyond_set_up = True
        passage = exchange.cut(cut.nth, after=cut.is_reply, refusal=self._refusal(cut), lasts=cut.lasts)
        with self._passing(passage), self._attempted() as attempt:
            yield attempt

    @contextmanager
    def _passing(self, passage: exchange.Passage) -> Iterator[None]:
        recorders = self.instance.doors.recorders
        for each in recorders:
            each.passage = passage
        try:
            yield
        finally:
            for each in recorders:
                each.passage = exchange.hand_on

    def _refusal(self, cut: Cut) -> HttpHandler | None:
        if not cut.is_refused:
            return None
        own = self.array.endpoints[0].refuse if cut.in_its_words else None
        return own or exchange.unavailable

    @contextmanager
    def given_up(self, nth: int) -> Iterator[Attempt]:
        """The caller gives up: from the nth time on that the plugin checks, counted from 0, it learns so."""
        self.watch.went_beyond_set_up = True
        with self.watch.operations.given_up(nth), self._attempted() as attempt:
            yield attempt

    @contextmanager
    def _attempted(self) -> Iterator[Attempt]:
        attempt, before = Attempt(), self.instance.exchanges
        try:
            yield attempt
        except ProviderError as error:
            attempt.error = error
        finally:
            self._most_requests = max(self._most_requests, self.instance.exchanges - before)

    def at_each_request(self, cut: Cut, most: int = _MOST_REQUESTS) -> Iterator[Cut]:
        """This cut at the first request of what is broken off, then at the second, as long as there are more."""
        for nth in self.each_request(most):
            yield replace(cut, nth=nth)

    def each_request(self, most: int = _MOST_REQUESTS) -> Iterator[int]:
        """The number of the first request of what is broken off or met, then of the next, as long as there are more."""
        for nth in range(most):
            self._most_requests = 0
            yield nth
            if self._most_requests <= nth:
                return

    def meet(self, nth: int, first: Callable[[], object], second: Callable[[], object]) -> tuple[Ending, Ending]:
        """Two calls; the second, to an instance besides the one in use, is made at the nth request of the first."""
        self.watch.went_beyond_set_up = True
        beside, before = Beside(second, self._locks), self.instance.exchanges
        with self.watch.operations.clock.still():
            try:
                with self._passing(exchange.pause(nth, beside.go)):
                    ending = ending_of(first)
            finally:
                other = beside.end()
        self._most_requests = max(self._most_requests, self.instance.exchanges - before)
        return ending, other
