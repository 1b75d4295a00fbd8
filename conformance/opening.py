"""From what was asked to a running subject: the same for the command and for pytest.

Everything that can be wrong with the asking is found here, before the first requirement is tried.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from conformance.asked import Asked
from conformance.contract import ArrayUnreachable, AuthenticationFailed, HttpRequest, StoreRequest, Transport
from conformance.environments.file import PROVIDERS, EnvironmentFile, read_environment
from conformance.environments.opened import Environment
from conformance.errors import WiringError
from conformance.journal import Journal, leftovers
from conformance.profile import PROFILES, Profile
from conformance.subject import RunningSubject, SubjectPlan, plan_for
from conformance.verdict import Broken
from conformance.world import World

JOURNAL: Final = Path(".storage-conformance", "journal.jsonl")


@contextmanager
def opened(asked: Asked, *, journal: Path | None = None, is_cleaning: bool = False) -> Iterator[RunningSubject]:
    """Start everything, and stop it at the end. `is_cleaning`: a journal with leftovers is what is wanted."""
    profile = profile_named(asked.profile)
    file = read_environment(asked.environment, asked.provider)
    path = journal_path(file, journal)
    if not is_cleaning:
        _refuse_leftovers(path, asked)
    plan = plan_for(reference_of(asked.provider), asked.values())
    with ExitStack() as stack:
        book = Journal(path)
        stack.callback(_put_away, book)
        environment = stack.enter_context(Environment(file, Transport.SOCKETS))
        subject = stack.enter_context(RunningSubject(plan, environment, profile, journal=book))
        _refuse_mismatches(subject, plan)
        _check_parameters(subject, asked)
        if file.array.kind == "external":
            _knock(subject)
            if not is_cleaning:
                _ask_for_store(subject)
        yield subject


def profile_named(name: str) -> Profile:
    """The profile of that name."""
    if name not in PROFILES:
        raise WiringError(f"no profile {name}; there are {', '.join(PROFILES)}; nothing was started")
    return PROFILES[name]


def reference_of(provider: str) -> str:
    """The ``module:attribute`` of a provider that is given so, or by the name it was installed under."""
    if ":" in provider:
        return provider
    known = {each.name: each.value for each in metadata.entry_points(group=PROVIDERS)}
    if provider in known:
        return known[provider]
    close = difflib.get_close_matches(provider, known, 1)
    meant = f"did you mean {close[0]}? " if close else ""
    installed = f"installed: {', '.join(sorted(known)) or 'none'}"
    raise WiringError(
        f"no provider named {provider!r} is installed ({installed}); {meant}"
        "name yours as module:attribute; nothing was started"
    )


def journal_path(file: EnvironmentFile, given: Path | None) -> Path | None:
    """Where the journal is: where asked, else only something real needs one."""
    return given or (JOURNAL if file.is_real else None)


def _put_away(book: Journal) -> None:
    """Close the journal; where nothing was left behind, its folder goes too."""
    book.close()
    folder = JOURNAL.parent
    if book.path == JOURNAL and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _refuse_leftovers(path: Path | None, asked: Asked) -> None:
    left = leftovers(path) if path is not None and path.exists() else []
    if left:
        environment = f" --environment {asked.environment}" if asked.environment else ""
        raise WiringError(
            f"{path} names {len(left)} objects that an earlier run left on the array; remove them first: "
            f"storage-conformance clean --provider {asked.provider}{environment} --journal {path}; "
            "nothing was started"
        )


def _refuse_mismatches(subject: RunningSubject, plan: SubjectPlan) -> None:
    if subject.mismatches:
        told = [str(each) for each in subject.mismatches]
        raise WiringError("\n".join([*told, f"provider {plan.name} cannot be registered; nothing was run"]))


def _check_parameters(subject: RunningSubject, asked: Asked) -> None:
    declared = {each.name: each for each in subject.declared.parameters}
    unknown = sorted(asked.parameters.keys() - declared.keys())
    if unknown:
        raise WiringError(
            f"{subject.plan.name} has no parameter {', '.join(unknown)}; "
            f"it has {', '.join(declared) or 'none'}; nothing was run"
        )
    typed = sorted(name for name in asked.inline() if declared[name].secret)
    if typed:
        raise WiringError(
            f"parameter {typed[0]} is a secret and not to be typed: "
            f"put it into a variable and give --parameter {typed[0]}=env:VARIABLE; nothing was run"
        )


def _ask_for_store(subject: RunningSubject) -> None:
    """See that the array lets the plugin in: else every requirement fails alike."""
    with subject.world() as world:
        request = world.store_request()
        refusal = _refusal(world, request)
    if refusal is not None:
        subject.journal.gone(request.uuid)
        reason = world.trace.masked(f"{type(refusal).__name__}: {refusal}")
        raise WiringError(
            f"the plugin gets no store on the array: {reason}; check url, username and password "
            "in [array]; no requirement was tried"
        ) from None


def _refusal(world: World, request: StoreRequest) -> BaseException | None:
    try:
        world.add_store(request)
    except Broken as error:
        if isinstance(error.__cause__, (ArrayUnreachable, AuthenticationFailed)):
            return error.__cause__
    return None


def _knock(subject: RunningSubject) -> None:
    """See that somebody answers at the array's address."""
    world = subject.environment.array.open_world()
    try:
        for endpoint in world.endpoints:
            endpoint.handle(HttpRequest("GET", "/", {}, b""))
    except ConnectionError as error:
        raise WiringError(
            f"nobody answers at the array: {error}; check url and ca_file in [array]; nothing was run"
        ) from None
    finally:
        world.close()
