from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.chap import (
    MD5,
    SHA256,
    Challenge,
    ChapCredentials,
    chap_response,
    choose_algorithm,
    decode_binary,
    decode_identifier,
    encode_binary,
    find_account,
)
from simulators.iscsi.errors import PeerViolation
from tests.simulators.iscsi.raw_peer import no_entropy


@pytest.mark.parametrize(("algorithm", "digest"), [(MD5, "md5"), (SHA256, "sha256")])
def test_the_response_is_the_hash_of_identifier_secret_and_challenge(algorithm: int, digest: str) -> None:
    expected = hashlib.new(digest, b"\x07secretchallenge", usedforsecurity=False).digest()
    assert chap_response(algorithm, 7, b"secret", b"challenge") == expected


@given(value=st.binary(max_size=80))
def test_binary_values_survive_their_encoding(value: bytes) -> None:
    assert decode_binary(encode_binary(value)) == value


def test_binary_values_may_be_base64_or_have_an_odd_number_of_digits() -> None:
    assert decode_binary("0bAQID") == b"\1\2\3"
    assert decode_binary("0XaBc") == b"\x0a\xbc"


@given(text=st.text(max_size=30))
def test_any_binary_value_is_decoded_or_a_violation(text: str) -> None:
    try:
        assert isinstance(decode_binary(text), bytes)
    except PeerViolation:
        return


@pytest.mark.parametrize("text", ["0xzz", "0b!", "12", "", "0x"])
def test_what_is_no_challenge_is_a_violation(text: str) -> None:
    with pytest.raises(PeerViolation):
        Challenge.parse(MD5, "1", text)


@pytest.mark.parametrize("text", ["256", "-1", "", "0x1", "²", "0001"])
def test_the_identifier_is_one_octet(text: str) -> None:
    with pytest.raises(PeerViolation):
        decode_identifier(text)


def test_a_challenge_longer_than_the_standard_allows_is_a_violation() -> None:
    with pytest.raises(PeerViolation):
        Challenge.parse(MD5, "1", "0x" + "00" * 1025)


@pytest.mark.parametrize(("offered", "chosen"), [("5", 5), ("7,5", 7), ("6,5", 5), ("6", None), ("", None), ("8,7", 7)])
def test_the_first_simulated_algorithm_is_chosen(offered: str, chosen: int | None) -> None:
    assert choose_algorithm(offered) == chosen


@pytest.mark.parametrize(("algorithm", "length"), [(MD5, 16), (SHA256, 32)])
def test_a_fresh_challenge_is_as_long_as_the_hash(algorithm: int, length: int) -> None:
    challenge = Challenge.draw(algorithm, no_entropy)
    assert (challenge.identifier, len(challenge.value)) == (1, length)


def test_an_account_is_found_by_name_and_response_together() -> None:
    challenge = Challenge.draw(MD5, no_entropy)
    first, second = ChapAccount("first", b"secret one"), ChapAccount("second", b"secret two")
    proof = challenge.response(b"secret two")
    assert find_account((first, second), challenge, "second", proof) == second
    assert find_account((first, second), challenge, "first", proof) is None
    assert find_account((first, second), challenge, "second", challenge.response(b"wrong")) is None
    assert find_account((), challenge, "second", proof) is None


def test_secrets_do_not_show() -> None:
    shown = repr(ChapAccount("u", b"hide me", "m", b"hide me too"))
    shown += repr(ChapCredentials("u", b"hide me", "m", b"hide me too"))
    assert "hide me" not in shown
    assert ChapCredentials("u", b"s", "m", b"t").is_mutual
    assert not ChapCredentials("u", b"s").is_mutual
