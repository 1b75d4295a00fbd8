"""Raise libvirt's own exception with the code, the domain and the text that the real daemon would send."""

from __future__ import annotations

import libvirt

_LEVEL_ERROR = 2
_PREFIX = {
    libvirt.VIR_ERR_INTERNAL_ERROR: "internal error: ",
    libvirt.VIR_ERR_NO_SUPPORT: "this function is not supported by the connection driver: ",
    libvirt.VIR_ERR_NO_CONNECT: "no connection driver available for ",
    libvirt.VIR_ERR_INVALID_ARG: "invalid argument: ",
    libvirt.VIR_ERR_OPERATION_FAILED: "operation failed: ",
    libvirt.VIR_ERR_XML_ERROR: "XML error: ",
    libvirt.VIR_ERR_NO_DOMAIN: "Domain not found: ",
    libvirt.VIR_ERR_NO_STORAGE_VOL: "Storage volume not found: ",
    libvirt.VIR_ERR_OPERATION_INVALID: "Requested operation is not valid: ",
    libvirt.VIR_ERR_INVALID_SECRET: "Invalid secret: ",
    libvirt.VIR_ERR_NO_SECRET: "Secret not found: ",
    libvirt.VIR_ERR_DEVICE_MISSING: "device not found: ",
}

ErrorTuple = tuple[int, int, str, int, str | None, str | None, str | None, int, int]
"""What libvirt-python keeps in `libvirtError.err`: code, domain, message, level and details."""


def fault(code: int, domain: int, text: str) -> libvirt.libvirtError:
    """Make the exception; `text` is what follows libvirt's standard beginning for that code."""
    message = _PREFIX.get(code, "") + text
    return from_tuple((code, domain, message, _LEVEL_ERROR, "%s", text, None, -1, -1))


def from_tuple(err: ErrorTuple) -> libvirt.libvirtError:
    """Make the exception that had these details elsewhere."""
    error = libvirt.libvirtError(err[2])
    # The constructor takes the details from the last error of this thread, which is another one.
    error.args, error.err = (err[2],), err
    return error


def unreachable(host: str) -> libvirt.libvirtError:
    """The daemon of this host does not answer."""
    text = f"unable to connect to server at '{host}:16514': Connection refused"
    return fault(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, text)


def unsupported(function: str) -> libvirt.libvirtError:
    """The driver has no such function."""
    return fault(libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_FROM_NONE, function)


def internal(domain: int, text: str) -> libvirt.libvirtError:
    """The code that libvirt has for most things that go wrong beneath it."""
    return fault(libvirt.VIR_ERR_INTERNAL_ERROR, domain, text)


def invalid_operation(domain: int, text: str) -> libvirt.libvirtError:
    """Not in this state."""
    return fault(libvirt.VIR_ERR_OPERATION_INVALID, domain, text)


def check_flags(flags: int, allowed: int, function: str) -> None:
    """Refuse flags that are not simulated, as libvirt refuses those it does not know."""
    if flags & ~allowed:
        text = f"unsupported flags (0x{flags & ~allowed:x}) in function {function}"
        raise fault(libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_FROM_NONE, text)
