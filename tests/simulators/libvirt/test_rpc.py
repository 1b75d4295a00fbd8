"""One JSON value per line."""

from __future__ import annotations

import pytest

from simulators.libvirt.rpc import RpcError, decode, encode


def test_values_and_bytes_come_back() -> None:
    value = ["w", "call", None, True, 7, b"\x00\xff", ["a", []]]
    assert decode(encode(value)) == value
    assert encode(value).count(b"\n") == 1


@pytest.mark.parametrize("line", [b"", b"[1]", b"{\n", b"\xff\n", b'{"base64": "!"}\n', b'{"x": 1}\n'])
def test_anything_else_is_an_rpc_error(line: bytes) -> None:
    with pytest.raises(RpcError):
        decode(line)
