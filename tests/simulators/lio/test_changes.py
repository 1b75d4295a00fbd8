from __future__ import annotations

import pytest
from hypothesis import given

from simulators.lio.changes import AddAcl, ChangeChap, DeleteTarget, MapLun, changes_between
from simulators.lio.values import Acl, Chap, Lun, Target, Unit
from tests.simulators.lio.fake_lio import FakeLio
from tests.simulators.lio.strategies import DISKS, HOSTS, IQN, targets

DISK, OTHER_DISK = DISKS
HOST, OTHER_HOST, THIRD_HOST = HOSTS
UNIT = Unit("6f47acc1" + "0" * 24)
LUNS = {0: Lun(DISK)}
ONE, TWO = Chap("one", "secret-of-twelve"), Chap("two", "another-secret-12")


def target(anybody: Acl | None = None, **acls: Acl) -> Target:
    known = dict(zip(HOSTS, (acls[name] for name in ("first", "second") if name in acls), strict=False))
    return Target(IQN, {DISK: UNIT}, known, anybody)


def with_sessions(present: Target) -> FakeLio:
    lio = FakeLio()
    lio.carry_out(changes_between(None, present))
    for each in HOSTS:
        lio.targets[IQN].log_in(each)
    return lio


def sessions_after(present: Target, wanted: Target) -> dict[str, str | None]:
    lio = with_sessions(present)
    lio.carry_out(changes_between(present, wanted))
    return lio.targets[IQN].sessions


# ---- what comes of them -------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(present=targets(), wanted=targets())
def test_the_changes_lead_from_any_target_to_any_other(present: Target, wanted: Target) -> None:
    lio = with_sessions(present)
    lio.carry_out(changes_between(present, wanted))
    assert lio.targets[IQN].as_value() == wanted


@pytest.mark.slow
@given(present=targets(), wanted=targets())
def test_nobody_stays_who_would_not_be_let_in_by_the_name_it_came_by(present: Target, wanted: Target) -> None:
    for initiator, came_by in sessions_after(present, wanted).items():
        acl = wanted.acls.get(initiator, wanted.anybody)
        assert acl is not None
        assert acl.chap is None or acl.chap.username == came_by


@pytest.mark.slow
@given(targets())
def test_nothing_is_done_to_a_target_that_is_as_it_should_be(present: Target) -> None:
    assert list(changes_between(present, present)) == []


@pytest.mark.slow
@given(targets())
def test_a_target_comes_and_goes_as_a_whole(present: Target) -> None:
    lio = with_sessions(present)
    assert lio.targets[IQN].as_value() == present
    assert list(changes_between(present, None)) == [DeleteTarget(IQN)]


# ---- the least ----------------------------------------------------------------------------------------------------


def test_a_new_host_disturbs_nobody() -> None:
    before, after = target(first=Acl(LUNS)), target(first=Acl(LUNS), second=Acl(LUNS))
    steps = list(changes_between(before, after))
    assert steps == [AddAcl(IQN, OTHER_HOST, None), MapLun(IQN, OTHER_HOST, 0, Lun(DISK))]


def test_a_new_secret_is_for_new_logins() -> None:
    before, after = target(first=Acl(LUNS, ONE)), target(first=Acl(LUNS, Chap("one", "changed-secret-1")))
    assert [type(each) for each in changes_between(before, after)] == [ChangeChap]
    assert sessions_after(before, after) == {HOST: "one"}


def test_who_has_to_prove_another_name_is_out() -> None:
    assert sessions_after(target(first=Acl(LUNS, ONE)), target(first=Acl(LUNS, TWO))) == {}
    assert sessions_after(target(first=Acl(LUNS)), target(first=Acl(LUNS, ONE))) == {}


def test_who_need_not_prove_anything_any_more_stays() -> None:
    assert sessions_after(target(first=Acl(LUNS, ONE)), target(first=Acl(LUNS))) == {HOST: "one"}


def test_where_anybody_could_come_who_is_refused_now_is_out_and_the_known_stay() -> None:
    before, after = target(Acl(LUNS, ONE), first=Acl(LUNS)), target(first=Acl(LUNS))
    assert sessions_after(before, after) == {HOST: None}


def test_who_came_as_anybody_and_is_known_by_another_name_now_is_out() -> None:
    before = target(Acl(LUNS, ONE))
    after = target(Acl(LUNS, ONE), first=Acl(LUNS, TWO), second=Acl(LUNS))
    assert sessions_after(before, after) == {OTHER_HOST: "one", THIRD_HOST: "one"}


def test_a_target_that_lets_nobody_in_any_more_is_made_anew_because_lio_remembers_who_came() -> None:
    steps = list(changes_between(target(Acl(LUNS, ONE)), target()))
    assert steps[0] == DeleteTarget(IQN)
