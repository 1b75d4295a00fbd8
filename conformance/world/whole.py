"""The whole of a world: opening it, closing it, and what is left when it closes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Self

from conformance import homes, leaks
from conformance.cloud_desk import CloudDesk
from conformance.contract import (
    BlockConnection,
    BridgeError,
    ProbeRefused,
    ProviderError,
    Secret,
)
from conformance.instance import Instance
from conformance.noting import Noting
from conformance.orchestrator.errors import OperationRefused
from conformance.overheard import Overheard
from conformance.verdict import Broken, Certainty, Violation
from conformance.world.snapshots import WithSnapshots


class World(WithSnapshots):
    """See the package's text. Not for use from several threads."""

    def __enter__(self) -> Self:
        self._threads = set(threading.enumerate())
        self._overheard = Overheard()
        self.array = self.subject.environment.array.open_world()
        self.witness = self.subject.witness(self.array.witness)
        self._given = {
            **self.array.parameters,
            **self.subject.environment.parameters,
            **self.subject.plan.parameters,
        }
        for value in self._given.values():
            if isinstance(value, Secret):
                self.know_secret(value)
        self._overheard.__enter__()
        # `clean` has to know.
        noting = Noting(self.subject.journal)
        self.watch.before_calls.append(noting.before)
        self.watch.after_calls.append(noting.after)
        try:
            self._first_view = self.view() if self.witness.powers else None
            self.instance = self.new_instance()
            self._is_configured = True
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # A simulated array is dropped with all that is on it; on any other something would be left.
            if kind is None or issubclass(kind, Exception) or not self.is_simulated:
                self._clean_up(went_well=kind is None)
        finally:
            for session in self._sessions:
                session.close()
            for instance in self._instances:
                instance.close()
            if self._cluster_world is not None:
                self._cluster_world.close()
            self.array.close()
            self._overheard.__exit__(None, None, None)
            self.subject.chronicle.note(self.trace)

    def _clean_up(self, *, went_well: bool) -> None:
        self.trace.begin_cleaning()
        if not self._is_configured:
            self.found += self.watch.found
            return
        # Volumes first, then hosts, then the stores: nothing is taken away that something else still uses.
        order = [each for each in reversed(self._undo) if each[0] != "delete_datastore"]
        order.append(("host_removed", self._hosts_leave))
        problems = [each for each in (self._undone(step, act) for step, act in order) if each]
        stores = [each for each in reversed(self._undo) if each[0] == "delete_datastore"]
        problems += [each for each in (self._undone(step, act) for step, act in stores) if each]
        for instance in self._instances:
            problems += [each for each in [self._closed(instance)] if each]
        if went_well and not problems:
            problems += self._left_behind()
        if went_well:
            self.found += problems[:1]
        self.found += self.watch.found
        users = {each for each in self._given.values() if isinstance(each, str)}
        written = set().union(*(leaks.spellings(each, users) for each in self.trace.secrets))
        self.found += leaks.secrets_in(self._texts(), written)

    def _undone(self, step: str, act: Callable[[], object]) -> Violation | None:
        try:
            act()
        except Broken as error:
            return error.violation
        except (ProviderError, BridgeError, ProbeRefused, OperationRefused) as error:
            said = f"{type(error).__name__}: {error}"
            expected, home = f"{step} to succeed while cleaning up", homes.STEP.get(step)
            return Violation(expected, said, "the plugin", home, certainty=Certainty.CLEANUP)
        return None

    def _closed(self, instance: Instance) -> Violation | None:
        try:
            leaks.close_provider(instance.plugin.raw)
        except Broken as error:
            return error.violation
        return None

    def _left_behind(self) -> list[Violation]:
        found = self.strangers_harmed()
        found += leaks.threads_since(self._threads)
        if self._cluster_world is not None:
            found += leaks.left_on_hosts(self._first_inventory, self.inventory())
        if self._first_view is not None:
            trash = self.subject.declared.traits.trash_seconds > 0
            found += leaks.left_on_array(self._first_view, self.view(), trash_allowed=trash)
        return found

    def _texts(self) -> dict[str, str]:
        for answer in self.watch.answers:
            if isinstance(answer, BlockConnection):
                self.block(answer)
        errors = [each.error for each in self.trace.calls if each.error is not None and each.party == "plugin"]
        texts = self._overheard.places()
        texts["what the plugin hands its logger"] = "\n".join(self.trace.logged)
        texts["errors"] = "\n".join(leaks.error_text(each) for each in errors)
        texts["answers"] = "\n".join(repr(each) for each in self.watch.answers)
        if self._cluster_world is not None:
            texts["what a hypervisor's administrator can read"] = self._cluster_world.secrets_seen()
        return texts

    @cached_property
    def cloud(self) -> CloudDesk:
        """The cloud's own desk: user operations through the orchestrator. Only in a world with a hypervisor."""
        return CloudDesk(self)
