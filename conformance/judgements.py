"""Judgements that depend on what a plugin declares: properties have no branches, these do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessMechanism,
    ArrayView,
    BelowMinimum,
    BlockConnection,
    BridgeError,
    Capability,
    CapabilityNotSupported,
    CapacityExhausted,
    ChapCredentials,
    ChapScope,
    DeleteWhileGranted,
    Hookup,
    Host,
    HostListener,
    InUse,
    InvalidRequest,
    IscsiPath,
    ProbeIoError,
    ProbeRefused,
    ProbeSession,
    ProviderError,
    QosPolicy,
    Secret,
    SnapshotRequest,
    SpaceAccounting,
    Template,
    WitnessedLun,
)
from conformance.errors import KitError
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    broken,
    expect,
    expect_done,
    expect_equal,
    expect_none,
    expect_refusal,
    expect_size,
)
from conformance.strategies.data import BLOCK
from conformance.strategies.qos import QosAt
from conformance.world import Made, World


def lun_bytes(world: World, asked: int) -> int:
    """What the LUN must have at least: in hookup PLUGIN the plugin adds what the hypervisor's datastore needs."""
    if world.subject.hookup is Hookup.PLUGIN:
        return world.open_bridge().lun_bytes_for(asked)
    return asked


def size_is_true(world: World, made: Made, asked: int) -> None:
    """The array has at least what was asked, less than a granule more, and the plugin said so."""
    lun = world.lun(made)
    granule = world.subject.declared.limits.granularity_bytes
    expect_size("a LUN", lun.size_bytes, lun_bytes(world, asked), granule, ARRAY)
    size_answer_is_true(world, made.volume.size_bytes, asked, lun)


def size_answer_is_true(world: World, answered: int, asked: int, lun: WitnessedLun) -> None:
    """In hookup FRAMEWORK a size is the LUN's; in PLUGIN the disk's, which fits in it."""
    if world.subject.hookup is Hookup.FRAMEWORK:
        expect_equal("the size answered", answered, lun.size_bytes, PLUGIN)
    else:
        expect(
            asked <= answered <= lun.size_bytes,
            f"a disk of {asked} to {lun.size_bytes} bytes",
            f"{answered}",
            PLUGIN,
        )


def listener_of(world: World) -> HostListener:
    """The plugin's host listener; gating has made sure that there is one."""
    listener = world.plugin.host_listener
    if listener is None:
        raise KitError("this property needs a host listener")
    return listener


def objects_of(world: World, iqns: Set[str]) -> list[str]:
    """Everything on the array that carries one of these initiators."""
    view = world.view()
    # Whole names only: one host's name may be the beginning of another's.
    pattern = re.compile("|".join(f"{re.escape(each)}(?![\\w.:-])" for each in sorted(iqns)))
    named = [f"{each.kind} {each.name}" for each in view.objects if pattern.search(f"{each.name} {each.value}")]
    shown = [f"access to {each.name}" for each in view.luns if {str(iqn) for iqn in each.visible_to} & iqns]
    return named + shown


@contextmanager
def nothing_is_left(world: World) -> Iterator[None]:
    """Expect the array to hold afterwards exactly what it held before, accounts and groups included."""
    before = world.view()
    yield
    after = world.view()
    left = {(each.kind, each.name) for each in after.objects} - {(each.kind, each.name) for each in before.objects}
    left |= {("LUN", each.name) for each in after.luns} - {("LUN", each.name) for each in before.luns}
    expect_none("object left on the array", [" ".join(each) for each in left], ARRAY)


def more_than_there_is(world: World) -> None:
    """A store larger than the array is refused, unless over-provisioning is declared."""
    if world.subject.declared.traits.overprovisioning:
        return
    request = world.store_request(capacity_bytes=world.view().capacity_bytes * 2)
    kinds = (InvalidRequest, CapacityExhausted)
    with nothing_is_left(world):
        expect_refusal(kinds, "more than the array has", lambda: world.plugin.lifecycle.initialize(request))


def whole_life(world: World) -> None:
    """Everything a plugin can be asked, once, in the order of a volume's life; failures are charged step by step."""
    made, host = world.create(), world.host()
    with world.charged("create"):
        world.driver_create(made.volume.request)
    world.grant(made, host)
    world.grant(made, host)
    world.connection(made, host)
    with world.charged("list_objects"):
        world.driver.list_objects(world.store)
    with world.charged("used"):
        world.driver.used(world.store)
    world.revoke(made, host)
    _optional_calls(world, made)
    world.delete(made)
    with world.charged("delete"):
        world.driver.delete(world.store, made.volume)


def _optional_calls(world: World, made: Made) -> None:
    driver: Any = world.driver
    if world.subject.supports(Capability.RESIZE):
        world.resize(made, made.volume.size_bytes + world.subject.declared.limits.granularity_bytes)
    if world.subject.supports(Capability.QOS):
        with world.charged("set_qos"):
            driver.set_qos(world.store, made.volume, world.subject.declared.limits.qos_smallest or QosPolicy())


def everything_fails(world: World) -> None:
    """Calls that cannot succeed, one after the other: what their errors say is read elsewhere."""
    made, host = world.create(), world.stranger()
    lifecycle, request = world.plugin.lifecycle, made.volume.request
    bad_store = world.with_wrong_secrets(world.store_request())
    dead_store = world.with_dead_endpoints(world.store_request())
    bare = replace(host, uuid="bare", name="bare", initiators=())
    attempts: Sequence[Callable[[], object]] = (
        lambda: lifecycle.initialize(bad_store),
        lambda: lifecycle.initialize(dead_store),
        lambda: lifecycle.delete_datastore(bad_store),
        lambda: world.driver.connection(world.store, made.volume, host),
        lambda: world.driver.grant_access(world.store, made.volume, bare),
        lambda: world.driver_create(replace(request, size_bytes=request.size_bytes * 2)),
        lambda: world.driver_create(replace(world.request(), size_bytes=0)),
        lambda: world.driver.list_objects(replace(world.store, request=bad_store)),
    )
    for attempt in attempts:
        with suppress(ProviderError, BridgeError):
            attempt()


Facts = frozenset[tuple[str, int, QosPolicy | None, frozenset[object], bool]]


def facts(view: ArrayView) -> Facts:
    """What must not change when nothing is to change: LUNs, their size, QoS and access."""
    return frozenset(
        (each.external_id, each.size_bytes, each.qos, frozenset[object](each.visible_to), each.in_trash)
        for each in view.luns
    )


@contextmanager
def nothing_changes(world: World) -> Iterator[None]:
    """Expect the LUNs of the array to be the same afterwards."""
    before = facts(world.view())
    yield
    after = facts(world.view())
    if before != after:
        gone, new = sorted(map(str, before - after)), sorted(map(str, after - before))
        broken("nothing to change on the array", f"before {gone}, after {new}", ARRAY)


@contextmanager
def others_unchanged(world: World, *except_for: Made) -> Iterator[None]:
    """Expect every other LUN of the array to be the same afterwards."""
    ids = {each.lun.external_id for each in except_for if each.lun is not None}

    def of_others() -> Facts:
        return frozenset(each for each in facts(world.view()) if each[0] not in ids)

    before = of_others()
    yield
    after = of_others()
    if not before <= after:
        broken("other LUNs not to change", f"changed or gone: {sorted(map(str, before - after))}", ARRAY)


def below_smallest(world: World) -> None:
    """A size below the smallest LUN is refused or rounded up, as declared."""
    limits = world.subject.declared.limits
    asked = max(1, limits.smallest_lun_bytes - 1)
    request = replace(world.request(), size_bytes=asked)
    if world.subject.declared.traits.below_minimum is BelowMinimum.REFUSED and asked < limits.smallest_lun_bytes:
        with nothing_changes(world):
            expect_refusal(InvalidRequest, f"create with {asked} bytes", lambda: world.driver_create(request))
        return
    made = world.create(request)
    expect(world.lun(made).size_bytes >= asked, f"at least {asked} bytes", f"{world.lun(made).size_bytes}", ARRAY)


def largest_works(world: World) -> None:
    """The largest LUN can be made, or there is no room for it."""
    request = replace(world.request(), size_bytes=world.subject.declared.limits.largest_lun_bytes)
    with suppress(CapacityExhausted):
        world.driver_create(request)
        sizes = [each.size_bytes for each in world.view().live]
        largest = max(sizes, default=0)
        expect(largest >= request.size_bytes, f"a LUN of {request.size_bytes} bytes", f"{largest} bytes", ARRAY)


def identity_is_true(world: World, made: Made, connection: BlockConnection, session: ProbeSession) -> None:
    """Where an identity is told, it is what the LUN itself says."""
    told = [each for each in (made.volume.identity, connection.identity) if each is not None and each.wwid is not None]
    for each in told:
        expect_equal("the LUN's identity", each.wwid, session.wwid, HOST)


def deleted_while_granted(world: World, made: Made, host: Host, session: ProbeSession) -> None:
    """A delete while a host has access is refused, or takes the access away, as declared."""
    if world.subject.declared.traits.delete_while_granted is DeleteWhileGranted.REFUSED:
        expect_refusal(InUse, "delete while granted", lambda: world.driver.delete(world.store, made.volume))
        expect_done("reading after the refused delete", lambda: session.read(0, BLOCK))
        return
    expect_done("delete while granted", lambda: world.driver.delete(world.store, made.volume))
    is_gone(world, made)
    still_works = _reads(session)
    expect(not still_works, "a deleted LUN to be out of reach", f"{host.name} still reads it", HOST)


def is_gone(world: World, made: Made) -> None:
    """The LUN is not on the array any more; in the trash only where that is declared."""
    trash_allowed = world.subject.declared.traits.trash_seconds > 0
    left = [
        each
        for each in world.view().luns
        if made.lun is not None and each.external_id == made.lun.external_id and not (each.in_trash and trash_allowed)
    ]
    where = "in the trash, and no trash is declared" if left and left[0].in_trash else "still there"
    expect(not left, "the LUN to be gone from the array", f"it is {where}", ARRAY)


def _reads(session: ProbeSession) -> bool:
    try:
        session.read(0, BLOCK)
    except (ProbeIoError, ProbeRefused):
        return False
    return True


def cannot_write(session: ProbeSession, host: Host) -> None:
    """A write over this session fails."""
    try:
        session.write(0, b"\xee" * BLOCK)
    except (ProbeIoError, ProbeRefused):
        return
    broken(f"{host.name} not to be able to write", "its write succeeded", HOST)


def out_of_reach(world: World, host: Host, connection: BlockConnection) -> None:
    """A host cannot log in to this LUN: not without credentials, and where hosts are masked not with anybody's."""
    way = _way_in(world, host, connection)
    expect(not way, f"{host.name} not to reach the LUN", f"it logged in {way}", HOST)


def _way_in(world: World, host: Host, connection: BlockConnection) -> str:
    by_chap_alone = world.subject.declared.traits.access_mechanism is AccessMechanism.CHAP
    probe = world.probe(host)
    if _logs_in(lambda: probe.open_without_chap(connection)):
        return "without credentials"
    # Where CHAP alone guards a LUN, whoever was given the secret gets in: that is what was declared.
    if not by_chap_alone and _logs_in(lambda: probe.open(connection)):
        return "with another host's connection"
    return ""


def locked_out(world: World, host: Host, connection: BlockConnection) -> None:
    """A host that lost its access cannot log in with what it once was told."""
    probe = world.probe(host)
    with_secret = _logs_in(lambda: probe.open(connection))
    without = _logs_in(lambda: probe.open_without_chap(connection))
    expect(not (with_secret or without), f"{host.name} to be locked out", "it logged in again", HOST)


def _logs_in(login: Callable[[], ProbeSession]) -> bool:
    try:
        session = login()
    except ProbeRefused:
        return False
    session.close()
    return True


def chap_of(connection: BlockConnection) -> ChapCredentials:
    """The credentials of the first iSCSI path."""
    for path in connection.paths:
        if isinstance(path, IscsiPath) and path.chap is not None:
            return path.chap
    broken("CHAP credentials on the path", "there are none", PLUGIN)


def wrong_secret(chap: ChapCredentials) -> ChapCredentials:
    """The same user with another secret."""
    text = chap.secret.reveal()
    return ChapCredentials(chap.username, Secret(text[:-1] + ("A" if text[-1] != "A" else "B")))


def foreign_credentials_refused(world: World, made: Made, host: Host) -> None:
    """Credentials of another volume, or of another host, do not open this path, as far as the declared scope goes."""
    scope = world.subject.declared.traits.chap_scope
    connection = world.connection(made, host)
    if scope is ChapScope.VOLUME:
        other = world.create()
        world.grant(other, host)
        foreign = chap_of(world.connection(other, host))
    elif scope is ChapScope.HOST:
        second = world.host("second")
        world.grant(made, second)
        foreign = chap_of(world.connection(made, second))
    else:
        return
    mine = chap_of(connection)
    expect(foreign.secret != mine.secret, f"a secret for each {scope}", "two have the same", PLUGIN)
    got_in = _logs_in(lambda: world.probe(host).open(connection, foreign))
    expect(not got_in, "credentials of another to be refused", "they were accepted", HOST)


_UNSUPPORTED_CALLS: Final[Sequence[tuple[Capability, str, Callable[[World, Made], tuple[object, ...]], dict[str, object]]]] = (
    (Capability.RESIZE, "resize", lambda w, m: (w.store, m.volume, m.volume.size_bytes * 2), {}),
    (Capability.QOS, "set_qos", lambda w, m: (w.store, m.volume, QosPolicy(100, 500, 900)), {}),
    (Capability.SNAPSHOT, "take_snapshot", lambda w, m: (w.store, m.volume, SnapshotRequest("snapshot-1", "s")), {"quiesced": False}),
    (Capability.VOLUME_FROM_VOLUME, "clone", lambda w, m: (w.store, w.request(), w.placement, m.volume), {}),
    (Capability.CHAP_ROTATION, "rotate_chap", lambda w, m: (w.store, m.volume, w.host()), {}),
    (Capability.VOLUME_STATS, "volume_stats", lambda w, m: (w.store, m.volume), {}),
    (Capability.MIGRATION_QOS, "begin_migration", lambda w, m: (w.store, m.volume), {}),
    (Capability.TEMPLATE_CACHE, "seed_template", lambda w, m: (w.store, "template-1", Template("t", "raw", BLOCK, "sha256:0"), m.volume.size_bytes), {}),
    (Capability.SHARED_GROWTH, "grow_store", lambda w, m: (w.store, "growth-1", m.volume.size_bytes, w.cluster), {}),
)  # fmt: skip


def unsupported_is_refused(world: World, made: Made) -> None:
    """What is declared unsupported refuses and changes nothing; a method that is not there at all is refusal enough."""
    for capability, method, arguments, keywords in _UNSUPPORTED_CALLS:
        if not world.subject.supports(capability) and hasattr(world.plugin.raw.driver, method):
            call: Any = getattr(world.driver, method)
            given = arguments(world, made)
            with nothing_changes(world):
                expect_refusal(
                    CapabilityNotSupported,
                    f"{method}, declared unsupported,",
                    lambda: call(*given, **keywords),
                )


def usage_is_true(world: World) -> None:
    """What `used` tells is the sum over this store's LUNs, or unknown."""
    told = expect_done("used", lambda: world.driver.used(world.store))
    luns = [world.lun(each) for each in world.volumes if each.store_uuid == world.store_uuid]
    written = world.subject.declared.traits.space_accounting is SpaceAccounting.WRITTEN
    sum_bytes = sum(each.written_bytes if written else each.size_bytes for each in luns)
    lags = world.subject.declared.traits.stats_lag_seconds > 0
    if told.bytes is not None and not lags:
        expect_equal("the bytes in use", told.bytes, sum_bytes, PLUGIN)
    minima = [each.qos.min_iops for each in luns if each.qos is not None and each.qos.min_iops is not None]
    if told.iops is not None and not lags and len(minima) == len(luns):
        expect_equal("the IOPS in use", told.iops, sum(minima), PLUGIN)


def qos_is(world: World, made: Made, wanted: QosPolicy) -> None:
    """The array keeps exactly the values that were given; what was left to the array is not judged."""
    found = world.lun(made).qos or QosPolicy()
    for name in ("min_iops", "max_iops", "burst_iops"):
        value = getattr(wanted, name)
        if value is not None:
            expect_equal(name, getattr(found, name), value, ARRAY)


def qos_out_of_limits(world: World) -> QosPolicy:
    """A policy just beyond the plugin's range."""
    largest = world.subject.declared.limits.qos_largest or QosPolicy(10**9, 10**9, 10**9)
    return QosPolicy((largest.min_iops or 10**9) + 1, None, None)


def another_qos(world: World, qos: QosPolicy) -> QosPolicy:
    """A policy inside the limits that is not this one."""
    limits = world.subject.declared.limits
    return next(each for each in (QosAt(0, 0, 0).resolve(limits), QosAt(500, 500, 500).resolve(limits)) if each != qos)
