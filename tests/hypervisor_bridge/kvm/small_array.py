"""The smallest array that an initiator can log in to: LUNs in memory behind our in-memory iSCSI target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance.contract import (
    BlockConnection,
    ByteStream,
    ChapCredentials,
    Host,
    HostConnection,
    Iqn,
    IscsiPath,
    LunIdentity,
    Portal,
    Secret,
)
from simulators.iscsi.backend import Admission, AdmissionVerdict, ChapAccount, LogicalUnit, UnitIdentity
from simulators.iscsi.memory import MemoryTarget

MIB = 1 << 20
PORTAL = Portal("10.64.0.1", 3260)
CHAP = ChapCredentials("tenant", Secret("chap-secret-01"))
WRONG_CHAP = ChapCredentials("tenant", Secret("wrong-secret-1"))


@dataclass(slots=True)
class Lun:
    """A LUN in memory."""

    naa: str
    size_bytes: int
    generation: int = 0
    block_bytes: int = 512
    physical_block_bytes: int = 4096
    is_read_only: bool = False
    is_thin: bool = True
    data: dict[int, bytes] = field(default_factory=dict)

    @property
    def identity(self) -> UnitIdentity:
        return UnitIdentity(self.naa, None, self.naa[-8:], "SMALL", "ARRAY", "1")

    def read(self, offset: int, length: int) -> bytes:
        blocks = range(offset, offset + length, self.block_bytes)
        return b"".join(self.data.get(each, bytes(self.block_bytes)) for each in blocks)

    def write(self, offset: int, data: bytes) -> None:
        for start in range(0, len(data), self.block_bytes):
            self.data[offset + start] = bytes(data[start : start + self.block_bytes])

    def unmap(self, offset: int, length: int) -> None:
        for each in range(offset, offset + length, self.block_bytes):
            self.data.pop(each, None)

    def flush(self) -> None:
        pass

    def grow(self, size_bytes: int) -> None:
        self.size_bytes, self.generation = size_bytes, self.generation + 1


class SmallArray:
    """Targets with LUNs; every initiator sees them, unless `numbers` gives it other LUN numbers or `hidden` nothing."""

    def __init__(self, chap: ChapCredentials | None = None) -> None:
        self.revision = 0
        self.targets: dict[str, dict[int, Lun]] = {}
        self.chap = chap
        self.hidden: set[str] = set()
        self.shift: dict[str, int] = {}
        self.is_down = False
        self.target = MemoryTarget(self, (PORTAL.address, PORTAL.port))

    # ---- what the test does ----

    def add(self, number: int = 1, *, size_bytes: int = 4 * MIB, target: str = "iqn.2020-01.org.small:one") -> Lun:
        luns = self.targets.setdefault(target, {})
        lun = Lun(f"6f47acc1{len(self.targets):08x}{number:016x}", size_bytes)
        luns[number] = lun
        self.revision += 1
        return lun

    def at(
        self,
        hosts: Sequence[Host],
        number: int = 1,
        *,
        target: str = "iqn.2020-01.org.small:one",
        chap: ChapCredentials | None = None,
        wwid: str | None = "as it is",
        portals: tuple[Portal, ...] = (PORTAL,),
    ) -> list[HostConnection]:
        """How these hosts reach a LUN."""
        lun = self.targets.get(target, {}).get(number)
        size_bytes = MIB if lun is None else lun.size_bytes
        known = (None if lun is None else lun.naa) if wwid == "as it is" else wwid
        return [
            HostConnection(
                each,
                BlockConnection(
                    LunIdentity(known),
                    size_bytes,
                    (IscsiPath(Iqn(target), portals, number + self._shift(each), chap or self.chap),),
                ),
            )
            for each in hosts
        ]

    def dial(self, address: str, port: int) -> ByteStream:
        if self.is_down or (address, port) != (PORTAL.address, PORTAL.port):
            raise ConnectionRefusedError(111, "Connection refused")
        return self.target.dial()

    # ---- what the target asks ----

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        return () if initiator_iqn in self.hidden else tuple(self.targets)

    def admit(self, initiator_iqn: str, target_iqn: str) -> Admission:
        if target_iqn not in self.targets or initiator_iqn in self.hidden:
            return Admission(AdmissionVerdict.NOT_FOUND)
        if self.chap is None:
            return Admission(AdmissionVerdict.ALLOWED)
        account = ChapAccount(self.chap.username, self.chap.secret.reveal().encode())
        return Admission(AdmissionVerdict.ALLOWED, (account,))

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, LogicalUnit]:
        shift = self.shift.get(initiator_iqn, 0)
        return {number + shift: lun for number, lun in self.targets[target_iqn].items()}

    def still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        return target_iqn in self.targets and initiator_iqn not in self.hidden

    def _shift(self, host: Host) -> int:
        return self.shift.get(str(host.iqns[0]), 0) if host.iqns else 0
