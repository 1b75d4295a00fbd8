"""The array's statuses in the contract's words, and the failures after which an operation is done again."""

from __future__ import annotations

from typing import Final

from conformance.contract import ArrayUnreachable, AuthenticationFailed, ObjectNotFound, ProviderError

# The only ones that are documented anywhere: what may be refused otherwise is looked at before it is asked for.
BAD_ACCESS_KEY: Final = 5
VOLUME_UNKNOWN: Final = 10081
SERVER_UNKNOWN: Final = 10086


class Interrupted(Exception):
    """No answer came: doing the whole operation again may cure this failure; `outcome` is for when it does not."""

    def __init__(self, outcome: ProviderError) -> None:
        self.outcome = outcome
        super().__init__(outcome)


def refusal(endpoint: str, asked: str, status: int, message: str) -> ProviderError:
    """What to raise when the array answers with this status."""
    if status == BAD_ACCESS_KEY:
        return AuthenticationFailed("access_key", endpoint)
    if status == VOLUME_UNKNOWN:
        return ObjectNotFound("volume", message)
    if status == SERVER_UNKNOWN:
        return ObjectNotFound("server", message)
    return ArrayUnreachable(endpoint, f"{asked}: status {status}: {message}")


def http_failure(endpoint: str, status: int) -> ProviderError | None:
    """What to raise for an HTTP status: an array that answers at all says 200."""
    if status == 200:
        return None
    if status in (401, 403):
        return AuthenticationFailed("access_key", endpoint)
    is_passing = status in (429, 500, 502, 503, 504)
    return ArrayUnreachable(endpoint, f"HTTP status {status}", retryable=is_passing)
