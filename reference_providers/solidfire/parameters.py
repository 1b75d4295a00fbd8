"""What a store needs to be told, and how that becomes a `Login`."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from conformance.contract import InvalidRequest, Parameter, ParameterKind, StoreRequest

from .client import Login

PARAMETERS: Final = (
    Parameter(
        "url",
        ParameterKind.URL,
        required=True,
        description="https://address[:port] of the cluster's management",
        endpoint=True,
    ),
    Parameter(
        "username",
        ParameterKind.TEXT,
        required=True,
        description="a cluster administrator who may manage volumes and accounts",
    ),
    Parameter(
        "password",
        ParameterKind.TEXT,
        required=True,
        description="the administrator's password",
        secret=True,
    ),
    Parameter(
        "ca_file",
        ParameterKind.PATH,
        required=False,
        description="certificates to check the cluster's with; else the system's",
        ca_file=True,
    ),
    Parameter(
        "verify_tls",
        ParameterKind.BOOLEAN,
        required=False,
        description="false: accept any certificate; true is the default",
    ),
)
_BOOLEANS: Final = {"": True, "true": True, "false": False}


def login_of(request: StoreRequest) -> Login:
    """Read the parameters; the first that will not do is named."""
    password = request.secrets.get("password")
    if password is None:
        raise InvalidRequest("password", None, "the administrator's password, among the secrets")
    username = request.parameters.get("username", "")
    if not username:
        raise InvalidRequest("username", username, "the administrator's name")
    ca_file = request.parameters.get("ca_file") or None
    return Login(_url(request), username, password, ca_file, _is_verified(request))


def _url(request: StoreRequest) -> str:
    url = request.parameters.get("url", "").rstrip("/")
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise InvalidRequest("url", url, "https://address[:port]") from None
    if parts.username is not None or parts.password is not None:
        # Not repeated: what stands before the @ may be a password.
        raise InvalidRequest("url", "an address with credentials in it", "https://address[:port]")
    if not is_usable or parts.query or parts.fragment:
        raise InvalidRequest("url", url, "https://address[:port]")
    return url


def _is_verified(request: StoreRequest) -> bool:
    text = request.parameters.get("verify_tls", "").lower()
    if text not in _BOOLEANS:
        raise InvalidRequest("verify_tls", text, "true or false")
    return _BOOLEANS[text]
