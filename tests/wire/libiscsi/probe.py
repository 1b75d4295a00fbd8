"""The kit's host probe over libiscsi: `[probe] launch = "tests.wire.libiscsi.probe:host_probe"`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from conformance.contract import (
    BlockConnection,
    ChapCredentials,
    Dial,
    Iqn,
    IscsiPath,
    LaunchOptions,
    Portal,
    ProbeIoError,
    ProbeRefused,
    Refusal,
)
from tests.wire.libiscsi.library import CommandFailed, Connection, LoginFailed

_REFUSALS: Final = {0x0201: Refusal.AUTHENTICATION, 0x0202: Refusal.FORBIDDEN, 0x0203: Refusal.NOT_FOUND}
_LUN_NOT_SUPPORTED: Final = 0x2500
_NAA, _DEVICE_ID = 3, 0x83
_PIECE_BYTES: Final = 1 << 18


def host_probe(_options: LaunchOptions) -> ProbeEntry:
    """Launch the entry; there is nothing that runs."""
    return ProbeEntry()


class ProbeEntry:
    """Satisfies the contract's `ProbeEntry`; addresses are called directly, for libiscsi opens sockets of its own."""

    def open_probe(self, initiator_iqn: Iqn, _dial: Dial) -> Probe:
        return Probe(initiator_iqn)


class Probe:
    """Satisfies the contract's `HostProbe`."""

    def __init__(self, initiator_iqn: Iqn) -> None:
        self.initiator_iqn = initiator_iqn

    def open(self, connection: BlockConnection, chap: ChapCredentials | None = None) -> LunSession:
        return self._first(connection, lambda path: chap or path.chap)

    def open_without_chap(self, connection: BlockConnection) -> LunSession:
        return self._first(connection, lambda _path: None)

    def discover(self, portal: Portal, chap: ChapCredentials | None = None) -> Sequence[Iqn]:
        found = self._login(portal, "", chap)
        names = [Iqn(each) for each in found.discovered()]
        found.close()
        return names

    def _first(
        self, connection: BlockConnection, credentials: Callable[[IscsiPath], ChapCredentials | None]
    ) -> LunSession:
        last: ProbeRefused | None = None
        for path in connection.paths:
            if isinstance(path, IscsiPath):
                for portal in path.portals:
                    try:
                        return LunSession(self._login(portal, str(path.target_iqn), credentials(path)), path.lun_number)
                    except ProbeRefused as refused:
                        last = refused
        raise last or ProbeRefused(Refusal.OTHER, "the connection has no iSCSI path")

    def _login(self, portal: Portal, target: str, chap: ChapCredentials | None) -> Connection:
        known = None if chap is None else (chap.username, chap.secret.reveal())
        try:
            return Connection(str(self.initiator_iqn), f"{portal.address}:{portal.port}", target, known)
        except LoginFailed as failed:
            refusal = Refusal.UNREACHABLE if failed.status is None else _REFUSALS.get(failed.status, Refusal.OTHER)
            raise ProbeRefused(refusal, str(failed)) from failed


class LunSession:
    """Satisfies the contract's `ProbeSession`."""

    def __init__(self, connection: Connection, lun: int) -> None:
        self._connection, self._lun = connection, lun
        self._lock = threading.Lock()
        try:
            self.wwid = self._naa()
            self.block_bytes = self._capacity()[1]
        except CommandFailed as failed:
            connection.close()
            is_absent = failed.code == _LUN_NOT_SUPPORTED
            raise ProbeRefused(Refusal.NO_LUN if is_absent else Refusal.OTHER, str(failed)) from failed

    @property
    def size_bytes(self) -> int:
        try:
            return self._capacity()[0]
        except CommandFailed as failed:
            raise ProbeIoError(str(failed)) from failed

    def read(self, offset: int, length: int) -> bytes:
        pieces = [(at, min(_PIECE_BYTES, offset + length - at)) for at in range(offset, offset + length, _PIECE_BYTES)]
        return b"".join(self._io(self._on_blocks(0x88, at, size), reads=size) for at, size in pieces)

    def write(self, offset: int, data: bytes) -> None:
        for start in range(0, len(data), _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            self._io(self._on_blocks(0x8A, offset + start, len(piece)), data=piece)
        self._io(bytes((0x35,)) + bytes(9))

    def unmap(self, offset: int, length: int) -> None:
        first, count = offset // self.block_bytes, length // self.block_bytes
        header = (22).to_bytes(2, "big") + (16).to_bytes(2, "big") + bytes(4)
        parameters = header + first.to_bytes(8, "big") + count.to_bytes(4, "big") + bytes(4)
        self._io(bytes((0x42,)) + bytes(6) + len(parameters).to_bytes(2, "big") + bytes(1), data=parameters)

    def close(self) -> None:
        self._connection.close()

    def _on_blocks(self, opcode: int, offset: int, length: int) -> bytes:
        first, count = offset // self.block_bytes, length // self.block_bytes
        return bytes((opcode, 0)) + first.to_bytes(8, "big") + count.to_bytes(4, "big") + bytes(2)

    def _io(self, cdb: bytes, *, reads: int = 0, data: bytes = b"") -> bytes:
        try:
            with self._lock:
                return self._connection.command(self._lun, cdb, reads=reads, data=data)
        except CommandFailed as failed:
            raise ProbeIoError(str(failed)) from failed

    def _capacity(self) -> tuple[int, int]:
        cdb = bytes((0x9E, 0x10)) + bytes(8) + (32).to_bytes(4, "big") + bytes(2)
        answer = self._connection.command(self._lun, cdb, reads=32)
        block_bytes = int.from_bytes(answer[8:12], "big")
        return (int.from_bytes(answer[:8], "big") + 1) * block_bytes, block_bytes

    def _naa(self) -> str:
        page = self._connection.command(self._lun, bytes((0x12, 1, _DEVICE_ID, 0, 255, 0)), reads=255)
        at = 4
        while at + 4 <= len(page):
            length = page[at + 3]
            if page[at + 1] & 0x3F == _NAA:
                return page[at + 4 : at + 4 + length].hex()
            at += 4 + length
        raise CommandFailed(0, 0, 0, "VPD page 0x83 has no NAA designator of the LUN")
