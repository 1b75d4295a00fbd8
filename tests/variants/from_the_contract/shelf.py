"""A store's objects on the array: an account for each LUN, the LUN in it, and what is written on both.

An account's name is made from kind, store and owner; names of accounts are unique, so two makers of one object meet
at it. On the LUN stands who made it for whom (`k`, `s`, `o`), what was asked (`ask`, `d`, `src`), who has access
(`h`), that the secret has to be replaced before anybody comes in again (`r`), that it is not finished (`mk`), what
its QoS is while it is lifted (`m`), and that it is only kept for its snapshots (`gone`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from conformance import contract as c

from . import errors as e
from . import shape
from .wire import Array, Refusal

Json = dict[str, Any]
_NO_ACCOUNT: Final = ("xUnknownAccount", "xAccountIDDoesNotExist")
_NO_VOLUME: Final = ("xVolumeIDDoesNotExist",)
_CHUNK: Final = 200
STATE: Final = "state"
GONE: Final = "gone"


def notes(thing: Json) -> Json:
    """Attributes; the array may say null."""
    return dict(thing.get("attributes") or {})


def holders(row: Json) -> list[str]:
    text = str(notes(row).get("h", ""))
    return [text[at : at + 8] for at in range(0, len(text), 8)]


def is_live(row: Json) -> bool:
    return row["status"] != "deleted" and not notes(row).get("gone")


class Shelf:
    """What one store has on the array, for one call."""

    def __init__(self, array: Array, store_uuid: str) -> None:
        self.array, self.uuid, self.tag = array, store_uuid, shape.store_tag(store_uuid)

    # ---- finding -----------------------------------------------------------------------------------------------

    def lock(self, kind: str, owner: str) -> Any:
        return self.array.context.lock(f"odd/{shape.digest(kind, self.uuid, owner)}")

    def account(self, kind: str, owner: str) -> Json | None:
        """The object's account. Somebody else may have the first name: then ours has the second."""
        for name in self._names(kind, owner):
            found = self.array.ask("GetAccountByName", fine=_NO_ACCOUNT, username=name).get("account")
            if found and self._is_ours(found, kind, owner):
                return dict(found)
        return None

    def accounts(self) -> list[Json]:
        """All accounts of the store."""
        rows = self.array.pages("ListAccounts", "accounts", "startAccountID", "accountID")
        return [each for each in rows if self._is_ours(each)]

    def rows(self, account_ids: Sequence[int]) -> list[Json]:
        """LUNs of these accounts that bear the store's marks, deleted ones too, by number."""
        found: list[Json] = []
        for at in range(0, len(account_ids), _CHUNK):
            chunk = list(account_ids[at : at + _CHUNK])
            found += self.array.pages("ListVolumes", "volumes", "startVolumeID", "volumeID", accounts=chunk)
        return sorted((each for each in found if self._is_ours(each)), key=lambda each: int(each["volumeID"]))

    def row(self, number: int) -> Json | None:
        """One of the store's LUNs by its number, as it is now."""
        found = self.array.ask("ListVolumes", fine=_NO_VOLUME, volumeIDs=[number]).get("volumes") or []
        return next((dict(each) for each in found if each["volumeID"] == number and self._is_ours(each)), None)

    def of_owner(self, kind: str, owner: str, number: int | None, *, known: bool) -> Json | None:
        """An owner's LUN, in whatever state: by its number where that is known, or else by the owner's account."""
        if known:
            row = None if number is None else self.row(number)
            return row if row is not None and self._is_ours(row, kind, owner) else None
        account = self.account(kind, owner)
        rows = [] if account is None else self.rows([account["accountID"]])
        rows = [each for each in rows if self._is_ours(each, kind, owner)]
        return min(rows, key=lambda each: (not is_live(each), each["volumeID"]), default=None)

    def snapshots(self, volume_id: int | None = None) -> list[Json]:
        """Snapshots on the array or of a LUN, whoever made them."""
        params: Json = {} if volume_id is None else {"volumeID": volume_id}
        return list(self.array.ask("ListSnapshots", fine=_NO_VOLUME, **params).get("snapshots") or [])

    def snapshot(self, owner: str, number: int | None, *, known: bool) -> Json | None:
        """An owner's snapshot."""
        mine = [each for each in self.snapshots() if self._is_ours(each, "snapshot", owner)]
        if known:
            mine = [each for each in mine if each["snapshotID"] == number]
        return min(mine, key=lambda each: int(each["snapshotID"]), default=None)

    def _is_ours(self, thing: Json, kind: str | None = None, owner: str | None = None) -> bool:
        says = thing.get("attributes") or {}
        return (
            says.get("odd") == shape.MAKER
            and says.get("s") == self.tag
            and (kind is None or says.get("k") == kind)
            and (owner is None or says.get("o") == owner)
        )

    def owns(self, thing: Json) -> bool:
        """Whether this store's plugin made it."""
        return self._is_ours(thing)

    def _names(self, kind: str, owner: str) -> tuple[str, str]:
        code = shape.digest(kind, self.uuid, owner)
        return f"odd{code}", f"odd{code}-2"

    def marks(self, kind: str, owner: str, **more: object) -> Json:
        return {"odd": shape.MAKER, "s": self.tag, "k": kind, "o": owner, **more}

    # ---- making ------------------------------------------------------------------------------------------------

    def make_account(self, kind: str, owner: str, **more: object) -> Json:
        """The object's account, made if it is not there; whoever is faster, there is one."""
        wanted: Json = {"enableChap": True, "attributes": self.marks(kind, owner, **more)}
        names = iter(self._names(kind, owner))
        name = next(names)

        def make() -> Json:
            nonlocal name
            while True:
                secret, other = shape.new_secret(), shape.new_secret()
                try:
                    made = self.array.ask(
                        "AddAccount", once=True, username=name, initiatorSecret=secret, targetSecret=other, **wanted
                    )
                    return dict(made["account"])
                except Refusal:
                    found = self.account(kind, owner)
                    if found is not None:
                        return found
                    taken, name = name, next(names, "")
                    if not name:
                        raise e.OddConflict(owner, "account name", taken, taken) from None

        return self.surely(make, lambda: self.account(kind, owner))

    def make_row(self, kind: str, owner: str, account: Json, make: Callable[[], Json]) -> Json:
        """The object's LUN in its account, by `make`, which answers it."""

        def look() -> Json | None:
            rows = self.rows([account["accountID"]])
            return next((each for each in rows if is_live(each) and self._is_ours(each, kind, owner)), None)

        return self.surely(make, look)

    def surely(self, make: Callable[[], Json], look: Callable[[], Json | None]) -> Json:
        """Make something that must not be made twice: after an answer that tells nothing, look before trying again."""
        for attempt in range(4):
            try:
                return make()
            except (c.Busy, c.ArrayUnreachable) as failure:
                if isinstance(failure, c.ArrayUnreachable) and not failure.retryable:
                    raise
                self.array.operation.check()
                self.array.context.clock.sleep(0.1 * 2**attempt)
                found = look()
                if found is not None:
                    return found
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    # ---- changing ----------------------------------------------------------------------------------------------

    def write(self, row: Json, *, drop: Sequence[str] = (), add: Json | None = None, **change: Any) -> Json:
        """Change a LUN and its notes in one step; notes of others on it stay."""
        says = {name: value for name, value in notes(row).items() if name not in drop} | (add or {})
        if says != notes(row):
            change["attributes"] = says
        return dict(self.array.ask("ModifyVolume", volumeID=row["volumeID"], **change)["volume"]) if change else row

    def renew_secret(self, row: Json) -> None:
        self.array.ask(
            "ModifyAccount",
            accountID=row["accountID"],
            initiatorSecret=shape.new_secret(),
            targetSecret=shape.new_secret(),
        )

    def open(self, row: Json) -> Json:
        """Let those in who have access: with a new secret where somebody lost his, and not while in maintenance."""
        says = notes(row)
        if says.get("r"):
            self.renew_secret(row)
        access = "locked" if self.state().get("maint") else "readWrite"
        change: Json = {} if row["access"] == access else {"access": access}
        return self.write(row, drop=["r"], **change)

    def undone(self, row: Json, step: Callable[[], Any]) -> Any:
        """Do a step; when it fails, put the LUN's notes and access back as they were in `row`."""
        self.array.operation.check()
        with self.array.unbroken():
            try:
                return step()
            except c.ProviderError:
                with suppress(c.ProviderError):
                    self.array.ask(
                        "ModifyVolume", volumeID=row["volumeID"], attributes=notes(row), access=row["access"]
                    )
                raise

    def shut_out(self, row: Json, leaving: set[str], is_staying: Callable[[str], bool]) -> None:
        """Take access away from some; who stays may have to log in again, with the secret that `connection` tells."""
        staying = [each for each in holders(row) if each not in leaving]
        has_left = len(staying) < len(holders(row))
        if not has_left and not (notes(row).get("r") and staying):
            return  # and where nobody is left, whoever comes next gets a new secret
        add: Json = {"h": "".join(staying), "r": 1}

        def step() -> None:
            if not staying:
                self.write(row, add=add, access="locked")
                return
            # Whoever is logged in goes when the LUN is locked. It is not where all of them may stay.
            now = row if self._all_stay(row, is_staying) else self.write(row, add=add, access="locked")
            now = self.write(now, add=add)
            self.renew_secret(now)
            if now["access"] != "locked" and not self._all_stay(now, is_staying):
                now = self.write(now, access="locked")
            access = "locked" if self.state().get("maint") else "readWrite"
            opened: Json = {} if now["access"] == access else {"access": access}
            self.write(now, drop=["r"], **opened)

        self.undone(row, step)

    def sessions(self, row: Json) -> list[str]:
        found = self.array.ask("ListISCSISessions").get("sessions") or []
        return sorted({str(each["initiatorName"]).lower() for each in found if each["volumeID"] == row["volumeID"]})

    def _all_stay(self, row: Json, is_staying: Callable[[str], bool]) -> bool:
        return all(is_staying(each) for each in self.sessions(row))

    # ---- removing ----------------------------------------------------------------------------------------------

    def remove(self, row: Json) -> None:
        """Take a LUN off the array, with its account. One with snapshots is kept for them, for nobody to reach."""
        if row["status"] != "deleted" and self.snapshots(row["volumeID"]):
            self._retire(row)
        else:
            self.reap(row)

    def reap(self, row: Json) -> None:
        """Delete and purge a LUN, whatever depends on it."""
        number = row["volumeID"]
        self.array.operation.check()
        with self.array.unbroken():
            if row["status"] != "deleted":
                self.array.ask("DeleteVolume", fine=_NO_VOLUME, volumeID=number)
            try:
                self.array.ask("PurgeDeletedVolume", fine=_NO_VOLUME, volumeID=number)
            except c.ProviderError:
                if row["status"] != "deleted":
                    with suppress(c.ProviderError):
                        self.array.ask("RestoreDeletedVolume", fine=_NO_VOLUME, volumeID=number)
                raise
            self.drop_account(row["accountID"])

    def drop_account(self, number: int) -> None:
        """Remove an account that has nothing; one in which somebody else has put something stays."""
        self.array.ask("RemoveAccount", fine=(*_NO_ACCOUNT, "xAccountHasVolumes"), accountID=number)

    def _retire(self, row: Json) -> None:
        """Let a LUN be its snapshots' and nobody's, and free the name of its account for another with its uuid."""

        def step() -> None:
            self.write(row, drop=["h"], add={"gone": 1, "r": 1}, access="locked")
            number = row["accountID"]
            account = self.array.ask("GetAccountByID", fine=_NO_ACCOUNT, accountID=number).get("account")
            if account is None or not self._is_ours(account) or notes(account).get("k") == GONE:
                return
            change: Json = {"accountID": number, "attributes": {**notes(account), "k": GONE}}
            try:
                self.array.ask("ModifyAccount", username=f"odd-gone-{row['volumeID']}", **change)
            except Refusal:
                self.array.ask("ModifyAccount", username=f"odd-gone-{secrets.token_hex(12)}", **change)

        self.undone(row, step)

    def drop_empty(self, kind: str, owner: str) -> None:
        """Remove what an interrupted call left of an object whose LUN is not there."""
        account = self.account(kind, owner)
        if account is not None and not self.rows([account["accountID"]]):
            self.drop_account(account["accountID"])

    def everything(self) -> Iterator[Json]:
        return iter(self.rows([each["accountID"] for each in self.accounts()]))

    # ---- the store's own state ---------------------------------------------------------------------------------

    def state(self) -> Json:
        """What the store as a whole was told: `maint`, `off`."""
        account = self.account(STATE, self.uuid)
        return {} if account is None else notes(account)

    def set_state(self, name: str, *, on: bool) -> None:
        with self.lock(STATE, self.uuid):
            account = self.account(STATE, self.uuid)
            says = {each: 1 for each in ("maint", "off") if account is not None and notes(account).get(each)}
            wanted = {**says, name: 1} if on else {each: 1 for each in says if each != name}
            if account is None:
                if wanted:
                    self.make_account(STATE, self.uuid, **wanted)
            elif not wanted:
                self.drop_account(account["accountID"])
            elif wanted != says:
                attributes = self.marks(STATE, self.uuid, **wanted)
                self.array.ask("ModifyAccount", accountID=account["accountID"], attributes=attributes)
