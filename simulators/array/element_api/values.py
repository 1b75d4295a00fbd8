"""Parameters that are more than a number or a text: attributes, QoS, initiators, words of a list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    WrongValue,
    boolean,
    identifier,
    integer,
    mapping,
    optional,
    or_nothing,
    positive,
    required,
    text,
)
from simulators.array.initiators import InitiatorChange, InitiatorRef, InitiatorWish
from simulators.array.qos import QosChange

ATTRIBUTES_BYTES_MAX: Final = 1000
_WWPN_CHARACTERS: Final = 16
_SPAN: Final = re.compile(r"([0-9]{1,5}):([0-5][0-9]):([0-5][0-9])")
Word = TypeVar("Word", bound=StrEnum)


def attributes(given: object) -> Json:
    """Names and values for the caller's own use, less than 1000 bytes of JSON."""
    given = mapping(given)
    if len(json.dumps(given, separators=(",", ":"))) >= ATTRIBUTES_BYTES_MAX:
        raise WrongValue(f"less than {ATTRIBUTES_BYTES_MAX} bytes of JSON")
    return given


def none_is_empty(given: Json | None) -> Json:
    """Attributes that were not given."""
    return {} if given is None else given


def initiator_reference(given: object) -> InitiatorRef:
    """An initiator's number, or its IQN or WWPN."""
    if isinstance(given, str) and (not given.isdecimal() or len(given) == _WWPN_CHARACTERS):
        return given
    return integer(given)


def word_of(words: type[Word]) -> Callable[[object], Word]:
    """One word of a closed list."""

    def read_word(given: object) -> Word:
        try:
            return words(text(given))
        except ValueError:
            expected = ", ".join(words)
            raise ApiError("xUnrecognizedEnumString", f"Unrecognized word; expected {expected}") from None

    return read_word


def instant(given: object) -> datetime:
    """A time in ISO 8601, in UTC unless it says otherwise."""
    try:
        read = datetime.fromisoformat(text(given))
    except ValueError:
        raise WrongValue("a time such as 2030-12-31T23:59:59Z") from None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def span(given: object) -> timedelta:
    """Hours, minutes and seconds, as in 24:00:00."""
    parts = _SPAN.fullmatch(text(given))
    if parts is None:
        raise WrongValue("hours, minutes and seconds as HH:mm:ss")
    return timedelta(hours=int(parts[1]), minutes=int(parts[2]), seconds=int(parts[3]))


_MIN_IOPS = optional("minIOPS", or_nothing(positive))
_MAX_IOPS = optional("maxIOPS", or_nothing(positive))
_BURST_IOPS = optional("burstIOPS", or_nothing(positive))


def qos(given: object) -> QosChange:
    """Any of minIOPS, maxIOPS, burstIOPS above 0; what the array answers besides (burstTime, curve) is ignored."""
    values = Arguments(mapping(given), (_MIN_IOPS, _MAX_IOPS, _BURST_IOPS))
    return QosChange(values[_MIN_IOPS], values[_MAX_IOPS], values[_BURST_IOPS])


def no_networks(given: object) -> None:
    """Virtual networks, of which there are none."""
    if given not in ([], 0, None):
        raise WrongValue("none: there is no virtual network")


_NAME = required("name", text)
_INITIATOR = required("initiatorID", integer)
_ALIAS = optional("alias", text)
_ATTRIBUTES = optional("attributes", attributes)
_GROUP = optional("volumeAccessGroupID", identifier)
_REQUIRE_CHAP = optional("requireChap", boolean)
_CHAP_USERNAME = optional("chapUsername", text)
_INITIATOR_SECRET = optional("initiatorSecret", text)
_TARGET_SECRET = optional("targetSecret", text)
_NETWORKS = optional("virtualNetworkIDs", no_networks)
_OF_INITIATOR: Final = (
    _ALIAS,
    _ATTRIBUTES,
    _GROUP,
    _REQUIRE_CHAP,
    _CHAP_USERNAME,
    _INITIATOR_SECRET,
    _TARGET_SECRET,
    _NETWORKS,
)


def new_initiator(given: object) -> InitiatorWish:
    """An initiator as CreateInitiators describes it."""
    values = Arguments(mapping(given), (_NAME, *_OF_INITIATOR))
    return InitiatorWish(
        name=values[_NAME],
        alias=values[_ALIAS] or "",
        attributes=none_is_empty(values[_ATTRIBUTES]),
        group_id=values[_GROUP],
        requires_chap=values[_REQUIRE_CHAP] or False,
        chap_username=values[_CHAP_USERNAME],
        initiator_secret=values[_INITIATOR_SECRET],
        target_secret=values[_TARGET_SECRET],
    )


def changed_initiator(given: object) -> InitiatorChange:
    """A change as ModifyInitiators describes it."""
    values = Arguments(mapping(given), (_INITIATOR, *_OF_INITIATOR))
    return InitiatorChange(
        initiator_id=values[_INITIATOR],
        alias=values[_ALIAS],
        attributes=values[_ATTRIBUTES],
        group_id=values[_GROUP],
        requires_chap=values[_REQUIRE_CHAP],
        chap_username=values[_CHAP_USERNAME],
        initiator_secret=values[_INITIATOR_SECRET],
        target_secret=values[_TARGET_SECRET],
    )
