"""The contract's errors in this vendor's own kinds, with terse sentences made from the same facts."""

from __future__ import annotations

from conformance import contract as c


class OddMissing(c.ObjectNotFound):
    def _sentence(self) -> str:
        return f"no {self.kind} {self.external_id}"


class OddConflict(c.Conflict):
    def _sentence(self) -> str:
        return f"{self.uuid}: {self.field} is {self.existing}, not {self.asked}"


class OddInUse(c.InUse):
    def _sentence(self) -> str:
        return f"{self.external_id} in use" + (f": {', '.join(self.users)}" if self.users else "")


class OddBusy(c.Busy):
    def _sentence(self) -> str:
        return f"again in {self.retry_after_seconds:g} s: {self.reason}"


class OddFull(c.CapacityExhausted):
    def _sentence(self) -> str:
        return f"no room for {self.asked}" + ("" if self.available is None else f", {self.available} left")


class OddInvalid(c.InvalidRequest):
    def _sentence(self) -> str:
        return f"{self.field}={self.value!r}, want {self.expected}"


class OddNoAccess(c.AccessNotGranted):
    def _sentence(self) -> str:
        return f"{self.host} has no grant of {self.external_id}"


class OddLogin(c.AuthenticationFailed):
    def _sentence(self) -> str:
        return f"{self.endpoint}: bad {self.parameter}"


class OddUnreachable(c.ArrayUnreachable):
    def _sentence(self) -> str:
        return f"{self.endpoint}: {self.reason}"


class OddLimit(c.LimitReached):
    def _sentence(self) -> str:
        return f"{self.limit} is at its limit" + ("" if self.value is None else f" of {self.value}")


class OddUnsupported(c.CapabilityNotSupported):
    def _sentence(self) -> str:
        return f"cannot: {self.capability}" + (f", {self.reason}" if self.reason else "")
