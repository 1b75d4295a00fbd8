"""Faults against MIG: what a plugin does for a volume while it is copied."""

from __future__ import annotations

from typing import Any

from conformance.contract import Conflict, ObjectNotFound, QosPolicy
from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import do_also, do_first, fail, skip
from tests.faulty_providers.solidfire_inside import (
    ask,
    end_sessions,
    lun_of,
    others_of_store,
    shut_out_all,
    store_of,
)
from tests.faulty_providers.when import after_restart, repeated

_LEAST = {"minIOPS": 50, "maxIOPS": 100, "burstIOPS": 100}


def number(call: Call) -> int:
    """The volume's LUN."""
    return int(call.arguments["volume"].external_id)


def default_qos(call: Call) -> None:
    """Give the volume what the array gives by default."""
    call.others["driver"].set_qos(store_of(call), call.arguments["volume"], QosPolicy(50, 15_000, 15_000))


def only_the_maximum(call: Call) -> Any:
    """Put back the maximum, and leave the burst as it was lifted."""
    lifted = lun_of(call, call.arguments["volume"])["qos"]
    answer = call.proceed()
    ask(call, "ModifyVolume", volumeID=number(call), qos={"burstIOPS": lifted["burstIOPS"]})
    return answer


def noted_again(call: Call) -> None:
    """Take what the volume has been lifted to for its own."""
    found = lun_of(call, call.arguments["volume"])
    qos = found["qos"]
    noted = {**found["attributes"], "own_qos": f"{qos['minIOPS']}/{qos['maxIOPS']}/{qos['burstIOPS']}"}
    ask(call, "ModifyVolume", volumeID=number(call), attributes=noted)


def is_not_lifted(call: Call) -> bool:
    """When no migration has begun."""
    return "own_qos" not in lun_of(call, call.arguments["volume"]).get("attributes", {})


def slowed(**values: int) -> Any:
    """Lower some of the volume's QoS."""

    def act(call: Call) -> None:
        ask(call, "ModifyVolume", volumeID=number(call), qos=values)

    return do_also(act)


def all_lifted(call: Call) -> None:
    """Lift the other volumes as well."""
    for each in others_of_store(call):
        call.others["driver"].begin_migration(store_of(call), each)


def end_all(call: Call) -> None:
    """End the volume's sessions."""
    end_sessions(call, number(call))


def nobody_in(call: Call) -> None:
    """Take the volume's hosts their access."""
    shut_out_all(call, number(call))


FAULTS = (
    Fault("MIG-001", "ending a migration does nothing", Driver.end_migration, skip(), Kind.LIFE),
    Fault("MIG-001", "a volume gets the array's QoS in the end", Driver.end_migration, do_also(default_qos)),
    Fault("MIG-001", "the burst stays lifted", Driver.end_migration, only_the_maximum),
    Fault("MIG-001", "a restarted plugin ends no migration", Driver.end_migration, skip(), Kind.LIFE, after_restart),
    Fault(
        "MIG-002",
        "beginning twice takes the lifted QoS for the volume's",
        Driver.begin_migration,
        do_first(noted_again),
        Kind.LIFE,
        repeated,
    ),
    Fault(
        "MIG-002",
        "ending what was not begun sets the array's QoS",
        Driver.end_migration,
        do_also(default_qos),
        Kind.CONTRACT,
        is_not_lifted,
    ),
    Fault(
        "MIG-002",
        "ending what was not begun is not found",
        Driver.end_migration,
        fail(lambda call: ObjectNotFound("migration", call.arguments["volume"].uuid)),
        Kind.CONTRACT,
        is_not_lifted,
    ),
    Fault(
        "MIG-002",
        "beginning twice is a conflict",
        Driver.begin_migration,
        fail(lambda call: Conflict(call.arguments["volume"].uuid, "migration", "begun", "none")),
        Kind.CONTRACT,
        repeated,
    ),
    Fault("MIG-003", "a volume that is copied is slow", Driver.begin_migration, slowed(**_LEAST)),
    Fault("MIG-003", "a volume that is copied loses its guarantee", Driver.begin_migration, slowed(minIOPS=50)),
    Fault(
        "MIG-003", "all volumes of the store are lifted", Driver.begin_migration, do_also(all_lifted), Kind.ISOLATION
    ),
    Fault("MIG-010", "beginning a migration does nothing", Driver.begin_migration, skip()),
    Fault("MIG-004", "beginning a migration ends sessions", Driver.begin_migration, do_first(end_all), Kind.LIFE),
    Fault("MIG-004", "ending a migration ends sessions", Driver.end_migration, do_also(end_all), Kind.LIFE),
    Fault("MIG-004", "hosts are shut out for a migration", Driver.begin_migration, do_first(nobody_in), Kind.LIFE),
)
