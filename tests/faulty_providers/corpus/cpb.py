"""Faults against CPB: what is declared is not so."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import Capability, InvalidRequest, QosPolicy, Supported, Unsupported
from tests.faulty_providers.corpus.prv import LARGEST, MIB, size
from tests.faulty_providers.fault import Driver, Fault, Kind, Provider, Wire
from tests.faulty_providers.operators import alter_argument, alter_field, alter_result, fail
from tests.faulty_providers.when import argument


def without(*capabilities: Capability) -> Any:
    """Declare these unsupported."""
    no = Unsupported("not offered")
    return alter_result(lambda answers: {**answers, **dict.fromkeys(capabilities, no)})


def limits(**changes: Any) -> Any:
    """Declare other limits."""
    return alter_result(lambda declared: dataclasses.replace(declared, **changes))


FAULTS = (
    Fault(
        "CPB-005",
        "declares several paths and has one",
        Provider.capabilities,
        alter_result(lambda answers: {**answers, Capability.MULTIPATH: Supported()}),
    ),
    Fault(
        "CPB-001",
        "grows volumes and says that it cannot",
        Provider.capabilities,
        without(Capability.RESIZE, Capability.RESIZE_ONLINE),
    ),
    Fault(
        "CPB-002",
        "the smallest LUN becomes two granules larger",
        Driver.create,
        alter_field("request", size_bytes=lambda asked_bytes: asked_bytes + 2 * MIB),
        Kind.DATA,
        size(lambda n: n == 10**9),
        also=("PRV-001",),
    ),
    Fault(
        "CPB-002",
        "the smallest LUN it declares is refused",
        Provider.limits,
        limits(smallest_lun_bytes=999_500_000),
        base="minimal",
    ),
    Fault(
        "CPB-003",
        "the largest LUN is cut",
        Driver.create,
        alter_field("request", size_bytes=lambda asked_bytes: LARGEST // 2),
        Kind.DATA,
        size(lambda n: n == LARGEST),
    ),
    Fault(
        "CPB-003",
        "the largest LUN it declares is refused",
        Driver.create,
        fail(lambda call: InvalidRequest("size_bytes", LARGEST, "less")),
        Kind.CONTRACT,
        size(lambda n: n == LARGEST),
    ),
    Fault(
        "CPB-004",
        "the largest QoS is kept a little lower",
        Wire.CreateVolume,
        alter_argument("qos", lambda qos: {**qos, "burstIOPS": qos["burstIOPS"] - 1}),
        Kind.CONTRACT,
        argument("qos", lambda qos: qos == {"minIOPS": 15_000, "maxIOPS": 200_000, "burstIOPS": 200_000}),
    ),
    Fault(
        "CPB-004",
        "the largest QoS it declares is refused",
        Provider.limits,
        limits(qos_largest=QosPolicy(15_001, 200_000, 200_000)),
    ),
)
