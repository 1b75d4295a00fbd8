"""Faults against CHP-006 to CHP-010: secrets that are replaced, and what secrets look like."""

from __future__ import annotations

import secrets
from typing import Any

from conformance.contract import AccessNotGranted, ObjectNotFound
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Wire
from tests.faulty_providers.operators import alter_argument, do_also, do_first, skip, swallow, swap_error
from tests.faulty_providers.solidfire_inside import ask, end_sessions, shut_out_all, store_of


def each(change: Any) -> Any:
    """Change what initiators are made or changed with."""
    return alter_argument("initiators", lambda wanted: [{**one, **change(one)} for one in wanted])


def others(call: Call) -> list[dict[str, Any]]:
    """The cloud's initiators that are not meant."""
    meant = {one["initiatorID"] for one in call.arguments["initiators"]}
    found = ask(call, "ListInitiators")["initiators"]
    return [one for one in found if one["attributes"].get("host") and one["initiatorID"] not in meant]


def all_the_same(call: Call) -> None:
    """Give every host the new secret."""
    secret = call.arguments["initiators"][0]["initiatorSecret"]
    changes = [{"initiatorID": one["initiatorID"], "initiatorSecret": secret} for one in others(call)]
    ask(call, "ModifyInitiators", initiators=changes)


def all_anew(call: Call) -> None:
    """Give every other host of the array a new secret as well."""
    changes = [
        {"initiatorID": one["initiatorID"], "initiatorSecret": secrets.token_urlsafe(12)} for one in others(call)
    ]
    ask(call, "ModifyInitiators", initiators=changes)


def ended(call: Call) -> None:
    """End the sessions of the volume."""
    end_sessions(call, call.arguments["target"].external_id)


def shut_out(call: Call) -> None:
    """Take the volume out of all groups."""
    shut_out_all(call, call.arguments["target"].external_id)


def let_in(call: Call) -> Any:
    """Let the host in, that there is a secret to replace."""
    driver = call.others["driver"]
    driver.grant_access(store_of(call), call.arguments["target"], call.arguments["host"])
    return call.proceed()


FAULTS = (
    Fault("CHP-006", "rotating does nothing", Driver.rotate_chap, skip(), Kind.SECRET),
    Fault(
        "CHP-006",
        "the next secret is always the same",
        Wire.ModifyInitiators,
        each(lambda one: {"initiatorSecret": "the-next-secret."}),
        Kind.SECRET,
    ),
    Fault(
        "CHP-011",
        "only the first initiator of a host gets the new secret",
        Wire.ModifyInitiators,
        alter_argument("initiators", lambda changes: sorted(changes, key=lambda one: one["initiatorID"])[:1]),
        Kind.SECRET,
    ),
    Fault("CHP-006", "rotating shuts the host out", Driver.rotate_chap, do_also(shut_out), Kind.LIFE),
    Fault("CHP-007", "all hosts get the new secret", Wire.ModifyInitiators, do_also(all_the_same), Kind.SECRET),
    Fault("CHP-007", "all hosts get new secrets", Wire.ModifyInitiators, do_also(all_anew), Kind.ISOLATION),
    Fault("CHP-008", "rotating ends the sessions", Driver.rotate_chap, do_also(ended), Kind.LIFE),
    Fault(
        "CHP-008", "sessions are ended before the secret is replaced", Driver.rotate_chap, do_first(ended), Kind.LIFE
    ),
    Fault(
        "CHP-009",
        "secrets have blanks",
        Wire.CreateInitiators,
        each(lambda one: {"initiatorSecret": f"{one['initiatorSecret'][:7]} {one['initiatorSecret'][8:]}"}),
        Kind.SECRET,
    ),
    Fault(
        "CHP-009",
        "secrets have letters beyond ASCII",
        Wire.CreateInitiators,
        each(lambda one: {"initiatorSecret": f"{one['initiatorSecret'][:11]}ü"}),
        Kind.SECRET,
    ),
    Fault("CHP-010", "nobody's secret is replaced with success", Driver.rotate_chap, swallow(AccessNotGranted)),
    Fault(
        "CHP-010",
        "a host without access is let in",
        Driver.rotate_chap,
        swallow(AccessNotGranted, answer=let_in),
        Kind.ISOLATION,
    ),
    Fault(
        "CHP-010",
        "a host without access is not found",
        Driver.rotate_chap,
        swap_error(AccessNotGranted, lambda error: ObjectNotFound("host", str(error))),
    ),
)
