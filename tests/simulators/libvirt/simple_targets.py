"""Targets behind the `Login` of the simulator, without iSCSI: what is tested here is libvirt's side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libvirt
import pytest

from simulators.libvirt.client import Connection
from simulators.libvirt.cluster import ClusterSimulator
from simulators.libvirt.login import TargetFault, TargetLogin, UnitSize

IQN = "iqn.2020-01.org.simple:t"
INITIATOR = "iqn.1994-05.com.redhat:h"
MIB = 1 << 20
NO_LUN = "SENSE KEY:ILLEGAL_REQUEST(5) ASCQ:LOGICAL_UNIT_NOT_SUPPORTED(0x2500)"


class SimpleTargets:
    """One target with LUN sizes by number."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {1: 4 * MIB, 2: 8 * MIB}
        self.secret: bytes | None = None
        self.logins: list[TargetLogin] = []
        self.open = 0

    def login(self, target: TargetLogin) -> SimpleSession:
        self.logins.append(target)
        if target.target_iqn != IQN:
            raise TargetFault("Failed to log in to target. Status: Target not found(515)")
        if self.secret is not None and (target.chap is None or target.chap.secret != self.secret):
            raise TargetFault("Failed to log in to target. Status: Authentication failure(513)")
        self.open += 1
        return SimpleSession(self)


class SimpleSession:
    """A session that reads the sizes of now."""

    def __init__(self, targets: SimpleTargets) -> None:
        self._targets = targets

    def lun_numbers(self) -> Sequence[int]:
        return list(self._targets.sizes)

    def unit_size(self, lun_number: int) -> UnitSize:
        if lun_number not in self._targets.sizes:
            raise TargetFault(NO_LUN)
        return UnitSize(self._targets.sizes[lun_number], 512)

    def close(self) -> None:
        self._targets.open -= 1


class Rig:
    """A cluster and connections to it."""

    def __init__(self) -> None:
        libvirt.registerErrorHandler(lambda *_: None, None)
        self.targets = SimpleTargets()
        self.cluster = ClusterSimulator(self.targets.login)
        for name in ("h1", "h2"):
            self.cluster.add_host(name, name)

    def connect(self, host: str = "h1") -> Any:
        """Any: tests call what is not there, too."""
        return Connection(lambda procedure, arguments: self.cluster.call(host, procedure, arguments))

    def pool(self, connection: Any, *, usage: str | None = None, target: str = IQN, name: str = "p1") -> Any:
        auth = f"<auth type='chap' username='u'><secret usage='{usage}'/></auth>" if usage else ""
        return connection.storagePoolDefineXML(
            f"<pool type='iscsi-direct'><name>{name}</name><source><host name='10.0.0.1' port='3261'/>"
            f"<device path='{target}'/><initiator><iqn name='{INITIATOR}'/></initiator>{auth}</source></pool>",
            0,
        )

    def secret(self, connection: Any, *, private: str = "no", usage: str = "u1") -> Any:
        return connection.secretDefineXML(
            f"<secret ephemeral='no' private='{private}'><usage type='iscsi'><target>{usage}</target></usage></secret>",
            0,
        )

    def domain(self, connection: Any, *disks: str, name: str = "vm") -> Any:
        return connection.defineXML(
            f"<domain type='qemu'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os><devices>"
            f"<controller type='scsi' index='0' model='virtio-scsi'/>{''.join(disks)}</devices></domain>"
        )


def network_disk(dev: str = "sda", *, lun: int = 1, bus: str = "scsi", auth: str = "") -> str:
    return (
        f"<disk type='network' device='disk'>{auth}<source protocol='iscsi' name='{IQN}/{lun}'>"
        f"<host name='10.0.0.1' port='3261'/><initiator><iqn name='{INITIATOR}'/></initiator></source>"
        f"<target dev='{dev}' bus='{bus}'/></disk>"
    )


def volume_disk(dev: str = "sdb", *, volume: str = "unit:0:0:2") -> str:
    return (
        f"<disk type='volume' device='disk'><source pool='p1' volume='{volume}'/>"
        f"<target dev='{dev}' bus='scsi'/></disk>"
    )


def code_of(call: Callable[[], object], text: str = ".") -> int:
    """The libvirt code that a call raises."""
    with pytest.raises(libvirt.libvirtError, match=text) as caught:
        call()
    return int(caught.value.get_error_code())
