"""Plugins that answer in another manner: late, not now, in another language, with other ids and more details."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    BlockConnection,
    Busy,
    CachedTemplate,
    CapabilityNotSupported,
    Conflict,
    Created,
    DataStore,
    InUse,
    InvalidRequest,
    LunIdentity,
    ObjectNotFound,
    OwnedObject,
    ProviderContext,
    ProviderError,
    Snapshot,
    Usage,
    Volume,
    VolumeStats,
)
from conformance.contract.adapters import from_futures
from reference_providers import solidfire
from reference_providers.solidfire import Connect, SolidFireProvider, open_https
from tests.variants.wrapping import (
    COPY_METHODS,
    DRIVER_METHODS,
    LIFECYCLE_METHODS,
    MAKING,
    Around,
    Variant,
    every_nth,
    everywhere,
)

_DELAY_SECONDS: Final = 0.002
_RETRY_SECONDS: Final = 0.5
_FIRST_NUMBER: Final = 200
_PREFIX: Final = "lun:"


def slow(connect: Any) -> Variant:
    """Takes its time, and no more than it declares."""

    def late(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        threading.Event().wait(_DELAY_SECONDS)
        return method(*arguments)

    plugin = solidfire.PROVIDER(connect=connect)
    traits = replace(plugin.traits, default_completion_seconds=2.0, completion_seconds={"create": 4.0, "clone": 600.0})
    return Variant(
        plugin,
        {"name": "slow", "traits": traits},
        driver=everywhere(late, "create", "delete", "resize", "fence", "used", *COPY_METHODS),
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

    return _speaking(connect, "localised", auf_deutsch)


def localised_in_japanese(connect: Any) -> Variant:
    """The same without a letter of ASCII."""

    def nihongo(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            return method(*arguments)
        except InvalidRequest as error:
            raise InvalidRequest(error.field, error.value, "有効な値") from None
        except InUse as error:
            raise InUse(error.external_id, ("ホスト①",)) from None
        except Conflict as error:
            raise Conflict(error.uuid, "容量", "既存のボリューム", "要求された値") from None
        except CapabilityNotSupported as error:
            raise CapabilityNotSupported(error.capability, "この装置では利用できません") from None
        except ObjectNotFound:
            raise ObjectNotFound("ボリューム", "") from None

    return _speaking(connect, "localised-in-japanese", nihongo)


def _speaking(connect: Any, name: str, around: Around) -> Variant:
    plugin = solidfire.PROVIDER(connect=connect)
    lifecycle = everywhere(around, *LIFECYCLE_METHODS, "update")
    return Variant(plugin, {"name": name}, driver=everywhere(around, *DRIVER_METHODS), lifecycle=lifecycle)


def other_ids(connect: Any) -> Variant:
    """Ids of another form, as the array's object paths would be."""

    def told(external_id: str) -> str:
        return f"{_PREFIX}/{external_id}/ß#1"

    def number(external_id: str | None) -> str | None:
        return external_id.split("/")[1] if external_id and external_id.startswith(_PREFIX) else external_id

    def known(target: Any) -> Any:
        names = [name for name in ("external_id", "volume_external_id") if hasattr(target, name)]
        return replace(target, **{name: number(getattr(target, name)) for name in names}) if names else target

    def called(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return told_all(method(*(known(each) for each in arguments)))

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


def numbers_from_200(connect: Any) -> Variant:
    """For an array whose LUNs have numbers of their own; see other-numbers.toml."""
    plugin: Any = solidfire.PROVIDER(connect=connect)

    def connected(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        answer: BlockConnection = method(*arguments)
        store, target, _ = arguments
        number = _FIRST_NUMBER + plugin.driver.find_lun(store, target).lun_id
        return replace(answer, paths=tuple(replace(each, lun_number=number) for each in answer.paths))

    return Variant(plugin, {"name": "numbers-from-200"}, driver={"connection": connected})


def full_of_details(connect: Any) -> Variant:
    """Wants to be told again what it told of volumes, snapshots, templates and stores."""
    more: Mapping[str, str] = {f"key-{number}": "ä" * number for number in range(40)}

    def detailed(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        for each in arguments:
            if _is_known(each) and not more.items() <= each.details.items():
                raise InvalidRequest("details", sorted(each.details), "the details that were told when it was made")
        answer = method(*arguments)
        is_new = isinstance(answer, Created | DataStore)
        return replace(answer, details={**answer.details, **more}) if is_new else answer

    plugin = solidfire.PROVIDER(connect=connect)
    lifecycle = everywhere(detailed, *LIFECYCLE_METHODS, "update")
    return Variant(
        plugin, {"name": "full-of-details"}, driver=everywhere(detailed, *DRIVER_METHODS), lifecycle=lifecycle
    )


def _is_known(each: object) -> bool:
    """Whether the cloud was told of it."""
    is_object = isinstance(each, Volume | Snapshot | CachedTemplate)
    return isinstance(each, DataStore) or (is_object and getattr(each, "external_id", None) is not None)


def without_identity(connect: Any) -> Variant:
    """For an array whose management does not know what its LUNs say of themselves."""

    def created(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return replace(method(*arguments), identity=None)

    def connected(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        answer: BlockConnection = method(*arguments)
        return replace(answer, identity=LunIdentity(None))

    around = {**everywhere(created, *MAKING), "connection": connected}
    return Variant(solidfire.PROVIDER(connect=connect), {"name": "without-identity"}, driver=around)


def knowing_no_usage(connect: Any) -> Variant:
    """For an array that does not say what is in use."""
    around: dict[str, Around] = {
        "used": lambda method, arguments: Usage(None, None),
        "volume_stats": lambda method, arguments: VolumeStats(None, None),
    }
    return Variant(solidfire.PROVIDER(connect=connect), {"name": "knowing-no-usage"}, driver=around)


class OverFutures(SolidFireProvider):
    """Its driver begins each call on threads of its own, and the contract's adapter awaits it."""

    def __init__(self, *, connect: Connect = open_https) -> None:
        super().__init__(connect=connect)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="over-futures")
        self._over_futures = from_futures(_Begun(self._driver, self._threads))

    @property
    def name(self) -> str:
        return "over-futures"

    @property
    def driver(self) -> Any:
        return self._over_futures

    def configure(self, context: ProviderContext) -> None:
        super().configure(context)
        self._over_futures.configure(context)

    def close(self) -> None:
        self._threads.shutdown()
        super().close()


class _Begun:
    """A driver whose methods answer futures."""

    def __init__(self, driver: Any, threads: ThreadPoolExecutor) -> None:
        self._driver, self._threads = driver, threads

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._driver, name)

        @functools.wraps(value)
        def begun(*arguments: Any, **keywords: Any) -> Any:
            return self._threads.submit(value, *arguments, **keywords)

        return begun
