"""Plugins that keep objects of their own on the array, or shape those of others otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Final

from conformance.contract import DataStore, Host, StoreRequest
from reference_providers import solidfire
from reference_providers.solidfire import access, names
from reference_providers.solidfire.element import Element
from reference_providers.solidfire.objects import AccessGroup
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import Variant, Wrapped

_SPARE: Final = "spare-"

Ask = Callable[..., tuple[int, bytes]]


def with_spares(connect: Any) -> Variant:
    """Keeps an account and a group for each store, as long as the store is there, that no volume ever uses."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def initialized(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        (request,) = arguments
        store = method(*arguments)
        with own.arrays.lock_of_store(request):
            _keep_spares(own.arrays.of(request), request)
        return store

    def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        (request,) = arguments
        element = own.arrays.of(request)
        for group in _spare_groups(element, request):
            element.delete_group(group.group_id)
        account = element.find_account(_spare_of(request))
        if account is not None:
            element.remove_account(account.account_id)
        return method(*arguments)

    around = own.resumed({"initialize": initialized, "delete_datastore": deleted})
    return Variant(plugin, {"name": "with-spares"}, lifecycle=around)


def _spare_of(request: StoreRequest) -> str:
    return f"{_SPARE}{names.of_store(request.uuid)}"


def _spare_groups(element: Element, request: StoreRequest) -> list[AccessGroup]:
    return [each for each in element.groups() if each.attributes.get("spare_of") == request.uuid]


def _keep_spares(element: Element, request: StoreRequest) -> None:
    name, marks = _spare_of(request), {"spare_of": request.uuid}
    if element.find_account(name) is None:
        element.add_account(name, marks)
    if not _spare_groups(element, request):
        element.create_group(name, marks)


def eager(connect: Any) -> Variant:
    """Makes a host's group when it is told of the host, and keeps it until the host leaves."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def prepared(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        host, stores = arguments
        joined = [stores] if isinstance(stores, DataStore) else list(stores)
        with ExitStack() as undo:
            for store in joined if host.iqns else ():
                _prepare(own, store, host, undo)
            answer = method(*arguments)
            undo.pop_all()
        return answer

    made = Variant(plugin, {"name": "eager"})
    around = dict.fromkeys(("host_added", "host_connected", "host_enabled"), prepared)
    made.host_listener = Wrapped(plugin.host_listener, own.resumed(around))
    return made


def _prepare(own: OwnCalls, store: DataStore, host: Host, undo: ExitStack) -> None:
    element = own.element(store)
    with own.arrays.lock_of_host(element.facts().uuid, host.uuid):
        if access.group_of(element, host) is None:
            group = access._new_group(element, host)
            undo.callback(element.delete_group, group.group_id)


def forgetful(connect: Any) -> Variant:
    """Removes a host's group with its last LUN."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def revoked(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, _, hosts, *_ = arguments
        method(*arguments)
        element = own.element(store)
        for host in hosts if isinstance(hosts, tuple | list) else [hosts]:
            with own.arrays.lock_of_host(element.facts().uuid, host.uuid):
                group = access.group_of(element, host)
                if group is not None and not group.lun_ids:
                    access.remove_group(element, group)

    around = own.resumed({"revoke_access": revoked, "fence": revoked})
    return Variant(plugin, {"name": "forgetful"}, driver=around)


def over_policies(connect: Any) -> Variant:
    """Keeps QoS in named policies that volumes of the same QoS share; one that nobody uses any more is removed."""
    lock = threading.Lock()
    plugin = solidfire.PROVIDER(connect=lambda *place: _OverPolicies(connect(*place), lock))
    return Variant(plugin, {"name": "over-policies"})


class _OverPolicies:
    """A connection on which volumes get policies where they were to get values."""

    def __init__(self, connection: Any, lock: threading.Lock) -> None:
        self._connection, self._lock = connection, lock

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        def ask(asked: str, **params: Any) -> tuple[int, bytes]:
            sent = json.dumps({"method": asked, "params": params, "id": 1}).encode()
            answer: tuple[int, bytes] = self._connection.request(method, path, headers, sent, timeout)
            return answer

        asked = json.loads(body)
        params = asked["params"]
        with self._lock:
            if asked["method"] in ("CreateVolume", "ModifyVolume") and len(params.get("qos") or ()) == 3:
                policy = _policy(ask, params["qos"])
                if policy is not None:
                    params = {name: value for name, value in params.items() if name != "qos"} | {"qosPolicyID": policy}
            answer = ask(asked["method"], **params)
            if asked["method"] in ("ModifyVolume", "PurgeDeletedVolume", "CreateVolume"):
                _drop_unused(ask)
        return answer

    def close(self) -> None:
        self._connection.close()


def _policy(ask: Ask, qos: Mapping[str, int]) -> int | None:
    name = "ours-{minIOPS}-{maxIOPS}-{burstIOPS}".format(**qos)
    for each in _ours(ask):
        if each["name"] == name:
            return int(each["qosPolicyID"])
    made = _result(*ask("CreateQoSPolicy", name=name, qos=dict(qos))).get("qosPolicy", {})
    return int(made["qosPolicyID"]) if made else None


def _drop_unused(ask: Ask) -> None:
    for each in _ours(ask):
        if not each["volumeIDs"]:
            ask("DeleteQoSPolicy", qosPolicyID=each["qosPolicyID"])


def _ours(ask: Ask) -> list[dict[str, Any]]:
    listed = _result(*ask("ListQoSPolicies")).get("qosPolicies", [])
    return [each for each in listed if each["name"].startswith("ours-")]


def _result(status: int, answer: bytes) -> dict[str, Any]:
    """Empty where there is none: without a policy the volume has values of its own."""
    with suppress(ValueError):
        return dict(json.loads(answer).get("result", {})) if status == 200 else {}
    return {}
