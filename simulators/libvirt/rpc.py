"""Requests and answers between a client and the daemon: one JSON value per line, bytes in base64."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

from simulators.libvirt.values import Value

_LINE_LIMIT = 16 << 20


class RpcError(Exception):
    """The other end broke the protocol or is gone."""


def encode(message: Value) -> bytes:
    """One line."""
    return json.dumps(_tagged(message), separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Value:
    """The value of one line."""
    if not line.endswith(b"\n") or len(line) > _LINE_LIMIT:
        raise RpcError("the connection ended within a line; expected a JSON value and a newline")
    try:
        return _untagged(json.loads(line))
    except (ValueError, KeyError) as error:
        raise RpcError(f"a line is not JSON: {error}") from None


def _tagged(value: Value) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [_tagged(each) for each in value]
    return value


def _untagged(value: object) -> Value:
    if isinstance(value, dict):
        return base64.b64decode(cast("dict[str, Any]", value)["base64"], validate=True)
    if isinstance(value, list):
        return [_untagged(each) for each in value]
    return cast("Value", value)
