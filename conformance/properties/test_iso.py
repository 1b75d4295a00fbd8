"""ISO: only one's own."""

from __future__ import annotations

from conformance.contract import WitnessPower
from conformance.expect import ARRAY, expect_equal
from conformance.judgements import whole_life
from conformance.requirement import requirement
from conformance.subject import RunningSubject


@requirement("ISO-001", needs=[WitnessPower.FILL], rests_on=["DEL-004", "LIF-006"])
def test_iso_001_strangers_luns_are_left_alone(subject: RunningSubject) -> None:
    """LUNs that somebody else made on the array MUST stay as they are, whatever the plugin does."""
    with subject.world() as world:
        room = 64 * subject.declared.limits.rounded_up(subject.declared.limits.smallest_lun_bytes)
        world.fill(room)
        before = world.view()
        whole_life(world)
        world.remove_store(world.store.request)
        after = {each.external_id: each for each in world.view().luns}
        for each in before.luns:
            expect_equal("a stranger's LUN", after.get(each.external_id), each, ARRAY)
