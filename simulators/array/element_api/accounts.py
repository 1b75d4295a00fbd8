"""Methods for accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.accounts import AccountChange, AccountStatus
from simulators.array.element_api import rendering
from simulators.array.element_api.errors import UNKNOWN_ACCOUNT, ApiError
from simulators.array.element_api.method import LIMIT, Method, page, start_at
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    boolean,
    integer,
    optional,
    required,
    text,
)
from simulators.array.element_api.values import attributes, word_of

if TYPE_CHECKING:
    from simulators.array.element_api.method import Scene

_ACCOUNT = required("accountID", integer)
_USERNAME = required("username", text)
_NEW_USERNAME = optional("username", text)
_INITIATOR_SECRET = optional("initiatorSecret", text)
_TARGET_SECRET = optional("targetSecret", text)
_ATTRIBUTES = optional("attributes", attributes)
_ENABLE_CHAP = optional("enableChap", boolean)
_STATUS = optional("status", word_of(AccountStatus))
_START = start_at("startAccountID")


def _add(scene: Scene, given: Arguments) -> Json:
    wanted = AccountChange(
        initiator_secret=given[_INITIATOR_SECRET],
        target_secret=given[_TARGET_SECRET],
        attributes=given[_ATTRIBUTES],
        uses_chap=given[_ENABLE_CHAP],
    )
    account = scene.model.accounts.add(given[_USERNAME], wanted)
    return {"accountID": account.account_id, "account": rendering.account(account)}


def _get_by_id(scene: Scene, given: Arguments) -> Json:
    # Methods that change something have another name for this.
    account = scene.model.accounts.rows.find(given[_ACCOUNT])
    if account is None:
        raise ApiError(UNKNOWN_ACCOUNT, UNKNOWN_ACCOUNT)
    return {"account": rendering.account(account)}


def _get_by_name(scene: Scene, given: Arguments) -> Json:
    return {"account": rendering.account(scene.model.accounts.get_named(given[_USERNAME]))}


def _list(scene: Scene, given: Arguments) -> Json:
    rows = scene.model.accounts.rows.starting_at(given[_START] or 0)
    return {"accounts": [rendering.account(each) for each in page(rows, given)]}


def _modify(scene: Scene, given: Arguments) -> Json:
    change = AccountChange(
        username=given[_NEW_USERNAME],
        initiator_secret=given[_INITIATOR_SECRET],
        target_secret=given[_TARGET_SECRET],
        attributes=given[_ATTRIBUTES],
        uses_chap=given[_ENABLE_CHAP],
        status=given[_STATUS],
    )
    return {"account": rendering.account(scene.model.accounts.modify(given[_ACCOUNT], change))}


def _remove(scene: Scene, given: Arguments) -> Json:
    scene.model.accounts.remove(given[_ACCOUNT])
    return {}


_WANTED: Final = (_INITIATOR_SECRET, _TARGET_SECRET, _ATTRIBUTES, _ENABLE_CHAP)

METHODS: Final = (
    Method("AddAccount", _add, (_USERNAME, *_WANTED)),
    Method("GetAccountByID", _get_by_id, (_ACCOUNT,)),
    Method("GetAccountByName", _get_by_name, (_USERNAME,)),
    Method("ListAccounts", _list, (_START, LIMIT)),
    Method("ModifyAccount", _modify, (_ACCOUNT, _NEW_USERNAME, _STATUS, *_WANTED)),
    Method("RemoveAccount", _remove, (_ACCOUNT,)),
)
