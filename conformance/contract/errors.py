"""What may leave a plugin or a bridge; anything else that does is a finding.

Facts are attributes; the text is one sentence made from them. The two bases cannot be raised themselves.
"""

from __future__ import annotations


class _Sentence(Exception):
    """An error whose text is made from its attributes."""

    since = "0.1"

    def _sentence(self) -> str:
        return " ".join(str(each) for each in self.args)

    def __str__(self) -> str:
        return self._sentence()


class ProviderError(_Sentence):
    """What a plugin may raise. Raise one of the kinds below, not this."""

    def __init__(self, *facts: object) -> None:
        if type(self) is ProviderError:
            raise TypeError("ProviderError is abstract: raise the kind that says what happened")
        super().__init__(*facts)


class CapabilityNotSupported(ProviderError):
    """The plugin declared this capability unsupported; nothing was changed."""

    def __init__(self, capability: str, reason: str = "") -> None:
        self.capability, self.reason = capability, reason
        super().__init__(capability, reason)

    def _sentence(self) -> str:
        return f"{self.capability} is not supported" + (f": {self.reason}" if self.reason else "")


class ObjectNotFound(ProviderError):
    """The array has no such object. Never raised by `delete` or `revoke_access`: absent is success there."""

    def __init__(self, kind: str, external_id: str | None) -> None:
        self.kind, self.external_id = kind, external_id
        super().__init__(kind, external_id)

    def _sentence(self) -> str:
        return f"the array has no {self.kind} {self.external_id}"


class Conflict(ProviderError):
    """The same uuid with other attributes, or a name that is taken; nothing was changed."""

    def __init__(self, uuid: str, field: str, existing: object, asked: object) -> None:
        self.uuid, self.field, self.existing, self.asked = uuid, field, existing, asked
        super().__init__(uuid, field, existing, asked)

    def _sentence(self) -> str:
        return f"{self.uuid} exists with {self.field} {self.existing}; asked {self.asked}"


class InUse(ProviderError):
    """The object is used, so this cannot be done now; nothing was changed. `users` are uuids or names."""

    def __init__(self, external_id: str, users: tuple[str, ...] = ()) -> None:
        self.external_id, self.users = external_id, users
        super().__init__(external_id, users)

    def _sentence(self) -> str:
        return f"{self.external_id} is in use" + (f" by {', '.join(self.users)}" if self.users else "")


class Busy(ProviderError):
    """Not now; nothing was changed. The caller repeats the same call after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: float, reason: str = "") -> None:
        self.retry_after_seconds, self.reason = retry_after_seconds, reason
        super().__init__(retry_after_seconds, reason)

    def _sentence(self) -> str:
        return f"busy, retry after {self.retry_after_seconds} s" + (f": {self.reason}" if self.reason else "")


class CapacityExhausted(ProviderError):
    """No room; nothing was made. `available` is None when the array does not say."""

    def __init__(self, asked: int, available: int | None) -> None:
        self.asked, self.available = asked, available
        super().__init__(asked, available)

    def _sentence(self) -> str:
        return f"{self.asked} asked, {'unknown' if self.available is None else self.available} available"


class InvalidRequest(ProviderError):
    """A field of the request cannot be served, ever; nothing was made. `expected` tells what would be."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field, self.value, self.expected = field, value, expected
        super().__init__(field, value, expected)

    def _sentence(self) -> str:
        return f"{self.field} is {self.value!r}; expected {self.expected}"


class AccessNotGranted(ProviderError):
    """`connection` was asked for a host that has no grant."""

    def __init__(self, external_id: str, host: str) -> None:
        self.external_id, self.host = external_id, host
        super().__init__(external_id, host)

    def _sentence(self) -> str:
        return f"host {self.host} has no access to {self.external_id}"


class AuthenticationFailed(ProviderError):
    """The array refused the credentials of the store's parameters; `parameter` names which."""

    def __init__(self, parameter: str, endpoint: str = "") -> None:
        self.parameter, self.endpoint = parameter, endpoint
        super().__init__(parameter, endpoint)

    def _sentence(self) -> str:
        return f"the array {self.endpoint} refused the credentials in parameter {self.parameter}".replace("  ", " ")


class ArrayUnreachable(ProviderError):
    """The array does not answer, or not as itself (TLS).

    `retryable` False: only a change of settings helps.
    """

    def __init__(self, endpoint: str, reason: str, *, retryable: bool = True) -> None:
        self.endpoint, self.reason, self.retryable = endpoint, reason, retryable
        super().__init__(endpoint, reason)

    def _sentence(self) -> str:
        return f"the array at {self.endpoint} cannot be reached: {self.reason}"


class LimitReached(ProviderError):
    """A limit of the array would be passed; nothing was made. `limit` is its name, `value` its number."""

    def __init__(self, limit: str, value: int | None) -> None:
        self.limit, self.value = limit, value
        super().__init__(limit, value)

    def _sentence(self) -> str:
        return f"limit {self.limit} ({self.value}) is reached"


class OperationCancelled(ProviderError):
    """Raised by `context.operation().check()`: the caller gave up or the deadline has passed; let it out."""

    def __init__(self, operation_id: str, reason: str = "cancelled") -> None:
        self.operation_id, self.reason = operation_id, reason
        super().__init__(operation_id, reason)

    def _sentence(self) -> str:
        return f"operation {self.operation_id} was {self.reason}"


class BridgeError(_Sentence):
    """What a bridge may raise; a plugin may let it pass unchanged.

    It says hypervisor, host, call and the next step. `undo_errors` are failures of steps that were being
    undone after this error.
    """

    def __init__(self, hypervisor: str, host: str, call: str, reason: str, next_step: str = "") -> None:
        if type(self) is BridgeError:
            raise TypeError("BridgeError is abstract: raise the kind that says what happened")
        self.hypervisor, self.host, self.call, self.reason, self.next_step = (
            hypervisor,
            host,
            call,
            reason,
            next_step,
        )
        self.undo_errors: tuple[Exception, ...] = ()
        super().__init__(hypervisor, host, call, reason, next_step)

    def _sentence(self) -> str:
        text = f"{self.hypervisor} host {self.host}: {self.call}: {self.reason}"
        text += f"; {self.next_step}" if self.next_step else ""
        return text + "".join(f"; undo also failed: {each}" for each in self.undo_errors)


class TargetUnreachable(BridgeError):
    """No portal of the target answers from this host."""


class TargetNotFound(BridgeError):
    """The portal answers and knows no such target, or hides it from this host."""


class ChapRejected(BridgeError):
    """Login failed at authentication, in either direction."""


class LunNotVisible(BridgeError):
    """The login worked and the LUN is not there, or is not the LUN that was meant."""


class DatastoreInUse(BridgeError):
    """Disks, VMs or mounts still use the datastore."""


class DatastoreConflict(BridgeError):
    """A datastore or disk of this name exists and stands on something else."""


class DatastoreNotFound(BridgeError):
    """The hypervisor has no such datastore."""


class DiskNotFound(BridgeError):
    """The datastore has no such disk."""


class DiskInUse(BridgeError):
    """The disk or LUN is attached to a VM."""


class NoSpaceInDatastore(BridgeError):
    """The disk asked for does not fit; nothing was made."""


class VmNotFound(BridgeError):
    """The hypervisor has no such VM."""


class HostUnavailable(BridgeError):
    """The hypervisor or this host of it does not answer."""


class NoInitiator(BridgeError):
    """The host has no initiator of a usable kind."""


class NotSupported(BridgeError):
    """This hypervisor cannot do that; nothing was changed."""


class HypervisorFault(BridgeError):
    """The hypervisor failed in a way that no other kind names; its own code is in the reason."""
