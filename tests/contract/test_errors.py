"""An error's text is one sentence made from its facts, and its facts are attributes."""

from __future__ import annotations

import copy
import pickle
from typing import Final

import pytest

from conformance.contract import (
    AccessNotGranted,
    ArrayUnreachable,
    AuthenticationFailed,
    BridgeError,
    Busy,
    CapabilityNotSupported,
    CapacityExhausted,
    Conflict,
    HypervisorFault,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectNotFound,
    OperationCancelled,
    ProviderError,
    TargetUnreachable,
)

SENTENCES: Final[dict[Exception, str]] = {
    CapabilityNotSupported("resize"): "resize is not supported",
    CapabilityNotSupported("resize", "too old"): "resize is not supported: too old",
    ObjectNotFound("volume", "17"): "the array has no volume 17",
    Conflict("u", "size_bytes", 1, 2): "u exists with size_bytes 1; asked 2",
    InUse("17"): "17 is in use",
    InUse("17", ("h1", "h2")): "17 is in use by h1, h2",
    Busy(2.5): "busy, retry after 2.5 s",
    Busy(2.5, "rebuild"): "busy, retry after 2.5 s: rebuild",
    CapacityExhausted(5, 3): "5 asked, 3 available",
    CapacityExhausted(5, None): "5 asked, unknown available",
    InvalidRequest("size_bytes", 0, "at least 1"): "size_bytes is 0; expected at least 1",
    AccessNotGranted("17", "h1"): "host h1 has no access to 17",
    AuthenticationFailed("password"): "the array refused the credentials in parameter password",
    AuthenticationFailed("password", "a:443"): "the array a:443 refused the credentials in parameter password",
    ArrayUnreachable("a:443", "refused"): "the array at a:443 cannot be reached: refused",
    LimitReached("luns_per_host", 255): "limit luns_per_host (255) is reached",
    OperationCancelled("op-1"): "operation op-1 was cancelled",
    TargetUnreachable("kvm", "h1", "login", "timeout"): "kvm host h1: login: timeout",
    HypervisorFault("kvm", "h1", "login", "code 1", "ask"): "kvm host h1: login: code 1; ask",
}


@pytest.mark.parametrize(("error", "sentence"), SENTENCES.items(), ids=lambda each: type(each).__name__)
def test_the_sentence(error: Exception, sentence: str) -> None:
    assert str(error) == sentence


@pytest.mark.parametrize("error", SENTENCES, ids=lambda each: type(each).__name__)
def test_an_error_survives_a_copy_and_another_process(error: Exception) -> None:
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - written on this line
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))


def test_undo_errors_are_told() -> None:
    error = TargetUnreachable("kvm", "h1", "login", "timeout")
    error.undo_errors = (ValueError("first"), ValueError("second"))
    assert str(error) == "kvm host h1: login: timeout; undo also failed: first; undo also failed: second"


@pytest.mark.parametrize(("base", "facts"), [(ProviderError, ()), (BridgeError, ("k", "h", "c", "r"))])
def test_a_base_cannot_be_raised(base: type[Exception], facts: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="is abstract: raise the kind that says what happened"):
        base(*facts)


class VendorError(ProviderError):
    """A kind of a vendor's own, without a sentence of its own."""


def test_an_error_without_a_sentence_says_its_facts() -> None:
    assert str(VendorError("shelf", 3)) == "shelf 3"


def test_the_two_trees_never_mix() -> None:
    for error in SENTENCES:
        assert isinstance(error, ProviderError) is not isinstance(error, BridgeError)


def test_only_a_change_of_settings_helps() -> None:
    assert ArrayUnreachable("a", "r").retryable
    assert not ArrayUnreachable("a", "certificate", retryable=False).retryable
