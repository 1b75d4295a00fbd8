from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from simulators.array import strangers
from simulators.array.accounts import Account, AccountChange
from simulators.array.element_api.make import ELEMENT
from simulators.array.groups import GroupChange
from simulators.array.initiators import InitiatorWish
from simulators.array.limits import MIB, Limits
from simulators.array.model import ArrayModel
from simulators.array.qos import QosChange
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register
from simulators.array.volume import Volume, VolumeChange, VolumeWish
from tests.simulators.array.client import GB, HOST, OTHER_HOST, HandClock, bare_model

WIDE = Limits(
    volumes=100_000,
    volumes_per_account=100_000,
    volumes_per_group=100_000,
    initiators=100_000,
    groups=100_000,
)


def wish(account: Account, name: str = "vol", size_bytes: int = GB) -> VolumeWish:
    return VolumeWish(name, account.account_id, size_bytes, has_512e=True, qos=QosChange(), attributes={})


def tenant(model: ArrayModel, name: str = "tenant") -> Account:
    return model.accounts.add(name, AccountChange())


def volume(model: ArrayModel) -> Volume:
    return model.volumes.create(wish(tenant(model, f"tenant-{len(model.accounts.rows)}")))


def reason_of(call: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.reason


def test_numbers_ascend_and_are_never_used_again() -> None:
    register: Register[str] = Register()
    assert [register.add(each) for each in "abc"] == [1, 2, 3]
    register.remove(3)
    register.remove(2)
    assert (register.next_number, register.add("d"), len(register)) == (4, 4, 2)
    assert list(register.starting_at(2)) == ["d"]
    assert (register.find(1), register.find(2)) == ("a", None)


def test_names_and_designators_are_built_as_on_the_real_array() -> None:
    model = bare_model()
    made = model.volumes.create(wish(tenant(model), "haxeJavafodlNq26"))
    cluster = model.unique_id.encode().hex()
    assert made.iqn == f"iqn.2010-01.com.solidfire:{model.unique_id}.haxejavafodlnq26.1"
    assert made.naa == f"6f47acc100000000{cluster}00000001"
    assert made.eui == f"{cluster}00000001f47acc0100000000"
    assert model.volumes.find_target(made.iqn.upper()) is made
    # Read from an array: cluster mn4y, volume 361.
    assert ELEMENT.naa_of("mn4y", 361) == "6f47acc1000000006d6e347900000169"


@pytest.mark.parametrize(
    ("asked", "real"),
    [(GB, 954 * MIB), (954 * MIB, 954 * MIB), (10 * GB, 10000269312), (15 * GB, 15000928256)],
)
def test_sizes_are_rounded_up_to_a_mebibyte(asked: int, real: int) -> None:
    model = bare_model()
    assert model.volumes.create(wish(tenant(model), size_bytes=asked)).size_bytes == real


def test_a_volume_knows_when_it_was_changed() -> None:
    clock = HandClock()
    model = bare_model(clock)
    made = volume(model)
    assert made.changed_at == made.created_at == clock.now()
    for change in (
        lambda: model.volumes.modify(1, VolumeChange(attributes={})),
        lambda: model.volumes.rename(made, "new"),
    ):
        clock.advance(timedelta(minutes=1))
        change()
        assert made.changed_at == clock.now()


def test_deleted_volumes_keep_their_space_until_they_are_purged() -> None:
    model = bare_model()
    made = volume(model)
    made.blocks.write(0, b"x")
    model.volumes.delete(made.volume_id)
    assert (model.capacity.used_bytes, model.capacity.extents.value) == (made.size_bytes, 1)
    assert made.volume_id in model.accounts.get(made.account_id).volumes
    model.purge_volume(made.volume_id)
    assert (model.capacity.used_bytes, model.capacity.extents.value, len(model.volumes.rows)) == (0, 0, 0)
    assert model.accounts.get(made.account_id).volumes == {}
    assert list(model.volumes.named(made.name)) == []


def test_deleted_volumes_are_purged_after_eight_hours() -> None:
    clock = HandClock()
    model = bare_model(clock)
    first, second, third = (volume(model).volume_id for _ in range(3))
    model.volumes.delete(second)
    clock.advance(timedelta(hours=1))
    model.volumes.delete(first)
    model.volumes.delete(third)
    model.volumes.restore(third)
    clock.advance(ELEMENT.kept_for - timedelta(hours=1))
    model.settle()
    assert [each.volume_id for each in model.volumes.rows] == [first, third]
    clock.advance(timedelta(hours=1))
    model.settle()
    assert [each.volume_id for each in model.volumes.rows] == [third]


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    model = bare_model(capacity_bytes=1500 * MIB)
    made = volume(model)
    assert reason_of(lambda: volume(model)) is Reason.CAPACITY_EXHAUSTED
    grown = VolumeChange(size_bytes=1501 * MIB)
    assert reason_of(lambda: model.volumes.modify(made.volume_id, grown)) is Reason.CAPACITY_EXHAUSTED
    assert (model.capacity.used_bytes, made.size_bytes, len(model.volumes.rows)) == (954 * MIB, 954 * MIB, 1)
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=1500 * MIB))
    assert model.capacity.used_bytes == 1500 * MIB


def test_filling_leaves_exactly_what_is_asked_and_can_be_repeated() -> None:
    model = bare_model()
    for free_bytes in (5 * GB, 0, 7 * GB):
        strangers.fill(model, free_bytes)
        assert model.capacity.total_bytes - model.capacity.used_bytes == free_bytes
    assert [each.name[:7] for each in model.volumes.rows] == ["filler-"]
    assert reason_of(lambda: model.volumes.create(wish(tenant(model), size_bytes=8 * GB))) is (
        Reason.CAPACITY_EXHAUSTED
    )
    strangers.fill(model, model.capacity.total_bytes)
    assert len(model.volumes.rows) == 0


def test_filling_when_less_is_free_already_changes_no_volume() -> None:
    model = bare_model(capacity_bytes=1000 * MIB)
    made = volume(model)
    strangers.fill(model, 500 * MIB)
    assert list(model.volumes.rows) == [made]


def test_the_revision_moves_with_every_change_of_access() -> None:
    model = bare_model()
    made = volume(model)
    group = model.groups.create(GroupChange(name="g"))
    number, account_id = group.group_id, made.account_id
    steps: list[Callable[[], object]] = [
        lambda: model.groups.add_volumes(number, [made.volume_id]),
        lambda: model.groups.add_initiators(number, [HOST]),
        lambda: model.groups.remove_initiators(number, [HOST], deletes_orphans=False),
        lambda: model.groups.remove_volumes(number, [made.volume_id]),
        lambda: model.groups.modify(number, GroupChange(initiators=[HOST], volumes=[made.volume_id])),
        lambda: model.groups.delete_initiators([1]),
        lambda: model.groups.delete(number, deletes_orphans=False),
        lambda: model.accounts.modify(account_id, AccountChange(uses_chap=False)),
        lambda: model.volumes.delete(made.volume_id),
        lambda: model.volumes.restore(made.volume_id),
        lambda: model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2 * GB)),
    ]
    seen = [model.revision.number]
    for step in steps:
        step()
        seen.append(model.revision.number)
    assert seen == sorted(set(seen))


def test_a_change_that_is_refused_in_part_is_refused_wholly() -> None:
    model = bare_model()
    made, other = volume(model), volume(model)
    model.groups.create(GroupChange(name="taken", initiators=[OTHER_HOST]))
    group = model.groups.create(GroupChange(name="g", initiators=[HOST], volumes=[made.volume_id]))
    before = (dict(group.initiators), dict(group.volumes), len(model.initiators.rows), len(model.groups.rows))
    change = GroupChange(name="new", volumes=[other.volume_id], initiators=[OTHER_HOST])
    calls: list[Callable[[], object]] = [
        lambda: model.groups.add_initiators(group.group_id, ["iqn.2000-01.x:new", OTHER_HOST]),
        lambda: model.groups.add_volumes(group.group_id, [other.volume_id, made.volume_id]),
        lambda: model.groups.remove_volumes(group.group_id, [made.volume_id, other.volume_id]),
        lambda: model.groups.remove_initiators(group.group_id, [HOST, OTHER_HOST], deletes_orphans=True),
        lambda: model.groups.modify(group.group_id, change),
        lambda: model.groups.create(change),
        lambda: model.groups.delete_initiators([1, 99]),
        lambda: model.groups.create_initiators([InitiatorWish("iqn.2000-01.x:a"), InitiatorWish(HOST)]),
        lambda: model.groups.create_initiators([InitiatorWish("iqn.2000-01.x:a", group_id=77)]),
    ]
    for call in calls:
        with pytest.raises(Refused):
            call()
    after = (dict(group.initiators), dict(group.volumes), len(model.initiators.rows), len(model.groups.rows))
    assert (after, group.name) == (before, "g")


def test_older_limits_can_be_set() -> None:
    model = bare_model(limits=Limits(initiators_per_group=2, groups_per_volume=1))
    made = volume(model)
    model.groups.create(GroupChange(name="g", initiators=[HOST, OTHER_HOST], volumes=[made.volume_id]))
    second = model.groups.create(GroupChange(name="h"))
    add_one = lambda: model.groups.add_initiators(1, ["iqn.2000-01.x:a"])  # noqa: E731
    assert reason_of(add_one) is Reason.LIMIT_EXCEEDED
    assert reason_of(lambda: model.groups.add_volumes(second.group_id, [made.volume_id])) is (Reason.LIMIT_EXCEEDED)


@pytest.mark.parametrize(
    ("limits", "one_too_many"),
    [
        (Limits(accounts=2), lambda model: tenant(model)),
        (Limits(volumes=2), lambda model: model.volumes.create(wish(model.accounts.get(2)))),
        (Limits(volumes_per_account=2), lambda model: model.volumes.create(wish(model.accounts.get(1)))),
        (Limits(groups=1), lambda model: model.groups.create(GroupChange("h"))),
        (Limits(initiators=1), lambda model: model.groups.create_initiators([InitiatorWish(OTHER_HOST)])),
        (Limits(initiators=1), lambda model: model.groups.add_initiators(1, [OTHER_HOST])),
        (Limits(initiators_per_group=1), lambda model: model.groups.add_initiators(1, [OTHER_HOST])),
        (
            Limits(initiators_per_group=1),
            lambda model: model.groups.create_initiators([InitiatorWish(OTHER_HOST, group_id=1)]),
        ),
        (Limits(volumes_per_group=1), lambda model: model.groups.add_volumes(1, [2])),
        (Limits(volumes_per_group=1), lambda model: model.groups.modify(1, GroupChange(volumes=[1, 2]))),
    ],
)
def test_each_limit_holds(limits: Limits, one_too_many: Callable[[ArrayModel], object]) -> None:
    model = bare_model(limits=limits)
    first, _ = tenant(model, "first"), tenant(model, "second")
    for _ in range(2):
        model.volumes.create(wish(first))
    model.groups.create(GroupChange("g", [HOST], [1]))
    assert reason_of(lambda: one_too_many(model)) is Reason.LIMIT_EXCEEDED


def test_an_account_that_is_full_takes_no_volume_of_another() -> None:
    model = bare_model(limits=Limits(volumes_per_account=1))
    first, second = volume(model), volume(model)
    change = VolumeChange(account_id=first.account_id)
    assert reason_of(lambda: model.volumes.modify(second.volume_id, change)) is Reason.LIMIT_EXCEEDED
    third = tenant(model, "third")
    model.volumes.modify(second.volume_id, VolumeChange(account_id=third.account_id))
    assert (second.account_id, list(third.volumes)) == (third.account_id, [second.volume_id])


def test_secrets_are_in_no_representation() -> None:
    model = bare_model()
    account = model.accounts.add("tenant", AccountChange(initiator_secret="0123456789ab"))
    assert "0123456789ab" not in repr(account)
    assert account.target_secret not in repr(account)


def furnished(volumes: int, initiators: int) -> ArrayModel:
    """A model with as many of each, all in groups."""
    model = bare_model(limits=WIDE)
    account = tenant(model)
    for number in range(1, volumes + 1):
        model.volumes.create(wish(account, f"v{number}"))
    model.groups.create(GroupChange("first"))
    for number in range(1, initiators + 1):
        model.groups.create(GroupChange(f"g{number}", [f"{HOST}.{number}"], [1 + number % volumes]))
    return model


def cost_of_a_cycle(model: ArrayModel) -> float:
    """Seconds for create, modify, grant, find, delete and purge."""
    account = model.accounts.get(1)
    start = time.perf_counter()
    made = model.volumes.create(wish(account, f"v{model.volumes.rows.next_number}"))
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=made.size_bytes))
    model.groups.add_volumes(1, [made.volume_id])
    model.volumes.find_target(made.iqn)
    tuple(model.volumes.named(made.name))
    next(model.volumes.rows.starting_at(made.volume_id))
    model.volumes.delete(made.volume_id)
    model.purge_volume(made.volume_id)
    return time.perf_counter() - start


@pytest.mark.slow
def test_cost_is_flat_up_to_ten_thousand_volumes_and_a_thousand_initiators() -> None:
    small, large = furnished(100, 10), furnished(10_000, 1000)
    # Taken in turns, and the best of many: whatever else the machine does slows both down.
    costs = [(cost_of_a_cycle(small), cost_of_a_cycle(large)) for _ in range(400)]
    assert min(cost for _, cost in costs) <= 1.3 * min(cost for cost, _ in costs)
