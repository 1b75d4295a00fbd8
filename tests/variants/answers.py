"""Plugins that answer in another manner: late, not now, in another language, with other ids and more details."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    BlockConnection,
    Busy,
    Created,
    DataStore,
    InvalidRequest,
    LunIdentity,
    ObjectNotFound,
    OwnedObject,
    ProviderError,
    Volume,
)
from reference_providers import solidfire
from tests.reference_providers.minimal_over import minimal_over
from tests.variants.wrapping import DRIVER_METHODS, LIFECYCLE_METHODS, Around, Variant, every_nth, everywhere

_DELAY_SECONDS: Final = 0.002
_RETRY_SECONDS: Final = 0.5
_PREFIX: Final = "lun:"


def slow(connect: Any) -> Variant:
    """Takes its time, and no more than it declares."""

    def late(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        threading.Event().wait(_DELAY_SECONDS)
        return method(*arguments)

    plugin = solidfire.PROVIDER(connect=connect)
    traits = replace(plugin.traits, default_completion_seconds=2.0, completion_seconds={"create": 4.0})
    return Variant(
        plugin,
        {"name": "slow", "traits": traits},
        driver=everywhere(late, "create", "delete", "resize", "fence", "used"),
        lifecycle=everywhere(late, *LIFECYCLE_METHODS),
    )


def busy(connect: Any) -> Variant:
    """Says now and then that it cannot do it now; the same call soon after is done."""
    is_time = every_nth(3)

    def now_and_then(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if is_time():
            raise Busy(_RETRY_SECONDS, "snapshots are being merged")
        return method(*arguments)

    plugin = solidfire.PROVIDER(connect=connect)
    around = everywhere(now_and_then, *DRIVER_METHODS)
    return Variant(plugin, {"name": "busy"}, driver=around)


def localised(connect: Any) -> Variant:
    """Tells errors in the administrator's language; what they are is the same."""

    def auf_deutsch(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            return method(*arguments)
        except InvalidRequest as error:
            raise InvalidRequest(error.field, error.value, "einen anderen Wert für die Größe „groß“") from None
        except ObjectNotFound:
            raise ObjectNotFound("Datenträger (gelöscht?) 卷", "") from None
        except ProviderError as error:
            error.add_note("Auf dem Speichersystem «Größe» ist ein Fehler aufgetreten. 存储错误")
            raise

    plugin = solidfire.PROVIDER(connect=connect)
    around = everywhere(auf_deutsch, *DRIVER_METHODS)
    return Variant(plugin, {"name": "localised"}, driver=around)


def other_ids(connect: Any) -> Variant:
    """Ids of another form, as the array's object paths would be."""

    def told(external_id: str) -> str:
        return f"{_PREFIX}/{external_id}/ß#1"

    def known(target: Any) -> Any:
        external_id = getattr(target, "external_id", None)
        if external_id is None or not external_id.startswith(_PREFIX):
            return target
        return replace(target, external_id=external_id.split("/")[1])

    def called(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return told_all(method(*(known(each) if isinstance(each, Volume) else each for each in arguments)))

    def told_all(answer: Any) -> Any:
        if isinstance(answer, Created):
            return replace(answer, external_id=told(answer.external_id))
        if isinstance(answer, Sequence):
            return [
                replace(each, external_id=told(each.external_id)) if isinstance(each, OwnedObject) else each
                for each in answer
            ]
        return answer

    plugin = solidfire.PROVIDER(connect=connect)
    return Variant(plugin, {"name": "other-ids"}, driver=everywhere(called, *DRIVER_METHODS))


def full_of_details(connect: Any) -> Variant:
    """Wants to be told much again, of volumes and of stores."""
    more: Mapping[str, str] = {f"key-{number}": "ä" * number for number in range(40)}

    def created(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        answer: Created = method(*arguments)
        return replace(answer, details={**answer.details, **more, "name": arguments[1].name})

    def accepted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        answer: DataStore = method(*arguments)
        return replace(answer, details={**answer.details, **more})

    plugin = minimal_over(connect)
    return Variant(plugin, {"name": "full-of-details"}, driver={"create": created}, lifecycle={"initialize": accepted})


def without_identity(connect: Any) -> Variant:
    """For an array whose management does not know what its LUNs say of themselves."""

    def created(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return replace(method(*arguments), identity=None)

    def connected(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        answer: BlockConnection = method(*arguments)
        return replace(answer, identity=LunIdentity(None))

    around: dict[str, Around] = {"create": created, "connection": connected}
    return Variant(solidfire.PROVIDER(connect=connect), {"name": "without-identity"}, driver=around)
