"""What `clean` removes when a run was killed: everything that the calls of that run may have made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.clean import Cleaned, tidy
from conformance.contract import ArrayWorld, Transport
from conformance.environments.external import NoWitness
from conformance.environments.opened import open_environment
from conformance.journal import Journal, leftovers
from conformance.profile import PROFILES
from conformance.subject import RunningSubject
from conformance.world import World
from tests.faulty_providers.faulty import Injector, plan_for_fault


class Killed(BaseException):
    """What ends a world of something simulated at once, as Ctrl-C does."""


class Kept:
    """An array that stays when a world closes, as one that is no simulation does."""

    def __init__(self, entry: Any) -> None:
        self._world: ArrayWorld = entry.open_world()

    def open_world(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def close(self) -> None: ...

    def things(self) -> list[str]:
        """Names of all that is on it."""
        view = self._world.witness.observe()
        luns = [*(each.name for each in view.live), *(each.name for each in view.snapshots)]
        return [*luns, *(each.name for each in view.objects)]


@contextmanager
def running(journal: Path, base: str = "solidfire") -> Iterator[tuple[RunningSubject, Kept]]:
    with open_environment(None, Transport.MEMORY) as environment:
        environment.array = array = Kept(environment.array)
        # Whoever cannot see an array plants no strangers there: all that is on it is the run's.
        plan = replace(plan_for_fault(Injector(None), base), witness=NoWitness())
        with (
            closing(Journal(journal)) as book,
            RunningSubject(plan, environment, PROFILES["smoke"], journal=book) as subject,
        ):
            yield subject, array


def killed(subject: RunningSubject, act: Callable[[World], object], *, hypervisor: bool = False) -> None:
    """A world in which nothing is undone, as when the process is gone."""
    with suppress(Killed), subject.world(hypervisor=hypervisor) as world:
        act(world)
        raise Killed


def cleaned(subject: RunningSubject) -> tuple[Cleaned, list[str]]:
    told: list[str] = []
    return tidy(subject, told.append), [each.split()[1] for each in told]


def snapshot_and_clone(world: World) -> None:
    taken = world.snapshot(world.create())
    world.clone(taken)


def template_granted(world: World) -> None:
    seeded = world.seed()
    world.driver.grant_access(world.store, seeded.cached, world.host())


def cloud_copies(world: World) -> None:
    volume = world.cloud.create_volume()
    world.cloud.clone(world.cloud.take_snapshot(volume))
    world.cloud.clone(world.cloud.seed_template(world.cloud.template(b"root" * 1024)))


@pytest.mark.parametrize(
    ("act", "hypervisor", "kinds"),
    [
        (snapshot_and_clone, False, {"volume", "snapshot", "store"}),
        (template_granted, False, {"grant", "template", "store"}),
        (cloud_copies, True, {"grant", "volume", "snapshot", "template", "store"}),
    ],
)
def test_nothing_stays_of_what_a_killed_run_made(
    tmp_path: Path, act: Callable[[World], object], hypervisor: bool, kinds: set[str]
) -> None:
    journal = tmp_path / "journal.jsonl"
    with running(journal) as (subject, array):
        killed(subject, act, hypervisor=hypervisor)
        assert array.things() != []
        done, told = cleaned(subject)
        assert done.problems == ()
        assert set(told) == kinds
        assert told[-1] == "store"
        assert array.things() == []
        assert leftovers(journal) == []
    assert not journal.exists()


def test_a_reply_that_was_lost_is_enough_to_find_what_it_made(tmp_path: Path) -> None:
    def lost(world: World) -> None:
        world.driver_snapshot(world.create(), world.snapshot_request())

    with running(tmp_path / "journal.jsonl") as (subject, array):
        killed(subject, lost)
        assert cleaned(subject)[0].problems == ()
        assert array.things() == []


def test_a_snapshot_that_stays_when_its_volume_goes_is_removed(tmp_path: Path) -> None:
    """Gone with its volume is not said of a snapshot: on some arrays it stays."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.intend("store", "s", {"name": "sc-store"})
    journal.intend("volume", "v", {"store": "s", "name": "sc-v"})
    journal.intend("snapshot", "n", {"store": "s", "of": "v", "name": "sc-n"})
    journal.intend("grant", "v h", {"store": "s", "volume": "v", "name": "sc-h"})
    journal.gone("v")
    assert [each["made"] for each in leftovers(path)] == ["n", "s"]
    journal.gone("s")
    journal.close()
    assert not path.exists()


def test_a_world_that_is_closed_leaves_nothing_to_clean(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with running(journal) as (subject, _):
        with subject.world() as world:
            snapshot_and_clone(world)
            world.delete_template(world.seed())
        assert subject.journal.path == journal
        assert {json.loads(line).get("kind") for line in journal.read_text(encoding="utf-8").splitlines()} >= {
            "store",
            "volume",
            "snapshot",
            "template",
        }
        assert leftovers(journal) == []


@pytest.mark.parametrize(
    ("entry", "base", "problem"),
    [
        ({"kind": "share", "store": "s"}, "solidfire", "this version knows no share; clean up with the version that"),
        (
            {"kind": "snapshot", "store": "s", "of": "v", "of_external_id": "", "size_bytes": 512},
            "minimal",
            "this plugin has no delete_snapshot; clean up with the plugin that was run",
        ),
    ],
)
def test_what_cannot_be_cleaned_is_told_and_stays_in_the_journal(
    tmp_path: Path, entry: dict[str, object], base: str, problem: str
) -> None:
    path = tmp_path / "journal.jsonl"
    with running(path, base) as (subject, _):
        subject.journal.intend("store", "s", {"name": "sc-store"})
        subject.journal.intend(str(entry["kind"]), "x", {"name": "sc-x", **entry})
        done, _ = cleaned(subject)
        assert [problem in each for each in done.problems] == [True]
