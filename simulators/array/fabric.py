"""What the iSCSI target sees of the array."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from simulators.array.admission import Door
from simulators.array.journal import Write
from simulators.array.volume import Access
from simulators.iscsi.backend import Admission, AdmissionVerdict, ChapAccount, UnitIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from simulators.array.admission import Decision
    from simulators.array.journal import Journal
    from simulators.array.model import ArrayModel
    from simulators.array.volume import Volume
    from simulators.iscsi.backend import LogicalUnit

PHYSICAL_BLOCK_BYTES: Final = 4096


class VolumeUnit:
    """A volume as a logical unit."""

    def __init__(
        self,
        model: ArrayModel,
        volume: Volume,
        lock: AbstractContextManager[object],
        journal: Journal | None = None,
    ) -> None:
        self._model = model
        self._journal = journal
        self._volume = volume
        self._lock = lock
        self._identity = UnitIdentity(
            naa=volume.naa,
            eui=volume.eui,
            serial=volume.eui or volume.naa,
            vendor=model.make.vendor,
            product=model.make.product,
            revision=model.make.firmware,
        )

    @property
    def disk(self) -> str:
        """What its bytes are called where they are on a disk of their own; empty where they are not."""
        return self._volume.blocks.name

    @property
    def size_bytes(self) -> int:
        return self._volume.size_bytes

    @property
    def block_bytes(self) -> int:
        return 512 if self._volume.has_512e else PHYSICAL_BLOCK_BYTES

    @property
    def physical_block_bytes(self) -> int:
        return PHYSICAL_BLOCK_BYTES

    @property
    def is_thin(self) -> bool:
        return True

    @property
    def is_read_only(self) -> bool:
        return self._volume.access is Access.READ_ONLY

    @property
    def identity(self) -> UnitIdentity:
        return self._identity

    @property
    def generation(self) -> int:
        return self._volume.size_changes

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:
            for each in (self._volume.traffic, self._model.traffic):
                each.record_read(offset, length, self._model.now())
            return self._volume.blocks.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        with self._lock, self._noted(offset, len(data), data):
            for each in (self._volume.traffic, self._model.traffic):
                each.record_write(offset, len(data), self._model.now())
            self._volume.blocks.write(offset, data)

    def unmap(self, offset: int, length: int) -> None:
        with self._lock, self._noted(offset, length, None):
            self._volume.blocks.unmap(offset, length)

    @property
    def allocated_bytes(self) -> int:
        return self._volume.blocks.written_bytes

    def allocation(self, offset: int) -> tuple[bool, int]:
        with self._lock:
            return self._volume.blocks.allocation(offset, self._volume.size_bytes)

    def flush(self) -> None:
        """Everything is where it belongs already."""

    @contextmanager
    def _noted(self, offset: int, length: int, data: bytes | None) -> Iterator[None]:
        if self._journal is None:
            yield
            return
        with self._journal.noted(Write(self._volume.volume_id, offset, length, data)):
            # A copy over this volume that is due has come before this write, whoever notices it first.
            self._model.clones.finish_due()
            yield


class ArrayFabric:
    """The array's addressing, in the target's words."""

    def __init__(self, model: ArrayModel, lock: AbstractContextManager[object], journal: Journal | None = None) -> None:
        self._model = model
        self._journal = journal
        self._lock = lock

    @property
    def revision(self) -> int:
        return self._model.revision.number

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        with self._lock:
            return self._model.addressing.discover(initiator_iqn)

    def targets(self) -> Sequence[str]:
        """All targets that initiators can log in to."""
        with self._lock:
            return tuple(dict.fromkeys(each.iqn for each in self._model.volumes.rows if each.has_target))

    def initiators(self) -> Sequence[str]:
        """Names of all initiators that the array knows."""
        with self._lock:
            return tuple(each.name for each in self._model.initiators.rows)

    def admit(self, initiator_iqn: str, target_iqn: str) -> Admission:
        with self._lock:
            # A clone may have become ready without anybody asking the management API.
            self._model.clones.finish_due()
            return _in_words_of_the_target(self._model.addressing.decide(initiator_iqn, target_iqn))

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, VolumeUnit]:
        with self._lock:
            found = self._model.addressing.luns(initiator_iqn, target_iqn)
            return {
                number: VolumeUnit(self._model, volume, self._lock, self._journal) for number, volume in found.items()
            }

    def still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        with self._lock:
            return self._model.addressing.is_still_admitted(initiator_iqn, target_iqn, chap_username, since)


class EmptyFabric:
    """What the target serves while there is no array: nothing."""

    revision = 0

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        return ()

    def admit(self, initiator_iqn: str, target_iqn: str) -> Admission:
        return Admission(AdmissionVerdict.NOT_FOUND)

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, LogicalUnit]:
        return {}

    def still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        return False


def _in_words_of_the_target(decision: Decision) -> Admission:
    if decision.door is Door.ABSENT:
        return Admission(AdmissionVerdict.NOT_FOUND)
    if decision.door is Door.CLOSED:
        return Admission(AdmissionVerdict.FORBIDDEN)
    if decision.door is Door.OPEN:
        return Admission(AdmissionVerdict.ALLOWED)
    # RFC 7143 §12.1.3: the same secret must not serve both directions. Some clients make such accounts; they
    # are good for one-way CHAP.
    is_mutual = decision.mutual_secret != decision.secret
    account = ChapAccount(
        username=decision.username,
        secret=decision.secret.encode(),
        mutual_username=(decision.mutual_username or decision.username) if is_mutual else None,
        mutual_secret=decision.mutual_secret.encode() if is_mutual else None,
    )
    return Admission(AdmissionVerdict.ALLOWED, (account,))
