"""Faults of cloud and bridge against what users see of snapshots, clones, VMs and hosts that come back."""

from __future__ import annotations

from typing import Any

from tests.faulty_providers.corpus.ded import leave_out
from tests.faulty_providers.fault import Bridge, Call, Cloud, Fault, Kind
from tests.faulty_providers.operators import skip


def not_the_last(name: str) -> Any:
    """The cloud forgets the last of these steps."""

    def act(call: Call) -> Any:
        steps = call.arguments["steps"]
        places = [place for place, each in enumerate(steps) if each.name == name]
        return call.proceed(steps=[each for place, each in enumerate(steps) if place not in places[-1:]])

    return act


def formatted(call: Call) -> Any:
    """Make the disk as asked, and write zeros over its beginning."""
    made = call.proceed()
    call.others["bridge"].write_disk(made, 0, bytes(4096))
    return made


FAULTS = (
    Fault(
        "DST-011",
        "hosts are not given the datastore back after a revert",
        Cloud.revert_volume,
        leave_out("attach_datastore"),
        Kind.LIFE,
    ),
    Fault("DST-011", "one host is forgotten after a revert", Cloud.revert_volume, not_the_last("attach_datastore")),
    Fault("DST-011", "the cloud forgets to revert", Cloud.revert_volume, leave_out("revert"), Kind.DATA),
    Fault("DST-012", "a disk that is introduced is formatted", Bridge.create_disk, formatted, Kind.DATA),
    Fault("DST-013", "a VM is started without its disks", Cloud.start_vm, leave_out("attach_disk"), Kind.LIFE),
    Fault("DST-013", "a VM that is moved stays where it is", Bridge.migrate_vm, skip(), Kind.LIFE, also=("DIR-003",)),
    Fault(
        "DST-014",
        "hosts go on with the old secret after a rotation",
        Cloud.rotate_chap,
        leave_out("attach_datastore"),
        Kind.LIFE,
    ),
    Fault(
        "DIR-003",
        "the host that a VM leaves keeps its access",
        Cloud.move_vm,
        leave_out("revoke_access"),
        Kind.ISOLATION,
    ),
    Fault(
        "DIR-003",
        "a VM that stops leaves its host the access",
        Cloud.stop_vm,
        leave_out("revoke_access"),
        Kind.ISOLATION,
    ),
    Fault(
        "HST-012",
        "a host that was away gets no datastore",
        Cloud.connect_host,
        leave_out("attach_datastore"),
        Kind.LIFE,
    ),
    Fault(
        "HST-012",
        "a host that was in maintenance gets no datastore",
        Cloud.cancel_maintain_host,
        leave_out("attach_datastore"),
        Kind.LIFE,
    ),
)
