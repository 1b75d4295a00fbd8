from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lio import codec
from simulators.lio.errors import LioError
from simulators.lio.values import Portal, Session, Target
from tests.simulators.lio.strategies import targets


def result_of(value: object) -> object:
    return codec.answered(codec.answer(value))


@pytest.mark.slow
@given(st.lists(targets(), max_size=2))
def test_targets_arrive_as_they_were_sent(sent: list[Target]) -> None:
    call, arguments = codec.asked(codec.request("apply", sent))
    assert call == "apply"
    assert codec.targets(arguments[0]) == sent


@given(st.binary())
def test_bytes_arrive_as_they_were_sent(sent: bytes) -> None:
    assert codec.data(str(result_of(sent))) == sent


def test_sessions_and_portals_arrive_as_they_were_sent() -> None:
    session, portal = Session("iqn.1993-08.org.debian:01:a", "iqn.b", "10.0.2.2", "8000", 3), Portal("127.0.0.1", 3260)
    assert codec.sessions(codec.answered(codec.answer([session]))) == [session]
    assert codec.portals(codec.answered(codec.answer([portal]))) == [portal]


@given(st.text())
def test_one_request_is_one_line(text: str) -> None:
    line = codec.request("write", text, 7)
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert codec.asked(line) == ("write", [text, 7])


def test_a_refusal_is_raised() -> None:
    with pytest.raises(LioError, match="no such disk"):
        codec.answered(codec.refusal("no such disk"))


@pytest.mark.parametrize("line", [b"{}", b"[]", b"[7]", b"nothing", b""])
def test_what_is_no_request_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        codec.asked(line)
