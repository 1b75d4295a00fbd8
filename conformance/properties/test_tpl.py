"""TPL: templates kept on the array."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from conformance.contract import CachedTemplate, Capability, InvalidRequest, ObjectKind, WitnessPower
from conformance.expect import ARRAY, HOST, PLUGIN, expect_bytes, expect_done, expect_equal, expect_refusal
from conformance.judgements import listed, nothing_changes, size_is_true, volume_holds
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import BLOCK, Pattern, Place, patterns
from conformance.strategies.sizes import Granules, Growth, Size, growths, sizes, within
from conformance.subject import RunningSubject


@requirement(
    "TPL-001", needs=[Capability.TEMPLATE_CACHE, WitnessPower.SIZE, Need.PROBE], rests_on=["PRV-001", "ACC-001"]
)
@pinned(pattern=Pattern(1), asked=Granules(2))
@given(pattern=patterns(), asked=sizes())
def test_tpl_001_a_template_is_seeded_and_filled(subject: RunningSubject, pattern: Pattern, asked: Size) -> None:
    """`seed_template` MUST make one empty LUN of the asked size, that a host can be granted to fill it."""
    with subject.world() as world:
        seeded = world.seed(pattern.content, asked)
        size_is_true(world, seeded.made, seeded.cached.template.size_bytes)
        expect_equal("templates listed", listed(world, ObjectKind.TEMPLATE), [_id(seeded.cached)], PLUGIN)


@requirement("TPL-002", needs=[Capability.TEMPLATE_CACHE, Need.PROBE], rests_on=["TPL-001"])
@given(pattern=patterns(), growth=growths())
def test_tpl_002_a_root_disk_is_the_template(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """`clone` of a template MUST make a volume with its bytes, and zeros beyond them where it is larger."""
    with subject.world() as world:
        seeded = world.seed(pattern.content)
        larger = growth.beyond(seeded.cached.size_bytes, subject.declared.limits)
        for size_bytes in (seeded.cached.size_bytes, larger):
            disk = world.clone(seeded, replace(world.request(), size_bytes=size_bytes))
            volume_holds(world, disk, 0, pattern.content, what="the root disk")
            _, session = world.access(disk)
            last = session.read(Place(-1).offset(session.size_bytes, BLOCK), BLOCK)
            expect_bytes("the end of the root disk", last, bytes(BLOCK), HOST)


@requirement("TPL-003", needs=[Capability.TEMPLATE_CACHE, WitnessPower.LUNS, Need.PROBE], rests_on=["TPL-002"])
@given(pattern=patterns())
def test_tpl_003_disks_outlive_their_template(subject: RunningSubject, pattern: Pattern) -> None:
    """`delete_template` MUST remove the template and leave its clones; absent is success."""
    with subject.world() as world:
        seeded, kept = world.seed(pattern.content), world.seed(pattern.content)
        disk = world.clone(seeded)
        for _ in range(2):
            expect_done("delete_template", lambda: world.delete_template(seeded))
        volume_holds(world, disk, 0, pattern.content, what="the root disk")
        expect_equal("templates listed", listed(world, ObjectKind.TEMPLATE), [_id(kept.cached)], PLUGIN)
        volume_holds(world, world.clone(kept), 0, pattern.content, what="a disk of the other template")


@requirement("TPL-004", needs=[Capability.TEMPLATE_CACHE, WitnessPower.LUNS], rests_on=["TPL-001"])
def test_tpl_004_a_repeated_seed_makes_no_second(subject: RunningSubject) -> None:
    """`seed_template` with the same uuid again MUST answer the same LUN and make no second one."""
    with subject.world() as world:
        seeded = world.seed()
        request = replace(world.request(), uuid=seeded.cached.uuid, size_bytes=seeded.cached.template.size_bytes)
        world.restart_plugin()
        with nothing_changes(world):
            again = expect_done("a repeated seed", lambda: world.driver_seed(request, seeded.cached.template))
        expect_equal("external_id", again.external_id, seeded.cached.external_id, PLUGIN)


@requirement("TPL-005", needs=[Capability.TEMPLATE_CACHE, WitnessPower.LUNS], rests_on=["TPL-003"])
def test_tpl_005_a_lost_template_is_found_by_its_uuid(subject: RunningSubject) -> None:
    """`delete_template` without an external_id MUST remove the template of that uuid, and nothing else."""
    with subject.world() as world:
        lost, kept, volume = world.seed(), world.seed(), world.create()
        nameless = replace(lost.cached, external_id=None, identity=None, details={})
        world.restart_plugin()
        expect_done("delete by uuid", lambda: world.copier.delete_template(world.store, nameless))
        there = sorted(each.external_id for each in world.new_luns())
        wanted = sorted(each.lun.external_id for each in (kept.made, volume) if each.lun is not None)
        expect_equal("LUNs", there, wanted, ARRAY)


@requirement("TPL-006", needs=[Capability.TEMPLATE_CACHE, WitnessPower.LUNS], rests_on=["TPL-002"])
def test_tpl_006_a_disk_smaller_than_its_template_is_refused(subject: RunningSubject) -> None:
    """`clone` of a template to a smaller disk MUST raise InvalidRequest and make nothing."""
    with subject.world() as world:
        within(world.size(Granules(1)) + 1, subject.declared.limits)
        seeded = world.seed(size=Granules(2))
        request = world.request(Granules(1))
        smaller = partial(world.driver_clone, seeded, request)
        with nothing_changes(world):
            expect_refusal(InvalidRequest, "a disk smaller than its template", smaller)


def _id(cached: CachedTemplate) -> tuple[str, str]:
    return cached.uuid, str(cached.external_id)
