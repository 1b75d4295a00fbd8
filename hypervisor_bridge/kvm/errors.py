"""libvirt's errors as the contract's kinds: by code, and for code 1, which is nearly everything, by libiscsi's text."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from conformance.contract import (
    BridgeError,
    ChapRejected,
    DatastoreNotFound,
    DiskNotFound,
    HostUnavailable,
    HypervisorFault,
    LunNotVisible,
    NotSupported,
    ProbeRefused,
    Refusal,
    TargetNotFound,
    TargetUnreachable,
    VmNotFound,
)

from . import constants as c

HYPERVISOR: Final = "KVM"

_CHECK_CHAP: Final = "check the CHAP name and secret that the array and the host were given"
_CHECK_ACCESS: Final = "check that the array grants this host's initiator access"
_CHECK_NETWORK: Final = "check the portal's address and the storage network of this host"
_CHECK_LIBVIRTD: Final = "check that libvirtd runs on the host and can be reached"

_BY_CODE: Final[dict[int, tuple[type[BridgeError], str]]] = {
    c.ERR_NO_SUPPORT: (NotSupported, ""),
    c.ERR_NO_CONNECT: (HostUnavailable, _CHECK_LIBVIRTD),
    c.ERR_INVALID_CONN: (HostUnavailable, _CHECK_LIBVIRTD),
    c.ERR_RPC: (HostUnavailable, _CHECK_LIBVIRTD),
    c.ERR_AUTH_FAILED: (HostUnavailable, "check the credentials for libvirtd on this host"),
    c.ERR_NO_DOMAIN: (VmNotFound, ""),
    c.ERR_NO_STORAGE_POOL: (DatastoreNotFound, ""),
    c.ERR_NO_STORAGE_VOL: (LunNotVisible, _CHECK_ACCESS),
    c.ERR_INVALID_SECRET: (ChapRejected, "the libvirt secret is private: attach the datastore again"),
    c.ERR_NO_SECRET: (ChapRejected, "attach the datastore again, so that the CHAP secret is set"),
    c.ERR_DEVICE_MISSING: (DiskNotFound, ""),
}

_BY_TEXT: Final[tuple[tuple[str, type[BridgeError], str], ...]] = (
    ("Authentication failure(513)", ChapRejected, _CHECK_CHAP),
    ("Authorization failure(514)", TargetNotFound, _CHECK_ACCESS),
    ("Target not found(515)", TargetNotFound, _CHECK_ACCESS),
    ("Target removed(516)", TargetNotFound, _CHECK_ACCESS),
    ("LOGICAL_UNIT_NOT_SUPPORTED", LunNotVisible, _CHECK_ACCESS),
    ("socket error", TargetUnreachable, _CHECK_NETWORK),
    ("Connection refused", TargetUnreachable, _CHECK_NETWORK),
    ("No route to host", TargetUnreachable, _CHECK_NETWORK),
    ("timed out", TargetUnreachable, _CHECK_NETWORK),
)

_BY_REFUSAL: Final[dict[Refusal, tuple[type[BridgeError], str]]] = {
    Refusal.AUTHENTICATION: (ChapRejected, _CHECK_CHAP),
    Refusal.TARGET_UNPROVEN: (ChapRejected, _CHECK_CHAP),
    Refusal.FORBIDDEN: (TargetNotFound, _CHECK_ACCESS),
    Refusal.NOT_FOUND: (TargetNotFound, _CHECK_ACCESS),
    Refusal.NO_LUN: (LunNotVisible, _CHECK_ACCESS),
    Refusal.UNREACHABLE: (TargetUnreachable, _CHECK_NETWORK),
    Refusal.OTHER: (HypervisorFault, ""),
}


@runtime_checkable
class LibvirtError(Protocol):
    """What `libvirt.libvirtError` tells; asked for by shape, so that libvirt need not be imported."""

    def get_error_code(self) -> int | None:
        """One of VIR_ERR_…."""

    def get_error_domain(self) -> int | None:
        """One of VIR_FROM_…."""


def error_code(error: BaseException | None) -> int | None:
    """The libvirt code of an error, or of the error behind a `BridgeError`."""
    cause: object = error.__cause__ if isinstance(error, BridgeError) else error
    return cause.get_error_code() if isinstance(cause, LibvirtError) else None


def from_libvirt(host: str, call: str, error: Exception) -> BridgeError | None:
    """The contract's error for libvirt's; None for what is neither libvirt's nor a broken connection."""
    if isinstance(error, OSError):
        return HostUnavailable(HYPERVISOR, host, call, str(error), _CHECK_LIBVIRTD)
    if not isinstance(error, LibvirtError):
        return None
    kind, next_step = _classify(error, str(error))
    return kind(HYPERVISOR, host, call, f"libvirt error {error.get_error_code()}: {error}", next_step)


def from_refusal(host: str, call: str, refused: ProbeRefused) -> BridgeError:
    """The contract's error for a login of the bridge's own."""
    kind, next_step = _BY_REFUSAL[refused.refusal]
    return kind(HYPERVISOR, host, call, str(refused), next_step)


def _classify(error: LibvirtError, text: str) -> tuple[type[BridgeError], str]:
    code = error.get_error_code()
    if code == c.ERR_SYSTEM_ERROR and error.get_error_domain() == c.FROM_RPC:
        return HostUnavailable, _CHECK_LIBVIRTD
    if code == c.ERR_INTERNAL_ERROR:
        for words, kind, next_step in _BY_TEXT:
            if words in text:
                return kind, next_step
    return _BY_CODE.get(code or 0, (HypervisorFault, ""))
