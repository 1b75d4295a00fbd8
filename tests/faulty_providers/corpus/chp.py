"""Faults against CHP: CHAP on the wire."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import BlockConnection, Capability, ChapCredentials, IscsiPath, Secret, Supported
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Provider, Wire
from tests.faulty_providers.operators import alter_argument, alter_result, do_first
from tests.faulty_providers.solidfire_inside import store_of
from tests.faulty_providers.when import after_restart, repeated_for


def each_initiator(**changes: Any) -> Any:
    """Change what initiators are made with."""
    return alter_argument("initiators", lambda wanted: [{**each, **changes} for each in wanted])


def with_chap(change: Any) -> Any:
    """Change the credentials of a connection's paths."""

    def act(connection: BlockConnection) -> BlockConnection:
        paths = [
            dataclasses.replace(each, chap=change(each.chap)) if isinstance(each, IscsiPath) else each
            for each in connection.paths
        ]
        return dataclasses.replace(connection, paths=tuple(paths))

    return alter_result(act)


def new_secret(call: Call) -> None:
    """Make the host a new secret, on the array too."""
    host, store, target = call.arguments["host"], store_of(call), call.arguments["target"]
    call.others["driver"].connection(store, target, host)  # without a grant there is nothing to renew
    call.others["listener"].host_about_to_be_removed(host, [store])
    call.others["driver"].grant_access(store, target, host)


def mutual(answers: Any) -> Any:
    """Declare mutual CHAP."""
    return {**answers, Capability.MUTUAL_CHAP: Supported()}


def third_time(call: Call) -> bool:
    """When the same is asked for the third time."""
    asked = call.memory.shared.setdefault("asked", {})
    key = call.arguments["target"].uuid, call.arguments["host"].uuid
    asked[key] = asked.get(key, 0) + 1
    return bool(asked[key] == 3)


FAULTS = (
    Fault(
        "CHP-001",
        "initiators need not authenticate",
        Wire.CreateInitiators,
        each_initiator(requireChap=False),
        Kind.SECRET,
    ),
    Fault(
        "CHP-002",
        "credentials are told only once",
        Driver.connection,
        with_chap(lambda chap: None),
        Kind.SECRET,
        repeated_for("target", "host"),
        also=("CHP-001",),
    ),
    Fault(
        "CHP-002",
        "every third answer tells an old secret",
        Driver.connection,
        with_chap(lambda chap: ChapCredentials(chap.username, Secret("the-secret-of-old"[:16]))),
        Kind.SECRET,
        third_time,
    ),
    Fault(
        "CHP-003",
        "all hosts have one secret",
        Wire.CreateInitiators,
        each_initiator(initiatorSecret="one-for-all-hosts"[:16]),
        Kind.SECRET,
    ),
    Fault(
        "CHP-004",
        "a restarted plugin makes new secrets",
        Driver.connection,
        do_first(new_secret),
        Kind.LIFE,
        after_restart,
    ),
    Fault(
        "CHP-004",
        "a restarted plugin tells a secret that it made up",
        Driver.connection,
        with_chap(lambda chap: ChapCredentials(chap.username, Secret("made-up-secret-1"))),
        Kind.LIFE,
        after_restart,
        also=("OPS-006",),
    ),
    Fault("CHP-005", "declares mutual CHAP and has none", Provider.capabilities, alter_result(mutual), Kind.SECRET),
)
