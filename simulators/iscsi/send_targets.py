"""SendTargets and the other keys of a text request in the full feature phase (RFC 7143 §6.2, Appendix C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.negotiation import KEYS, NOT_UNDERSTOOD, OBSOLETE_KEYS, REJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.iscsi.portal import Portal
    from simulators.iscsi.target_core import Session, TargetCore
    from simulators.iscsi.text import Pairs


def answer_text(core: TargetCore, session: Session, pairs: Pairs) -> Pairs:
    """Return the answer to every key; MaxRecvDataSegmentLength is the caller's."""
    return [answer for name, value in pairs for answer in _answer(core, session, name, value)]


def _answer(core: TargetCore, session: Session, name: str, value: str) -> Pairs:
    if name == "SendTargets":
        return _send_targets(core, session, value)
    # §13: every other key we know is "LO" or "IO" (leading login, initial login only).
    is_known = name in KEYS or name in OBSOLETE_KEYS
    return [(name, REJECT if is_known else NOT_UNDERSTOOD)]


def _send_targets(core: TargetCore, session: Session, value: str) -> Pairs:
    info = session.info
    if session.is_discovery:
        visible = core.fabric.discover(info.initiator_iqn)
        # "If no name is given, the session should respond with addresses for only the target to which the
        # session is logged in": a discovery session is logged in to none, and All is how it asks.
        chosen = visible if value == "All" else [iqn for iqn in visible if iqn == value]
        return _records(chosen, core.portals)
    if value in {"", info.target_iqn}:
        return _records([info.target_iqn], core.portals)
    # "The All parameter MUST NOT be used in a normal session"; nor does one learn about other targets there.
    return [("SendTargets", REJECT)]


def _records(target_iqns: Sequence[str], portals: Sequence[Portal]) -> Pairs:
    addresses = [("TargetAddress", f"{_bracketed(host)}:{port},{tag}") for host, port, tag in portals]
    return [pair for iqn in target_iqns for pair in (("TargetName", iqn), *addresses)]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
