"""What is declared, and pure functions: sizes, names, marks, QoS."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import string
from collections.abc import Mapping
from typing import Any, Final

from conformance import contract as c

from . import errors as e

Json = dict[str, Any]
MIB: Final = 1 << 20
GRANULE: Final = 12 * MIB
MAKER: Final = "odd/1"
MOST_HOLDERS: Final = 64
LIMITS: Final = c.Limits(
    smallest_lun_bytes=80 * GRANULE,
    largest_lun_bytes=100_000 * GRANULE,
    granularity_bytes=GRANULE,
    snapshots_per_volume=11,
    name_length=900,
    qos_smallest=c.QosPolicy(60, 120, 150),
    qos_largest=c.QosPolicy(9_000, 90_000, 120_000),
)
TRAITS: Final = c.Traits(
    access_granularity=c.AccessGranularity.HOST,
    access_mechanism=c.AccessMechanism.CHAP,
    lun_number_scope=c.LunNumberScope.TARGET,
    delete_while_granted=c.DeleteWhileGranted.REFUSED,
    below_minimum=c.BelowMinimum.ROUNDED_UP,
    space_accounting=c.SpaceAccounting.WRITTEN,
    overprovisioning=True,
    name_rule="odd and 28 hexadecimal digits of SHA-256 over kind, store uuid and owner uuid; an account whose name is "
    "taken has -2 behind it, and that of a volume which is only kept for its snapshots is odd-gone-<volumeID>",
    chap_scope=c.ChapScope.VOLUME,
    delete_with_snapshots=c.DeleteWithDependents.DEFERRED,
    source_delete_with_clones=c.DeleteWithDependents.INDEPENDENT,
    revert_scope=c.RevertScope.ONLY_THIS,
    rotation_drops_sessions=False,
    default_completion_seconds=30.0,
    completion_seconds={"clone": 120.0, "copy": 120.0},
)
_NO: Final = {
    c.Capability.SHRINK: "Element volumes only grow",
    c.Capability.QUIESCED_SNAPSHOT: "nobody asks the guests to hold still",
    c.Capability.MUTUAL_CHAP: "only the initiator proves itself",
    c.Capability.MULTIPATH: "the cluster has one storage address",
    c.Capability.SHARED_GROWTH: "access model SHARED is not served",
}
CAPABILITIES: Final[Mapping[c.Capability, c.Answer]] = {
    each: c.Unsupported(_NO[each]) if each in _NO else c.Supported() for each in c.Capability
}
PARAMETERS: Final = (
    c.Parameter("mvip", c.ParameterKind.URL, required=True, description="address of the Element API", endpoint=True),
    c.Parameter("trust_file", c.ParameterKind.PATH, required=False, description="PEM file to trust", ca_file=True),
    c.Parameter("username", c.ParameterKind.TEXT, required=True, description="cluster administrator"),
    c.Parameter("password", c.ParameterKind.TEXT, required=True, description="its password", secret=True),
    c.Parameter(
        "request_seconds", c.ParameterKind.INTEGER, required=False, description="longest wait for one answer, 1 to 300"
    ),
)
_FIELDS: Final = ("name", "qos", "provisioning", "tenant")


def digest(*parts: str) -> str:
    """28 hexadecimal digits; JSON keeps the parts apart."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:28]


def store_tag(uuid: str) -> str:
    return digest("store", uuid)[:16]


def holder_tag(host: c.Host) -> str:
    """Eight characters for a host."""
    return base64.urlsafe_b64encode(hashlib.sha256(host.uuid.encode()).digest()[:6]).decode()


def fingerprint(request: c.VolumeRequest) -> str:
    """Six digits for each attribute of a request."""
    qos = request.qos
    said = (
        request.name,
        json.dumps([qos.min_iops, qos.max_iops, qos.burst_iops]),
        str(request.provisioning),
        request.tenant.uuid,
    )
    return "".join(digest(each)[:6] for each in said)


def differing(before: str, now: str) -> str | None:
    """The first attribute of a request that differs."""
    for at, field in enumerate(_FIELDS):
        if before[6 * at : 6 * at + 6] != now[6 * at : 6 * at + 6]:
            return field
    return None


def lun_bytes(size_bytes: int) -> int:
    """The LUN for a size that was asked for."""
    if size_bytes <= 0 or size_bytes > LIMITS.largest_lun_bytes:
        raise e.OddInvalid("size_bytes", size_bytes, f"1 to {LIMITS.largest_lun_bytes}")
    return max(LIMITS.smallest_lun_bytes, LIMITS.rounded_up(size_bytes))


def check_qos(qos: c.QosPolicy) -> None:
    least, most = LIMITS.qos_smallest, LIMITS.qos_largest
    assert least is not None
    assert most is not None
    for field in ("min_iops", "max_iops", "burst_iops"):
        value, low, high = getattr(qos, field), getattr(least, field), getattr(most, field)
        if value is not None and not low <= value <= high:
            raise e.OddInvalid(f"qos.{field}", value, f"{low} to {high}")


def filled_qos(qos: c.QosPolicy, usual: Json) -> list[int]:
    """All three values; what is left to the array is its default, as far as the values that are given allow."""
    low, high, burst = (int(usual[each]) for each in ("minIOPS", "maxIOPS", "burstIOPS"))
    given = [each for each in (qos.min_iops, qos.max_iops, qos.burst_iops) if each is not None]
    low = qos.min_iops or min([low, *given])
    burst = qos.burst_iops or max([burst, *given])
    high = qos.max_iops or max(low, min(high, burst))
    return [low, high, burst]


def as_qos(values: list[int]) -> Json:
    return dict(zip(("minIOPS", "maxIOPS", "burstIOPS"), values, strict=True))


def values_of(row: Json) -> list[int]:
    return [int(row["qos"][each]) for each in ("minIOPS", "maxIOPS", "burstIOPS")]


def new_secret() -> str:
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(16))


class PlainIds:
    """External ids are the array's numbers."""

    @staticmethod
    def show(_kind: str, number: int) -> str:
        return str(number)

    @staticmethod
    def read(_kind: str, text: str) -> int | None:
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


class OpaqueIds:
    """External ids are JSON that nobody is meant to look into."""

    @staticmethod
    def show(kind: str, number: int) -> str:
        return json.dumps({"odd": kind[0], "n": number}, separators=(",", ":"))

    @staticmethod
    def read(kind: str, text: str) -> int | None:
        try:
            given = json.loads(text)
            return int(given["n"]) if given["odd"] == kind[0] else None
        except (ValueError, LookupError, TypeError):
            return None
