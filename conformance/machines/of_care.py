"""Steps about everything else: migrations, secrets, stores and hosts that are told again, plugins that restart."""

from __future__ import annotations

from functools import partial

from conformance.contract import Capability
from conformance.expect import PLUGIN, expect, expect_done
from conformance.judgements.chap import chap_of, old_secret_refused
from conformance.machines.bookkeeping import Bookkeeping
from conformance.machines.operations import (
    BeginMigration,
    ConnectHost,
    EndMigration,
    InitializeAgain,
    RestartPlugin,
    RotateChap,
)


class OfCare(Bookkeeping):
    """What changes nothing for a volume's users, or only for a while."""

    def begin_migration(self, step: BeginMigration) -> None:
        if self.expected.exists(step.volume) and self.can(Capability.MIGRATION_QOS):
            self._migration("begin_migration", step.volume)
            self.lifted.add(step.volume)

    def end_migration(self, step: EndMigration) -> None:
        if self.expected.exists(step.volume) and self.can(Capability.MIGRATION_QOS):
            self._migration("end_migration", step.volume)
            self.lifted.discard(step.volume)

    def _migration(self, name: str, volume: int) -> None:
        call = getattr(self.world.copier, name)
        expect_done(name, lambda: call(self.store_of(volume), self.made[volume].volume))

    def rotate_chap(self, step: RotateChap) -> None:
        if not (self.expected.is_granted(step.volume, step.host) and self.can(Capability.CHAP_ROTATION)):
            return
        made, host = self.made[step.volume], self.host(step.host)
        old = chap_of(self.world.connection(made, host))
        at = self.store_of(step.volume)
        expect_done("rotate_chap", lambda: self.world.copier.rotate_chap(at, made.volume, host))
        connection = self.world.connection(made, host)
        expect(chap_of(connection).secret != old.secret, "another secret", "the same", PLUGIN)
        old_secret_refused(self.world.probe(host), connection, old)

    def initialize_again(self, step: InitializeAgain) -> None:
        request = self.store(0).request
        expect_done("a repeated initialize", lambda: self.world.plugin.lifecycle.initialize(request))

    def connect_host(self, step: ConnectHost) -> None:
        """The cloud says that a host is there: once more, and after a while out of use."""
        host, listener = self.host(step.host), self.world.plugin.host_listener
        if listener is None:
            return
        stores = [self.store(number) for number in range(len(self.stores))]
        for store in stores:
            expect_done("host_connected", partial(listener.host_connected, host, store))
        expect_done("host_enabled", lambda: listener.host_enabled(host, stores))

    def restart(self, step: RestartPlugin) -> None:
        self.world.store  # noqa: B018  (a plugin that serves no store yet has nothing to forget)
        self.world.restart_plugin()
