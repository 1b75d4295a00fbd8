"""OPS: how calls behave, whatever they do."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from hypothesis import strategies as st

from conformance.contract import Capability, ObjectNotFound, WitnessPower
from conformance.expect import ARRAY, HOST, PLUGIN, expect_bytes, expect_done, expect_equal, expect_none, expect_refusal
from conformance.judgements import (
    count_is,
    facts,
    given_up_and_repeated,
    is_as_large,
    is_gone,
    locked_out,
    made_and_deleted_together,
    nothing_changes,
    qos_is,
    volume_holds,
    whole_life,
)
from conformance.leaks import close_provider
from conformance.machines.operations import Step, programs
from conformance.machines.sequential import follow
from conformance.machines.tours import tours
from conformance.requirement import Need, given, pinned, pinned_all, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, growths
from conformance.subject import RunningSubject


@requirement("OPS-001", rests_on=["REG-001"], watches=True)
def test_ops_001_every_call_returns_in_time(subject: RunningSubject) -> None:
    """Every call MUST return within the time that completion_seconds declares for it."""
    with subject.world() as world:
        whole_life(world)


@requirement("OPS-002", needs=[WitnessPower.ACCESS], rests_on=["PRV-001", "ACC-001", "DEL-001"])
def test_ops_002_the_whole_effect_is_there_at_return(subject: RunningSubject) -> None:
    """When a call returns its whole effect MUST be on the array, and nothing follows later."""
    with subject.world() as world:
        keeping, going = world.create(), world.create()
        world.grant(keeping, world.host())
        world.delete(going)
        at_return = facts(world.own_view())
        # Long enough for a plugin's own thread to do what it had put off.
        threading.Event().wait(0.05)
        expect_equal("the array a moment later", facts(world.own_view()), at_return, ARRAY)


@requirement("OPS-003", rests_on=["REG-001"], watches=True)
def test_ops_003_only_errors_of_the_contract_leave_a_plugin(subject: RunningSubject) -> None:
    """A call MUST raise nothing but the contract's errors, whatever happens inside."""
    with subject.world() as world:
        whole_life(world)


@requirement("OPS-004", rests_on=["REG-001"], watches=True)
def test_ops_004_answers_are_of_the_contracts_types(subject: RunningSubject) -> None:
    """A call MUST answer the type that the contract says."""
    with subject.world() as world:
        whole_life(world)


@requirement("OPS-005", rests_on=["REG-001"], watches=True)
def test_ops_005_a_closed_plugin_leaves_nothing_behind(subject: RunningSubject) -> None:
    """`close` MUST succeed, and leave no thread and no connection behind."""
    # It may be that a plugin was only looked at.
    close_provider(subject.new_provider())
    with subject.world() as world:
        whole_life(world)
        expect_equal("connections left open", world.connections_after_close(), 0, PLUGIN)


@requirement("OPS-006", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["PRV-002", "ACC-004", "DEL-003"])
@given(pattern=patterns())
def test_ops_006_a_restart_between_calls_changes_nothing(subject: RunningSubject, pattern: Pattern) -> None:
    """Every call MUST work on a new instance of the plugin that knows nothing but its arguments."""
    with subject.world() as world:
        made = world.create()
        world.restart_plugin()
        again = expect_done("create after a restart", lambda: world.driver_create(made.volume.request))
        expect_equal("external_id", again.external_id, made.volume.external_id, PLUGIN)
        host = world.host()
        world.restart_plugin()
        expect_done("grant_access after a restart", lambda: world.grant(made, host))
        world.restart_plugin()
        session = expect_done("connection after a restart", lambda: world.login(made, host))
        session.write(0, pattern.content)
        world.restart_plugin()
        expect_bytes("data after a restart", session.read(0, len(pattern.content)), pattern.content, HOST)
        expect_equal("owners listed", world.owners(world.store), [made.uuid], PLUGIN)
        expect_done("revoke_access after a restart", lambda: world.revoke(made, host))
        world.restart_plugin()
        expect_done("delete after a restart", lambda: world.delete(made))
        expect_equal("owners listed", world.owners(world.store), [], PLUGIN)


@requirement("OPS-007", needs=[WitnessPower.LUNS], rests_on=["DEL-001", "ACC-001"])
def test_ops_007_what_is_gone_is_not_found(subject: RunningSubject) -> None:
    """`grant_access` for a volume that is gone MUST raise ObjectNotFound and change nothing."""
    with subject.world() as world:
        made, _neighbour = world.create(), world.create()
        host = world.host()
        world.delete(made)
        with nothing_changes(world):
            expect_refusal(
                ObjectNotFound,
                "granting a deleted volume",
                lambda: world.driver.grant_access(world.store, made.volume, host),
            )


@requirement("OPS-008", needs=[Capability.RESIZE, WitnessPower.LUNS], rests_on=["DEL-001", "EXT-001"])
def test_ops_008_what_is_gone_does_not_grow(subject: RunningSubject) -> None:
    """`resize` of a volume that is gone MUST raise ObjectNotFound and change nothing."""
    with subject.world() as world:
        made, _neighbour = world.create(), world.create()
        world.delete(made)
        resizer: Any = world.driver
        larger = Growth(1).beyond(made.volume.size_bytes, subject.declared.limits)
        with nothing_changes(world):
            expect_refusal(
                ObjectNotFound,
                "resizing a deleted volume",
                lambda: resizer.resize(world.store, made.volume, larger),
            )


@requirement("OPS-009", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["OPS-006"])
def test_ops_009_two_instances_serve_one_store(subject: RunningSubject) -> None:
    """What one instance of the plugin made MUST be there for another that serves the same store at the same time."""
    with subject.world() as world:
        made = world.create()
        other = world.new_instance()
        store = other.localised(world.store)
        host = world.host()
        expect_done(
            "grant_access by another instance",
            lambda: other.plugin.driver.grant_access(store, made.volume, host),
        )
        made.granted[host] = None
        world.login(made, host).close()
        repeated = expect_done(
            "create by another instance",
            lambda: other.plugin.driver.create(store, made.volume.request, world.placement),
        )
        expect_equal("external_id", repeated.external_id, made.volume.external_id, PLUGIN)


@requirement(
    "OPS-010",
    needs=[WitnessPower.ACCESS, Need.PROBE],
    rests_on=[
        "PRV-002",
        "PRV-012",
        "ACC-007",
        "ACC-010",
        "ACC-013",
        "DEL-004",
        "EXT-002",
        "OPS-006",
        "LEK-002",
        "ACC-012",
        "ACC-011",
        "QOS-002",
        "SNP-004",
        "SNP-014",
        "REV-008",
        "CLN-010",
        "CLN-016",
        "TPL-003",
        "MIG-002",
        "CHP-006",
    ],
    examples=1.5,
)
@pinned_all(*({"program": list(each)} for each in tours()), quick=2)
@given(program=programs())
def test_ops_010_any_sequence_ends_as_the_model_says(subject: RunningSubject, program: list[Step]) -> None:
    """After any sequence of operations on several volumes and hosts the array, the hosts and the data MUST be as
    expected.
    """
    with subject.world() as world:
        follow(world, program)


@requirement("OPS-011", needs=[WitnessPower.LUNS], rests_on=["OPS-006", "LIF-006", "HST-003"])
def test_ops_011_a_restart_before_the_end_changes_nothing(subject: RunningSubject) -> None:
    """Hosts and stores MUST be removed whole by a new instance of the plugin that never saw them before."""
    with subject.world() as world:
        made = world.create()
        host = world.host()
        world.grant(made, host)
        world.restart_plugin()
        expect_done("revoke_access after a restart", lambda: world.revoke(made, host))
        world.remove_host(host)
        world.forget(made)
        request = world.store.request
        world.restart_plugin()
        expect_done("delete_datastore after a restart", lambda: world.remove_store(request))
        expect_none("LUN left", world.new_luns(), ARRAY)


@requirement("OPS-012", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["PRV-002", "ACC-004", "DEL-002"], examples=0.5)
@pinned(nth=2)
@pinned(nth=1)
@given(nth=st.integers(0, 9))
def test_ops_012_a_caller_may_give_up(subject: RunningSubject, nth: int) -> None:
    """A call whose caller gives up MUST raise OperationCancelled, or have its whole effect; repeated, it succeeds."""
    with subject.world() as world:
        store, request, host, before = world.store, world.request(), world.host(), world.view()
        create = partial(world.driver_create, request, store)
        given_up_and_repeated(world, nth, "create", create, lambda: count_is(world, luns=1))
        made = world.keep(request, create(), before, store)
        driver, volume = world.driver, made.volume
        grant = partial(driver.grant_access, store, volume, host)
        made.granted[host] = None
        given_up_and_repeated(world, nth, "grant_access", grant, lambda: world.login(made, host).close())
        told = world.connection(made, host)
        revoke = partial(driver.revoke_access, store, volume, host, list(world.placement.hosts))
        given_up_and_repeated(world, nth, "revoke_access", revoke, lambda: locked_out(world, host, told))
        world.revoke(made, host)
        delete = partial(driver.delete, store, volume)
        given_up_and_repeated(world, nth, "delete", delete, lambda: is_gone(world, made))
        world.delete(made)


@requirement(
    "OPS-013",
    needs=[Capability.VOLUME_FROM_VOLUME, Capability.SNAPSHOT, WitnessPower.SNAPSHOTS],
    rests_on=["OPS-012", "CLN-006", "SNP-002"],
    examples=0.5,
)
@pinned(nth=2)
@pinned(nth=1)
@given(nth=st.integers(0, 9))
def test_ops_013_a_caller_may_give_up_a_copy(subject: RunningSubject, nth: int) -> None:
    """`clone` and `take_snapshot` whose caller gives up MUST raise OperationCancelled, or have their whole effect;
    repeated, they succeed.
    """
    with subject.world() as world:
        source, before = world.create(), world.view()
        request = world.clone_request(source)
        clone = partial(world.driver_clone, source, request)
        given_up_and_repeated(world, nth, "clone", clone, lambda: count_is(world, luns=2))
        world.keep(request, clone(), before, None)
        world.check_room_for_snapshot(source)
        before, wanted = world.view(), world.snapshot_request()
        snapshot = partial(world.driver_snapshot, source, wanted)
        given_up_and_repeated(world, nth, "take_snapshot", snapshot, lambda: count_is(world, snapshots=1))
        taken = world.keep_snapshot(source, wanted, snapshot(), before)
        delete = partial(world.copier.delete_snapshot, world.store, taken.snapshot)
        given_up_and_repeated(world, nth, "delete_snapshot", delete, lambda: count_is(world, snapshots=0))
        world.delete_snapshot(taken)


@requirement(
    "OPS-014",
    needs=[Capability.RESIZE, Capability.QOS, WitnessPower.SIZE, WitnessPower.QOS],
    rests_on=["OPS-012", "EXT-003", "QOS-002"],
    examples=0.5,
)
@pinned(nth=2, growth=Growth(1), policy=QosAt(500, 500, 500))
@pinned(nth=1, growth=Growth(1), policy=QosAt(500, 500, 500))
@given(nth=st.integers(0, 9), growth=growths(), policy=policies())
def test_ops_014_a_caller_may_give_up_a_change(
    subject: RunningSubject, nth: int, growth: Growth, policy: QosAt
) -> None:
    """`resize` and `set_qos` whose caller gives up MUST raise OperationCancelled, or have their whole effect;
    repeated, they succeed.
    """
    with subject.world() as world:
        made = world.create()
        asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        wanted = policy.resolve(subject.declared.limits)
        resize = partial(world.copier.resize, world.store, made.volume, asked)
        given_up_and_repeated(world, nth, "resize", resize, lambda: is_as_large(world, made, asked))
        world.resize(made, asked)
        change = partial(world.copier.set_qos, world.store, made.volume, wanted)
        given_up_and_repeated(world, nth, "set_qos", change, lambda: qos_is(world, made, wanted))
        made.qos = wanted


@requirement("OPS-015", needs=[Capability.REVERT, Need.PROBE], rests_on=["OPS-013", "REV-008"], examples=0.5)
@pinned(nth=2, pattern=Pattern(1))
@pinned(nth=1, pattern=Pattern(1))
@given(nth=st.integers(0, 9), pattern=patterns())
def test_ops_015_a_caller_may_give_up_a_revert(subject: RunningSubject, nth: int, pattern: Pattern) -> None:
    """`revert` whose caller gives up MUST raise OperationCancelled, or have put back every byte; repeated, it
    succeeds.
    """
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, pattern.content)
        taken = world.snapshot(made)
        world.put(made, 0, bytes(len(pattern.content)))
        revert = partial(world.copier.revert, world.store, made.volume, taken.snapshot)
        with world.released(made):
            given_up_and_repeated(world, nth, "revert", revert, lambda: volume_holds(world, made, 0, pattern.content))


@requirement("OPS-016", needs=[Need.ENDPOINT, WitnessPower.LUNS], rests_on=["OPS-009", "DEL-001", "LEK-002"])
def test_ops_016_volumes_are_made_and_deleted_at_one_time(subject: RunningSubject) -> None:
    """`create` for two volumes at one time, by two instances, MUST make both, and `delete` remove both."""
    with subject.world() as world:
        made_and_deleted_together(world)
