"""A secret comes out where `reveal` is called, and nowhere else."""

from __future__ import annotations

import copy
import dataclasses
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract import (
    AccessModel,
    AuthenticationFailed,
    BlockConnection,
    ChapCredentials,
    Cluster,
    Conflict,
    DataStore,
    HypervisorType,
    InvalidRequest,
    Iqn,
    IscsiPath,
    LunIdentity,
    Portal,
    Secret,
    StoreRequest,
)

TEXT: Final = "0penSesame-42"
SECRET: Final = Secret(TEXT)
CHAP: Final = ChapCredentials("user", SECRET, "array", Secret(TEXT[::-1]))
PATH: Final = IscsiPath(Iqn("iqn.2001-05.com.example:t"), (Portal("10.0.0.1"),), 0, CHAP)
CONNECTION: Final = BlockConnection(LunIdentity(None), 1, (PATH,))
CLUSTER: Final = Cluster("c", "c", HypervisorType.KVM)
STORE: Final = DataStore(StoreRequest("s", "s", CLUSTER, AccessModel.DIRECT, 1, secrets={"password": SECRET}))
HOLDERS: Final = [SECRET, CHAP, PATH, CONNECTION, STORE.request, STORE]


def logged(value: object) -> str:
    record = logging.LogRecord("n", logging.INFO, "p", 1, "%s %r", (value, value), None)
    return record.getMessage()


def traced(value: object) -> str:
    def explode(argument: object) -> None:
        raise ValueError(argument)

    try:
        explode(value)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return ""


@pytest.mark.parametrize(
    "show", [str, repr, format, "{!r:>80}".format, ascii, logged, traced], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_nothing_that_shows_a_value_shows_its_secret(holder: object, show: Callable[[object], str]) -> None:
    shown = show(holder)
    assert "***" in shown
    assert TEXT not in shown
    assert TEXT[::-1] not in shown


@pytest.mark.parametrize("holder", HOLDERS[1:], ids=lambda holder: type(holder).__name__)
def test_a_value_taken_apart_still_hides_its_secret(holder: ChapCredentials) -> None:
    parts = dataclasses.asdict(holder)
    assert TEXT not in repr(parts)
    assert "***" in repr(parts)


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_a_secret_is_not_pickled(holder: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled: use") as caught:
            pickle.dumps(holder, protocol)
        assert TEXT not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest("password", SECRET, "another one"),
        InvalidRequest("chap", CHAP, "another one"),
        Conflict("u", "chap", CHAP, SECRET),
        AuthenticationFailed("password"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_with_a_secret_for_a_fact_does_not_tell_it(error: Exception) -> None:
    told = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
    assert TEXT not in told


def test_a_refused_secret_is_not_told() -> None:
    for text in ("too-short!", "much-too-long-for-chap"):
        with pytest.raises(ValueError, match="expected 12 to 16") as caught:
            ChapCredentials("user", Secret(text))
        assert text not in str(caught.value)
    with pytest.raises(ValueError, match="two different ones") as caught:
        ChapCredentials("user", SECRET, "array", Secret(TEXT))
    assert TEXT not in str(caught.value)


@given(one=st.text(st.characters()), other=st.text(st.characters()))
def test_secrets_compare_by_their_text_whatever_it_is(one: str, other: str) -> None:
    # st.characters() gives surrogates too, which no encoding error may carry out.
    assert (Secret(one) == Secret(other)) is (one == other)
    assert hash(Secret(one)) == hash(Secret(one))


def test_a_secret_is_itself() -> None:
    assert SECRET.reveal() == TEXT
    assert SECRET != TEXT
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy(STORE).request.secrets["password"] is SECRET
    assert not hasattr(SECRET, "__dict__")


def test_a_secret_is_text() -> None:
    with pytest.raises(TypeError, match="a secret is text, not bytes") as caught:
        Secret(TEXT.encode())  # type: ignore[arg-type]
    assert TEXT not in str(caught.value)


def test_what_is_kept_without_chap_has_the_paths_and_no_secret() -> None:
    kept = CONNECTION.without_chap()
    assert kept.paths == (IscsiPath(PATH.target_iqn, PATH.portals, 0),)
    assert (kept.identity, kept.size_bytes) == (CONNECTION.identity, CONNECTION.size_bytes)
