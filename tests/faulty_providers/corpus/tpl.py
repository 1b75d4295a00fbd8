"""Faults against TPL: templates kept on the array."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    CachedTemplate,
    Conflict,
    InUse,
    InvalidRequest,
    ObjectKind,
    ObjectNotFound,
    OwnedObject,
)
from tests.faulty_providers.corpus.cln import empty, has_clones, large_enough, larger, of, with_clones
from tests.faulty_providers.corpus.prv import MIB
from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import (
    alter_argument,
    alter_result,
    do_also,
    do_first,
    fail,
    first_argument,
    lie,
    skip,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import all_of_store, ask, listed_of_store, store_of
from tests.faulty_providers.when import after_restart, argument, both, repeated

of_template = of(CachedTemplate)
lost = argument("cached", lambda cached: cached.external_id is None)


def on_array(call: Call) -> list[OwnedObject]:
    """The store's templates."""
    listed = call.others["driver"].list_objects(store_of(call))
    return [each for each in listed if each.kind is ObjectKind.TEMPLATE]


def is_there(call: Call) -> bool:
    """When the template that is meant is on the array."""
    return call.arguments["cached"].uuid in {each.owner_uuid for each in on_array(call)}


def is_gone(call: Call) -> bool:
    """When it is not."""
    return not is_there(call)


def twin(call: Call) -> None:
    """Make one more."""
    given = call.arguments
    call.others["driver"].seed_template(given["store"], f"{given['uuid']}-twin", given["template"], given["size_bytes"])


def as_volumes(found: list[OwnedObject]) -> list[OwnedObject]:
    """Tell templates as if they were volumes."""
    changed = {ObjectKind.TEMPLATE: ObjectKind.VOLUME}
    return [dataclasses.replace(each, kind=changed.get(each.kind, each.kind)) for each in found]


def no_templates(found: list[OwnedObject]) -> list[OwnedObject]:
    """Leave templates out."""
    return [each for each in found if each.kind is not ObjectKind.TEMPLATE]


def as_large_as_its_template(call: Call) -> Any:
    """Make the disk as large as the template, whatever is asked (Linstor, CloudStack #7952)."""
    request = call.arguments["request"]
    return call.proceed(request=dataclasses.replace(request, size_bytes=call.arguments["source"].size_bytes))


def others_go(call: Call) -> None:
    """Remove the other templates."""
    for each in on_array(call):
        if each.owner_uuid != call.arguments["cached"].uuid:
            _force(call, int(each.external_id))


def newest_volume_goes(call: Call) -> None:
    """Remove the store's newest volume."""
    for each in all_of_store(call)[-1:]:
        _force(call, int(str(each.external_id)))


def _force(call: Call, number: int) -> None:
    ask(call, "DeleteVolume", volumeID=number)
    ask(call, "PurgeDeletedVolume", volumeID=number)


def to_template(call: Call) -> bool:
    """When access to a template is asked for."""
    return isinstance(call.arguments["target"], CachedTemplate)


def takes_newest(call: Call) -> Any:
    """Answer the template that was made last."""
    made = [each for each in listed_of_store(call) if each["attributes"].get("kind") == "template"]
    return lie(external_id=lambda _: str(made[-1]["volumeID"]))(call) if made else call.proceed()


again = alter_argument("uuid", lambda uuid: f"{uuid}-again")

FAULTS = (
    Fault(
        "TPL-001",
        "a template's LUN is a granule short",
        Driver.seed_template,
        alter_argument("size_bytes", lambda size_bytes: size_bytes - MIB),
        Kind.DATA,
    ),
    Fault("TPL-001", "makes two LUNs", Driver.seed_template, do_also(twin), Kind.LEAK),
    Fault("TPL-001", "templates are not listed", Driver.list_objects, alter_result(no_templates), Kind.LEAK),
    Fault("TPL-001", "templates are listed as volumes", Driver.list_objects, alter_result(as_volumes), Kind.IDENTITY),
    Fault(
        "TPL-001",
        "nobody is let in to fill a template",
        Driver.grant_access,
        fail(lambda call: ObjectNotFound("volume", call.arguments["target"].uuid)),
        Kind.LIFE,
        to_template,
    ),
    Fault("TPL-002", "a root disk is empty", Driver.clone, empty, Kind.DATA, of_template),
    Fault(
        "TPL-002",
        "all root disks are of the first template",
        Driver.clone,
        first_argument("source"),
        Kind.DATA,
        of_template,
        also=("TPL-003",),
    ),
    Fault(
        "TPL-002",
        "a root disk is as large as its template",
        Driver.clone,
        as_large_as_its_template,
        Kind.DATA,
        both(of_template, larger),
    ),
    Fault(
        "TPL-002",
        "a root disk larger than its template is refused",
        Driver.clone,
        fail(lambda call: InvalidRequest("size_bytes", call.arguments["request"].size_bytes, "the template's")),
        Kind.CONTRACT,
        both(of_template, larger),
    ),
    Fault("TPL-003", "deleting a template does nothing", Driver.delete_template, skip(), Kind.LEAK),
    Fault("TPL-003", "root disks go with their template", Driver.delete_template, with_clones("cached"), Kind.DATA),
    Fault("TPL-003", "other templates go as well", Driver.delete_template, do_first(others_go), Kind.DATA, is_there),
    Fault(
        "TPL-003",
        "a template that is gone is not found",
        Driver.delete_template,
        fail(lambda call: ObjectNotFound("template", call.arguments["cached"].uuid)),
        Kind.CONTRACT,
        is_gone,
    ),
    Fault(
        "TPL-003",
        "a template with root disks stays",
        Driver.delete_template,
        fail(lambda call: InUse(str(call.arguments["cached"].external_id), ("a root disk",))),
        Kind.LEAK,
        has_clones("cached"),
    ),
    Fault("TPL-004", "a repeated seed makes another", Driver.seed_template, again, Kind.LEAK, repeated),
    Fault(
        "TPL-004",
        "a repeated seed is a conflict",
        Driver.seed_template,
        fail(lambda call: Conflict(call.arguments["uuid"], "uuid", "taken", "new")),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "TPL-004",
        "after a restart a template is made again",
        Driver.seed_template,
        again,
        Kind.LEAK,
        both(repeated, after_restart),
    ),
    Fault("TPL-005", "a template without an id is not looked for", Driver.delete_template, skip(), Kind.LEAK, lost),
    Fault(
        "TPL-005",
        "without an id all templates go",
        Driver.delete_template,
        do_first(others_go),
        Kind.DATA,
        both(lost, is_there),
    ),
    Fault(
        "TPL-005",
        "without an id the newest volume goes too",
        Driver.delete_template,
        do_first(newest_volume_goes),
        Kind.DATA,
        both(lost, is_there),
    ),
    Fault(
        "TPL-006",
        "a smaller root disk is as large as its template",
        Driver.clone,
        large_enough,
        Kind.CONTRACT,
        of_template,
    ),
    Fault(
        "TPL-006",
        "a smaller root disk is a conflict",
        Driver.clone,
        swap_error(InvalidRequest, lambda error: Conflict("volume", "size_bytes", str(error), "larger")),
        Kind.CONTRACT,
        of_template,
    ),
)
