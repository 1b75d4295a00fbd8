"""What the agent in the machine is asked and what it answers: JSON, one line each, bytes in base64.

A request is `[call, argument…]`, an answer `["ok", result]` or `["refused", text]`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from simulators.lio.errors import LioError
from simulators.lio.values import Acl, Chap, Lun, Portal, Session, Target, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable


def request(call: str, *arguments: object) -> bytes:
    """One line that asks for something."""
    return _line([call, *map(plain, arguments)])


def asked(line: bytes) -> tuple[str, list[Any]]:
    """What a request asks for, with plain arguments; `ValueError` if it is none."""
    parsed = json.loads(line)
    if not isinstance(parsed, list) or not parsed or not isinstance(parsed[0], str):
        raise ValueError("a request is a list that begins with the name of a call")
    return parsed[0], parsed[1:]


def answer(result: object) -> bytes:
    """One line that says what came of it."""
    return _line(["ok", plain(result)])


def refusal(text: str) -> bytes:
    """One line that says why nothing came of it."""
    return _line(["refused", text])


def answered(line: bytes) -> Any:
    """The plain result; raises `LioError` where it was refused."""
    kind, result = json.loads(line)
    if kind != "ok":
        raise LioError(str(result))
    return result


def plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, Target | Session | Portal):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value


def data(text: str) -> bytes:
    """Bytes again."""
    return base64.b64decode(text, validate=True)


def targets(plain_targets: Iterable[Mapping[str, Any]]) -> list[Target]:
    """Targets again."""
    return [
        Target(
            iqn=each["iqn"],
            units={disk: Unit(**unit) for disk, unit in each["units"].items()},
            acls={initiator: _acl(acl) for initiator, acl in each["acls"].items()},
            anybody=each["anybody"] and _acl(each["anybody"]),
            is_enabled=each["is_enabled"],
        )
        for each in plain_targets
    ]


def sessions(plain_sessions: Iterable[Mapping[str, Any]]) -> list[Session]:
    """Sessions again."""
    return [Session(**each) for each in plain_sessions]


def portals(plain_portals: Iterable[Mapping[str, Any]]) -> list[Portal]:
    """Portals again."""
    return [Portal(**each) for each in plain_portals]


def _acl(acl: Mapping[str, Any]) -> Acl:
    luns = {int(number): Lun(**lun) for number, lun in acl["luns"].items()}
    return Acl(luns, acl["chap"] and Chap(**acl["chap"]))


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
