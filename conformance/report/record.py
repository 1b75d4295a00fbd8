"""The record of a run, `report.json`: its shape. `reading` reads one that was written earlier, perhaps elsewhere.

Version 2 adds `environment`, `operations`, `timings`, and of each requirement `place`, of each finding `messages`; an
interrupted run says in `not_tried` and `chosen` how far it came, where it was written by a kit that counts them.
What a later version adds is passed over as long as the number stays; it grows when something changes its meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 2


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class MessageRecord(_Part):
    """One call of one party to another; times are milliseconds since the operation began."""

    caller: str
    callee: str
    name: str
    about: str = ""
    depth: Annotated[int, Field(ge=0, le=64)] = 0
    at_ms: float = 0.0
    took_ms: float | None = None
    outcome: str = ""
    fault: str = ""
    host: str = ""


class OperationRecord(_Part):
    """One operation as it went once; `count` is how often it was seen to succeed."""

    name: str
    by_user: bool
    count: int
    messages: tuple[MessageRecord, ...]


class TimingRecord(_Part):
    """How long successful calls to one party took, in milliseconds."""

    party: str
    name: str
    count: int
    median_ms: float
    slowest_ms: float
    failed: int = 0


class ClusterRecord(_Part):
    """A cluster of hypervisor hosts. `missing`: why it could not be used."""

    name: str
    hypervisor: str
    kind: str
    hosts: tuple[str, ...] = ()
    missing: str = ""


class EnvironmentRecord(_Part):
    """What the plugin was tried with."""

    transport: str
    array: str
    endpoints: int = 0
    probe: bool = False
    probe_missing: str = ""
    clusters: tuple[ClusterRecord, ...] = ()
    hookup: str = ""
    access_model: str = ""


class PlaceRecord(_Part):
    """Where a requirement was looked at. `hypervisor` is empty where no hypervisor takes part."""

    hypervisor: str = ""
    access_model: str = ""


class FindingRecord(_Part):
    """What was seen, in all that explains it."""

    requirement_id: str
    expected: str
    observed: str
    observer: str
    arguments: dict[str, Any] = {}
    steps: tuple[str, ...] = ()
    wire: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    move: str = "plugin"
    certainty: str = "seen"
    intermittent: bool = False
    found_by: str = ""
    replay: str = ""
    messages: tuple[MessageRecord, ...] = ()


class RequirementRecord(_Part):
    """One requirement and its verdict."""

    id: str
    strength: str
    area: str
    area_title: str = ""
    subject: str
    sentence: str
    verdict: str
    reason: str = ""
    blocked_by: str | None = None
    examples: int = 0
    seconds: float = 0.0
    place: PlaceRecord = PlaceRecord()
    finding: FindingRecord | None = None


class CauseRecord(_Part):
    """A failure, those that look the same, and what was blocked by any of them."""

    first: str
    others: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()


class PluginRecord(_Part):
    """Whose plugin."""

    name: str
    version: str


class ScoreRecord(_Part):
    """Passed, of what is the vendor's own and can be asked of it."""

    passed: int
    of: int


class Record(_Part):
    """All of it."""

    schema_version: int
    kit_version: str
    contract_version: str
    provider: PluginRecord
    profile: str
    seed: int
    hookup: str
    declared: dict[str, str] = {}
    started: str
    seconds: float
    was_interrupted: bool = False
    not_tried: int = 0
    chosen: int = 0
    exit_status: int
    score: ScoreRecord
    counts: dict[str, int]
    ranked: tuple[str, ...]
    causes: tuple[CauseRecord, ...] = ()
    uncounted: tuple[str, ...] = ()
    requirements: tuple[RequirementRecord, ...]
    environment: EnvironmentRecord | None = None
    operations: tuple[OperationRecord, ...] = ()
    timings: tuple[TimingRecord, ...] = ()
