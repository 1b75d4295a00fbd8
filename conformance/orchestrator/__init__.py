"""The cloud that plugins and bridges are tried with: user operations as documented sequences of calls."""

from __future__ import annotations

from .calls import Caller, CallRunner, DirectCalls, SystemClock
from .database import Database
from .errors import (
    AlreadyExists,
    BrokenPromise,
    HasDependents,
    HostInUse,
    ModelNotServed,
    NoUsableHost,
    ObjectBusy,
    OperationRefused,
    StoreInUse,
    UnknownObject,
    VolumeInUse,
    WrongState,
)
from .journal import SqliteLedger
from .orchestrator import Orchestrator
from .records import Attachment, Grant, SnapshotRecord, StoreRecord, TemplateRecord, VmRecord, VolumeRecord, Way
from .states import SnapshotState, StoreState, TemplateState, VmState, VolumeState
from .steps import BOOKKEEPING, UNDO, OrchestratorKilled, Step, StepHooks

__all__ = [
    "BOOKKEEPING",
    "UNDO",
    "AlreadyExists",
    "Attachment",
    "BrokenPromise",
    "CallRunner",
    "Caller",
    "Database",
    "DirectCalls",
    "Grant",
    "HasDependents",
    "HostInUse",
    "ModelNotServed",
    "NoUsableHost",
    "ObjectBusy",
    "OperationRefused",
    "Orchestrator",
    "OrchestratorKilled",
    "SnapshotRecord",
    "SnapshotState",
    "SqliteLedger",
    "Step",
    "StepHooks",
    "StoreInUse",
    "StoreRecord",
    "StoreState",
    "SystemClock",
    "TemplateRecord",
    "TemplateState",
    "UnknownObject",
    "VmRecord",
    "VmState",
    "VolumeInUse",
    "VolumeRecord",
    "VolumeState",
    "Way",
    "WrongState",
]
