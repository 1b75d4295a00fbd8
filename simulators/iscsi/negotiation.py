"""Operational keys (RFC 7143 §13) and the rules by which both sides arrive at one value (§6.2).

A list value: the first offered one that we support. A number: the smaller or the larger. A boolean: AND or
OR. A declaration needs no answer. `NotUnderstood` for unknown keys, `Reject` for a value outside the key's range.
Where a key has no meaning, as most in a discovery session, `Irrelevant` is allowed and a value is too (§6.2): there are
initiators that take only a value, and none that does not, so that our answer is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from simulators.iscsi.digest import Digests
from simulators.iscsi.errors import PeerViolation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.iscsi.text import Pairs

NOT_UNDERSTOOD = "NotUnderstood"
IRRELEVANT = "Irrelevant"
REJECT = "Reject"
CRC32C = "CRC32C"
DEFAULT_DATA_SEGMENT = 8192
_LARGEST_SEGMENT = (1 << 24) - 1


class Rule(Enum):
    """How two offers become one result."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    OR = "or"
    AND = "and"
    LIST = "list"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Key:
    """One operational key: its rule, its default, its range, and whether it means anything in discovery sessions."""

    rule: Rule
    default: str
    low: int = 0
    high: int = 0
    in_discovery: bool = False


KEYS: dict[str, Key] = {
    "HeaderDigest": Key(Rule.LIST, "None", in_discovery=True),
    "DataDigest": Key(Rule.LIST, "None", in_discovery=True),
    "MaxConnections": Key(Rule.MINIMUM, "1", 1, 65535),
    "InitialR2T": Key(Rule.OR, "Yes"),
    "ImmediateData": Key(Rule.AND, "Yes"),
    "MaxRecvDataSegmentLength": Key(Rule.DECLARED, "8192", 512, _LARGEST_SEGMENT, in_discovery=True),
    "MaxBurstLength": Key(Rule.MINIMUM, "262144", 512, _LARGEST_SEGMENT),
    "FirstBurstLength": Key(Rule.MINIMUM, "65536", 512, _LARGEST_SEGMENT),
    "DefaultTime2Wait": Key(Rule.MAXIMUM, "2", 0, 3600, in_discovery=True),
    "DefaultTime2Retain": Key(Rule.MINIMUM, "20", 0, 3600, in_discovery=True),
    "MaxOutstandingR2T": Key(Rule.MINIMUM, "1", 1, 65535),
    "DataPDUInOrder": Key(Rule.OR, "Yes"),
    "DataSequenceInOrder": Key(Rule.OR, "Yes"),
    "ErrorRecoveryLevel": Key(Rule.MINIMUM, "0", 0, 2, in_discovery=True),
    "TaskReporting": Key(Rule.LIST, "RFC3720"),
    "iSCSIProtocolLevel": Key(Rule.MINIMUM, "1", 0, 31, in_discovery=True),
}

# §13.25: markers are obsolete, but "a compliant implementation MUST NOT respond with a NotUnderstood value".
OBSOLETE_KEYS = frozenset({"IFMarker", "OFMarker", "IFMarkInt", "OFMarkInt"})


@dataclass(frozen=True, slots=True)
class OperationalSettings:
    """What one side wants before it has heard the other."""

    max_recv_data_segment_length: int = 262144
    initial_r2t: bool = False
    immediate_data: bool = True
    max_burst_length: int = 1048576
    first_burst_length: int = 262144
    default_time2wait: int = 2
    default_time2retain: int = 0
    header_digests: str = "None"
    data_digests: str = "None"

    @lru_cache(maxsize=16)  # noqa: B019 - settings are few and live as long as their target or initiator
    def values(self) -> Mapping[str, str]:
        """Return our value for every key: the same for every login."""
        return {name: key.default for name, key in KEYS.items()} | {
            "HeaderDigest": self.header_digests,
            "DataDigest": self.data_digests,
            "MaxRecvDataSegmentLength": str(self.max_recv_data_segment_length),
            "InitialR2T": _yes_or_no(is_yes=self.initial_r2t),
            "ImmediateData": _yes_or_no(is_yes=self.immediate_data),
            "MaxBurstLength": str(self.max_burst_length),
            "FirstBurstLength": str(self.first_burst_length),
            "DefaultTime2Wait": str(self.default_time2wait),
            "DefaultTime2Retain": str(self.default_time2retain),
        }


TARGET_SETTINGS = OperationalSettings(header_digests="None,CRC32C", data_digests="None,CRC32C")
"""A target takes what it is offered; an initiator offers digests only where its caller says so."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the full-feature phase runs with; the defaults are those of the RFC."""

    peer_data_segment_length: int = DEFAULT_DATA_SEGMENT
    initial_r2t: bool = True
    immediate_data: bool = True
    max_burst_length: int = 262144
    first_burst_length: int = 65536
    digests: Digests | None = None


class Responder:
    """Answer offers one by one and remember the results."""

    def __init__(self, settings: OperationalSettings) -> None:
        self._ours = settings.values()
        self._results = {name: key.default for name, key in KEYS.items()}
        self._has_declared = False

    def answer_all(self, offers: Pairs) -> Pairs:
        """Return the answers, with our own declaration added the first time."""
        # FirstBurstLength is at most MaxBurstLength (§13.14), so it is looked at last.
        ordered = sorted(offers, key=lambda pair: pair[0] == "FirstBurstLength")
        answers = [(name, value) for name, offer in ordered if (value := self.answer(name, offer)) is not None]
        if not self._has_declared:
            self._has_declared = True
            answers.append(("MaxRecvDataSegmentLength", self._ours["MaxRecvDataSegmentLength"]))
        return answers

    def answer(self, name: str, offer: str) -> str | None:
        """Return the answer to one offer, or None when it was a declaration."""
        if name in OBSOLETE_KEYS:
            return REJECT
        key = KEYS.get(name)
        if key is None:
            return NOT_UNDERSTOOD
        result = combine(key, self._ours[name], offer)
        if result is None:
            return REJECT
        if name == "FirstBurstLength":
            result = str(min(int(result), int(self._results["MaxBurstLength"])))
        self._results[name] = result
        return None if key.rule is Rule.DECLARED else result

    def declare(self, offer: str) -> bool:
        """Take the peer's MaxRecvDataSegmentLength outside of a negotiation; False when out of range."""
        return self.answer("MaxRecvDataSegmentLength", offer) is None

    def parameters(self) -> Parameters:
        """Return what has been agreed so far."""
        return _parameters(self._results)


class Offerer:
    """Make the offers and check that the answers are legal."""

    def __init__(self, settings: OperationalSettings, *, is_discovery: bool) -> None:
        ours = settings.values()
        self._offers = {name: ours[name] for name, key in KEYS.items() if key.in_discovery or not is_discovery}
        del self._offers["iSCSIProtocolLevel"]
        self._offers.pop("TaskReporting", None)
        self._results = {name: key.default for name, key in KEYS.items()}
        self._results |= {name: value for name, value in self._offers.items() if KEYS[name].rule is not Rule.DECLARED}

    def offers(self) -> Pairs:
        """Return all offers in one go."""
        return list(self._offers.items())

    def accept(self, name: str, answer: str) -> None:
        """Take one answer (or declaration) of the responder."""
        if name == "TargetPortalGroupTag" or name.startswith("Target"):
            return
        if answer in {IRRELEVANT, NOT_UNDERSTOOD, REJECT}:
            self._results[name] = KEYS[name].default if name in KEYS else answer
            return
        self._results[name] = self._checked(name, answer)

    def _checked(self, name: str, answer: str) -> str:
        key = KEYS.get(name)
        if key is None or (name not in self._offers and key.rule is not Rule.DECLARED):
            raise PeerViolation(f"the target answered {name}, which was not offered")
        ours = answer if key.rule is Rule.DECLARED else self._offers[name]
        result = combine(key, ours, answer)
        if result is None or result != _canonical(key, answer):
            raise PeerViolation(f"the target chose an illegal value for {name}: {answer[:40]}")
        return result

    def parameters(self) -> Parameters:
        """Return what has been agreed."""
        parameters = _parameters(self._results)
        first = min(parameters.first_burst_length, parameters.max_burst_length)
        return replace(parameters, first_burst_length=first)


def combine(key: Key, ours: str, offer: str) -> str | None:
    """Return the result of one negotiation, or None when the offer is not a legal value."""
    if key.rule is Rule.LIST:
        choices = ours.split(",")
        return next((value for value in offer.split(",") if value in choices), None)
    if key.rule in {Rule.OR, Rule.AND}:
        return _combine_booleans(key.rule, ours, offer)
    number = parse_number(offer)
    if number is None or not key.low <= number <= key.high:
        return None
    if key.rule is Rule.DECLARED:
        return str(number)
    choose = min if key.rule is Rule.MINIMUM else max
    return str(choose(number, int(ours, 0)))


def _combine_booleans(rule: Rule, ours: str, offer: str) -> str | None:
    if offer not in {"Yes", "No"} or ours not in {"Yes", "No"}:
        return None
    votes = (ours == "Yes", offer == "Yes")
    return _yes_or_no(is_yes=any(votes) if rule is Rule.OR else all(votes))


def parse_number(text: str) -> int | None:
    """Return a decimal or hexadecimal constant (§6.1), or None."""
    if not text.isascii():
        return None
    if text[:2] in {"0x", "0X"}:
        digits, base = text[2:], 16
    else:
        digits, base = text, 10
    if not digits.isalnum() or len(digits) > 16:
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


def _canonical(key: Key, value: str) -> str | None:
    if key.rule in {Rule.LIST, Rule.OR, Rule.AND}:
        return value
    number = parse_number(value)
    return None if number is None else str(number)


def _yes_or_no(*, is_yes: bool) -> str:
    return "Yes" if is_yes else "No"


def _parameters(results: dict[str, str]) -> Parameters:
    protected = (results["HeaderDigest"] == CRC32C, results["DataDigest"] == CRC32C)
    return Parameters(
        peer_data_segment_length=int(results["MaxRecvDataSegmentLength"]),
        initial_r2t=results["InitialR2T"] == "Yes",
        immediate_data=results["ImmediateData"] == "Yes",
        max_burst_length=int(results["MaxBurstLength"]),
        first_burst_length=int(results["FirstBurstLength"]),
        digests=Digests(*protected) if any(protected) else None,
    )
