"""What is done on each host so that a LUN can be used there, and its mirror image; all hosts or none.

Targets are counted: a pool goes with the last datastore on it, a secret with the last pool, LUN or disk that
needs it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypervisor_bridge.saga import Saga

from .connection import Remotes
from .lun import SeenLun
from .pools import choose_pool, ensure_pool, find_unit, release_pool
from .records import Attachment, LunUse, Records, attachment_entry, use_entry
from .secrets import ensure_secret, release_secret


class HookUp:
    """Connects and disconnects the hosts of one cluster."""

    def __init__(self, remotes: Remotes, records: Records) -> None:
        self._remotes, self._records = remotes, records

    def saga(self) -> Saga:
        """A saga over this cluster's ledger."""
        return Saga(self._records.ledger)

    def attach(self, saga: Saga, datastore: str, seen: Sequence[SeenLun]) -> None:
        """Have a datastore's LUN in a running pool of every host."""
        saga.branch(seen, lambda each, branch: self._attach_one(branch, datastore, each), self._limit)

    def detach(self, saga: Saga, attachments: Sequence[Attachment]) -> None:
        """Undo `attach`. Pools everywhere before secrets: a pool can only be put back while its secret is there."""
        leaving = set(attachments)
        saga.branch(attachments, lambda each, branch: self._leave_pool(branch, each, leaving), self._limit)
        saga.branch(attachments, lambda each, branch: self._leave_secret(branch, each, leaving), self._limit)
        for each in attachments:
            saga.forget(self._records.attachment_key(each))

    def use_lun(self, saga: Saga, seen: SeenLun, vm_uuid: str = "") -> str | None:
        """Have the secret that QEMU needs to log in to a LUN on that host; its usage, None without CHAP."""
        remote = self._remotes.get(seen.host, "connect_target")
        target, chap = seen.target, seen.path.chap
        secret_uuid = target.secret_uuid(self._records.cluster_uuid)
        use = LunUse(seen.wwid, seen.host.uuid, vm_uuid, secret_uuid, target.iqn, seen.path.lun_number)
        saga.note(self._records.use_key(use), use_entry(use))
        return ensure_secret(remote, self._records, saga, target, None if chap is None else chap.secret)

    def leave_lun(self, saga: Saga, use: LunUse) -> None:
        """Undo `use_lun`."""
        if not self._secret_users(use.host_uuid, use.secret_uuid, {use}):
            self._release_secret(saga, use.host_uuid, use.secret_uuid)
        saga.forget(self._records.use_key(use))

    def use_luns(self, saga: Saga, seen: Sequence[SeenLun]) -> None:
        """`use_lun` on every host."""
        saga.branch(seen, lambda each, branch: self.use_lun(branch, each), self._limit)

    def leave_luns(self, saga: Saga, uses: Sequence[LunUse]) -> None:
        """`leave_lun` on every host."""
        saga.branch(uses, lambda each, branch: self.leave_lun(branch, each), self._limit)

    @property
    def _limit(self) -> int:
        return self._remotes.connections.parallel_hosts

    def _attach_one(self, saga: Saga, datastore: str, seen: SeenLun) -> None:
        remote = self._remotes.get(seen.host, "create_datastore")
        target, chap = seen.target, seen.path.chap
        choice = choose_pool(remote, self._records, target, datastore)
        attachment = Attachment(
            datastore,
            seen.host.uuid,
            choice.uuid,
            choice.name,
            target.secret_uuid(self._records.cluster_uuid),
            target,
            seen.path.lun_number,
            seen.block_bytes,
        )
        stale = self._elsewhere(attachment)
        # Before the pool and the secret: what they are for must be known while they are being made.
        saga.note(self._records.attachment_key(attachment), attachment_entry(attachment))
        usage = ensure_secret(remote, self._records, saga, target, None if chap is None else chap.secret)
        pool = ensure_pool(remote, self._records, saga, choice, target, usage)
        find_unit(self._remotes, remote, saga, pool, seen, attachment.unit)
        if stale:
            self.detach(saga, stale)

    def _elsewhere(self, attachment: Attachment) -> list[Attachment]:
        """The same datastore on the same host in another pool: its portal, CHAP name or initiator has changed."""
        return [
            each
            for each in self._records.attachments(attachment.datastore)
            if each.host_uuid == attachment.host_uuid and each.pool_uuid != attachment.pool_uuid
        ]

    def _leave_pool(self, saga: Saga, attachment: Attachment, leaving: set[Attachment]) -> None:
        host_uuid, pool_uuid = attachment.host_uuid, attachment.pool_uuid
        if all(each.pool_uuid != pool_uuid for each in self._staying(host_uuid, leaving)):
            release_pool(self._remotes.by_uuid(host_uuid), self._records, saga, host_uuid, pool_uuid)

    def _leave_secret(self, saga: Saga, attachment: Attachment, leaving: set[Attachment]) -> None:
        host_uuid, secret_uuid = attachment.host_uuid, attachment.secret_uuid
        others = self._staying(host_uuid, leaving)
        is_used = any(each.secret_uuid == secret_uuid for each in others)
        if not is_used and not self._secret_uses(host_uuid, secret_uuid, set()):
            self._release_secret(saga, host_uuid, secret_uuid)

    def _release_secret(self, saga: Saga, host_uuid: str, secret_uuid: str) -> None:
        release_secret(self._remotes.by_uuid(host_uuid), self._records, saga, host_uuid, secret_uuid)

    def _secret_users(self, host_uuid: str, secret_uuid: str, leaving: set[LunUse]) -> bool:
        attached = any(each.secret_uuid == secret_uuid for each in self._staying(host_uuid, set()))
        return attached or self._secret_uses(host_uuid, secret_uuid, leaving)

    def _secret_uses(self, host_uuid: str, secret_uuid: str, leaving: set[LunUse]) -> bool:
        uses = self._records.uses(host_uuid)
        return any(each.secret_uuid == secret_uuid and each not in leaving for each in uses)

    def _staying(self, host_uuid: str, leaving: set[Attachment]) -> list[Attachment]:
        attachments = self._records.attachments()
        return [each for each in attachments if each.host_uuid == host_uuid and each not in leaving]
