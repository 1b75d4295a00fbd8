"""Credentials and how far they reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from conformance.contract import (
    AccessNotGranted,
    BlockConnection,
    ChapCredentials,
    ChapScope,
    Host,
    HostConnection,
    HostProbe,
    IscsiPath,
    ProbeSession,
    Secret,
)
from conformance.expect import (
    HOST,
    HYPERVISOR,
    PLUGIN,
    broken,
    expect,
    expect_done,
    expect_refusal,
)
from conformance.judgements.access import logs_in
from conformance.judgements.array import nothing_changes
from conformance.strategies.data import BLOCK
from conformance.world import Made, World


def chap_of(connection: BlockConnection) -> ChapCredentials:
    """The credentials of the first iSCSI path."""
    for path in connection.paths:
        if isinstance(path, IscsiPath) and path.chap is not None:
            return path.chap
    return broken("CHAP credentials on the path", "there are none", PLUGIN)


def wrong_secret(chap: ChapCredentials) -> ChapCredentials:
    """The same user with another secret."""
    text = chap.secret.reveal()
    return ChapCredentials(chap.username, Secret(text[:-1] + ("A" if text[-1] != "A" else "B")))


def not_rotated(world: World, host: Host, *volumes: Made) -> None:
    """Rotating the secret of a host that has no access to a volume is refused and changes nothing."""
    for made in volumes:
        call = partial(world.copier.rotate_chap, world.store, made.volume, host)
        with nothing_changes(world):
            expect_refusal(AccessNotGranted, "rotating nobody's secret", call)


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
    expected = f"another CHAP secret for each {scope}"
    expect(
        foreign.secret != mine.secret, expected, f"the same secret for two: {mine.username}, {foreign.username}", PLUGIN
    )
    got_in = logs_in(lambda: world.probe(host).open(connection, foreign))
    expect(not got_in, "credentials of another to be refused", "they were accepted", HOST)


def rotated(world: World, made: Made, host: Host) -> None:
    """The host's secret for this volume is replaced."""
    with world.charged("rotate_chap"):
        world.copier.rotate_chap(world.store, made.volume, host)


def old_secret_refused(probe: HostProbe, connection: BlockConnection, old: ChapCredentials) -> None:
    """A login with the secret that was replaced is refused."""
    got_in = logs_in(lambda: probe.open(connection, old))
    expect(not got_in, "the old secret to be refused", "it was accepted", HOST)


def others_keep_their_secrets(world: World, made: Made, host: Host) -> None:
    """A rotation leaves the secrets that chap_scope says are others' as they are."""
    scope = world.subject.declared.traits.chap_scope
    other, second = world.create(), world.host("second")
    for volume, who in ((other, host), (other, second), (made, second)):
        world.grant(volume, who)
    kept = [(other, second)]
    kept += [(other, host)] if scope is ChapScope.VOLUME else []
    # A volume's account may be one for all its hosts, or one for each.
    has_own = chap_of(world.connection(made, second)) != chap_of(world.connection(made, host))
    kept += [(made, second)] if scope is ChapScope.HOST or (scope is ChapScope.VOLUME and has_own) else []
    before = [chap_of(world.connection(volume, who)) for volume, who in kept]
    rotated(world, made, host)
    # Whose secret is everybody's changes for everybody; then at least everybody still gets in with what is told.
    shared = scope in {ChapScope.TENANT, ChapScope.CONTROLLER}
    for (volume, who), secret in zip(kept, before, strict=True):
        told = chap_of(world.connection(volume, who))
        expect(shared or told == secret, "another's credentials to stay", "they changed", PLUGIN)
        world.login(volume, who).close()
    world.login(made, host).close()


def secret_is_changed_everywhere(world: World, volumes: Sequence[Made], host: Host) -> None:
    """A rotation for the first volume renews the secret of all that it is declared to open for this host."""
    first = volumes[0]
    olds = [chap_of(world.connection(made, host)) for made in volumes]
    rotated(world, first, host)
    reach = [first] if world.subject.declared.traits.chap_scope is ChapScope.VOLUME else volumes
    for made, old in zip(volumes, olds, strict=True):
        connection = world.connection(made, host)
        if made in reach:
            expect(chap_of(connection).secret != old.secret, "another secret", "the same", PLUGIN)
            old_secret_refused(world.probe(host), connection, old)
        world.login(made, host).close()


def bridge_was_told(world: World, volumes: Sequence[Made], host: Host) -> None:
    """For each LUN the bridge was told last what `connection` tells now: a host that comes back logs in with that."""
    told = {_way(each): each for each in _told_to_bridge(world, host)}
    for made in volumes:
        now = world.connection(made, host)
        last = told.get(_way(now))
        known = last is not None and [_secret(each) for each in last.paths] == [_secret(each) for each in now.paths]
        expect(known, f"the bridge to have the secret of {made.volume.request.name}", "it has another", HYPERVISOR)


def _told_to_bridge(world: World, host: Host) -> Iterator[BlockConnection]:
    """Connections of this host in calls of bridges that went well, oldest first."""
    for call in world.trace.calls:
        if call.party == "bridge" and call.error is None:
            given = [*call.arguments, *call.keywords.values()]
            lists = [each for each in given if isinstance(each, list | tuple)]
            for each in [one for several in lists for one in several]:
                if isinstance(each, HostConnection) and each.host.uuid == host.uuid:
                    yield world.block(each.connection)


def _way(connection: BlockConnection) -> object:
    return tuple(connection.without_chap().paths)


def _secret(path: object) -> Secret | None:
    chap = getattr(path, "chap", None)
    return None if chap is None else chap.secret


def session_is_as_declared(world: World, session: ProbeSession) -> None:
    """After a rotation a session is still there, unless the plugin declares that it is not."""
    if not world.subject.declared.traits.rotation_drops_sessions:
        expect_done("reading on after a rotation", lambda: session.read(0, BLOCK))


def secret_is_usable(chap: ChapCredentials) -> None:
    """Windows and many adapters take 12 to 16 characters, RFC 7143 §9.2.1 asks for 96 bits at least."""
    text = chap.secret.reveal()
    seen = f"{len(text)} characters" if text.isascii() and text.isprintable() else "others than printable ASCII"
    is_plain = text.isascii() and text.isprintable() and " " not in text
    expect(12 <= len(text) <= 16 and is_plain, "12 to 16 printable characters", seen, PLUGIN)
