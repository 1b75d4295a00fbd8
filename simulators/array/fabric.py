"""What the iSCSI target sees of the array: one target per volume, with the volume at LUN number 0.

Other arrays number otherwise. With `lun_numbers_from` a volume's number is that and its id, above 255 as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.admission import Door, decide, is_still_admitted
from simulators.array.identity import PRODUCT, VENDOR
from simulators.array.volume import Access
from simulators.iscsi.backend import Admission, AdmissionVerdict, ChapAccount, UnitIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from simulators.array.admission import Decision
    from simulators.array.model import ArrayModel
    from simulators.array.volume import Volume
    from simulators.iscsi.backend import LogicalUnit

PHYSICAL_BLOCK_BYTES: Final = 4096
_FIRMWARE: Final = "0010"


class VolumeUnit:
    """A volume as a logical unit."""

    def __init__(self, model: ArrayModel, volume: Volume, lock: AbstractContextManager[object]) -> None:
        self._model = model
        self._volume = volume
        self._lock = lock
        self._identity = UnitIdentity(
            naa=volume.naa,
            eui=volume.eui,
            serial=volume.eui,
            vendor=VENDOR,
            product=PRODUCT,
            revision=_FIRMWARE,
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
        with self._lock:
            for each in (self._volume.traffic, self._model.traffic):
                each.record_write(offset, len(data), self._model.now())
            self._volume.blocks.write(offset, data)

    def unmap(self, offset: int, length: int) -> None:
        with self._lock:
            self._volume.blocks.unmap(offset, length)

    def flush(self) -> None:
        """Everything is where it belongs already."""


class ArrayFabric:
    """The access rule of `admission`, in the target's words."""

    def __init__(
        self, model: ArrayModel, lock: AbstractContextManager[object], lun_numbers_from: int | None = None
    ) -> None:
        self._model = model
        self._lock = lock
        self._lun_numbers_from = lun_numbers_from

    @property
    def revision(self) -> int:
        return self._model.revision.number

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        """Targets of the volumes in the initiator's group; what CHAP alone opens is not shown unasked."""
        with self._lock:
            initiator = self._model.initiators.find_named(initiator_iqn)
            if initiator is None or initiator.group_id is None:
                return ()
            volumes = map(self._model.volumes.rows.find, self._model.groups.get(initiator.group_id).volumes)
            return tuple(each.iqn for each in volumes if each is not None and each.has_target)

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
            return _in_words_of_the_target(decide(self._model, initiator_iqn, target_iqn))

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, VolumeUnit]:
        with self._lock:
            volume = self._model.volumes.find_target(target_iqn)
            if volume is None:
                return {}
            start = self._lun_numbers_from
            number = 0 if start is None else start + volume.volume_id
            return {number: VolumeUnit(self._model, volume, self._lock)}

    def still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        with self._lock:
            return is_still_admitted(self._model, initiator_iqn, target_iqn, chap_username, since)


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
        mutual_username=decision.username if is_mutual else None,
        mutual_secret=decision.mutual_secret.encode() if is_mutual else None,
    )
    return Admission(AdmissionVerdict.ALLOWED, (account,))
