"""Credentials and how far they reach."""

from __future__ import annotations

from conformance.contract import (
    BlockConnection,
    ChapCredentials,
    ChapScope,
    Host,
    IscsiPath,
    Secret,
)
from conformance.expect import (
    HOST,
    PLUGIN,
    broken,
    expect,
)
from conformance.judgements.access import logs_in
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
