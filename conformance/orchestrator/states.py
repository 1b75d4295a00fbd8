"""States of volumes and primary storages, stored before the calls they announce."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class VolumeState(StrEnum):
    """What is being done with a volume.

    Whether it is attached is told by its attachment, not by its state.
    """

    ALLOCATED = "Allocated"
    CREATING = "Creating"
    READY = "Ready"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"
    RESIZING = "Resizing"
    SETTING_QOS = "SettingQos"
    SNAPSHOTTING = "Snapshotting"
    REVERTING = "Reverting"
    ROTATING_CHAP = "RotatingChap"
    MIGRATING = "Migrating"
    DESTROYING = "Destroying"
    EXPUNGING = "Expunging"
    FAILED = "Failed"


class SnapshotState(StrEnum):
    """What is being done with a snapshot."""

    TAKING = "Taking"
    READY = "Ready"
    DESTROYING = "Destroying"
    EXPUNGING = "Expunging"


class TemplateState(StrEnum):
    """What is being done with a template that is kept on the array."""

    SEEDING = "Seeding"
    READY = "Ready"
    DESTROYING = "Destroying"
    EXPUNGING = "Expunging"


class VmState(StrEnum):
    """What is being done with a VM that the cloud starts and stops."""

    STARTING = "Starting"
    RUNNING = "Running"
    MOVING = "Moving"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    FAILED = "Failed"


class StoreState(StrEnum):
    """What is being done with a primary storage."""

    INITIALIZING = "Initializing"
    ATTACHING = "Attaching"
    UP = "Up"
    DISABLED = "Disabled"
    PREPARING_MAINTENANCE = "PrepareForMaintenance"
    ENTERING_MAINTENANCE = "EnterMaintenance"
    MAINTENANCE = "Maintenance"
    CANCELLING_MAINTENANCE = "CancelMaintenance"
    ERROR_IN_MAINTENANCE = "ErrorInMaintenance"
    DELETING = "Deleting"
    FAILED = "Failed"


SERVING: Final = frozenset({StoreState.UP, StoreState.DISABLED})
"""States of a store in which its volumes are used; new ones are only made in one that is `Up`."""

# Begins from | is, while its calls are made | is, when it failed and could not be undone
VOLUME_OPERATIONS: Final[Mapping[str, tuple[frozenset[VolumeState], VolumeState, VolumeState]]] = {
    "create_volume": (frozenset(), VolumeState.ALLOCATED, VolumeState.EXPUNGING),
    "create_volume_from": (frozenset(), VolumeState.ALLOCATED, VolumeState.EXPUNGING),
    "copy_volume": (frozenset(), VolumeState.ALLOCATED, VolumeState.EXPUNGING),
    "attach_volume": (frozenset({VolumeState.READY}), VolumeState.ATTACHING, VolumeState.FAILED),
    "detach_volume": (frozenset({VolumeState.READY}), VolumeState.DETACHING, VolumeState.FAILED),
    "resize_volume": (frozenset({VolumeState.READY}), VolumeState.RESIZING, VolumeState.FAILED),
    "set_qos": (frozenset({VolumeState.READY}), VolumeState.SETTING_QOS, VolumeState.FAILED),
    # What sticks then is the snapshot.
    "take_snapshot": (frozenset({VolumeState.READY}), VolumeState.SNAPSHOTTING, VolumeState.READY),
    "rotate_chap": (frozenset({VolumeState.READY}), VolumeState.ROTATING_CHAP, VolumeState.FAILED),
    "with_migration": (frozenset({VolumeState.READY}), VolumeState.MIGRATING, VolumeState.FAILED),
    "revert_volume": (frozenset({VolumeState.READY}), VolumeState.REVERTING, VolumeState.FAILED),
    "delete_volume": (
        frozenset({VolumeState.READY, VolumeState.FAILED, VolumeState.EXPUNGING}),
        VolumeState.DESTROYING,
        VolumeState.EXPUNGING,
    ),
}
