"""Stores in a world: the first comes by itself, and requests for more, good and bad."""

from __future__ import annotations

import secrets
import socket
from dataclasses import replace
from functools import cached_property, partial
from urllib.parse import urlsplit, urlunsplit

from conformance.contract import (
    AccessModel,
    Cluster,
    DataStore,
    Secret,
    StoreRequest,
    Zone,
)
from conformance.instance import Doors
from conformance.verdict import Broken, Violation
from conformance.world.instances import WithInstances

_STORE_BYTES_UNSEEN = 2**40


class WithStores(WithInstances):
    """Stores in a world."""

    @cached_property
    def store_uuid(self) -> str:
        """Uuid of this world's first store, added when first asked for."""
        request = self.store_request()
        self.add_store(request)
        return request.uuid

    @property
    def store(self) -> DataStore:
        """This world's first store, as the instance in use must be told of it."""
        return self._stores[self.store_uuid]

    @property
    def _store_bytes(self) -> int:
        return self._first_view.capacity_bytes // 2 if self._first_view else _STORE_BYTES_UNSEEN

    def store_request(
        self, capacity_bytes: int | None = None, doors: Doors | None = None, model: AccessModel | None = None
    ) -> StoreRequest:
        """A request for one more store with all parameters filled in; half of the array unless told otherwise."""
        values = self.instance.values(self._given, doors)
        for secret in values.secrets.values():
            self.know_secret(secret)
        number = self._next()
        return StoreRequest(
            uuid=self._uuid(number),
            name=f"{self._prefix}store" + "-2" * len(self._stores),
            scope=self.cluster if self._hooks_up else Zone(f"zone-{self.tag}", "conformance"),
            access_model=model or self.subject.access_model or AccessModel.DEDICATED,
            capacity_bytes=self._store_bytes if capacity_bytes is None else capacity_bytes,
            capacity_iops=None,
            parameters=values.parameters,
            secrets=values.secrets,
        )

    def store_elsewhere(self) -> tuple[DataStore, Doors]:
        """One more store, for the plugin on another array: behind endpoints of its own."""
        doors = self.instance.open_doors()
        return self.add_store(self.store_request(doors=doors)), doors

    def add_store(self, request: StoreRequest | None = None) -> DataStore:
        """Initialise a store and attach the cluster; removed again at the end."""
        request = request or self.store_request()
        self.subject.journal.intend("store", request.uuid, {"name": request.name, "cluster": self.cluster.uuid})
        self._undo.append(("delete_datastore", lambda: self.remove_store(request)))
        store = self._step("initialize", lambda: self.plugin.lifecycle.initialize(request))
        self._check_answer(request, store)
        self._stores[request.uuid] = store
        for cluster in self._clusters():
            self._step("attach_cluster", partial(self.plugin.lifecycle.attach_cluster, store, cluster))
        return store

    def _check_answer(self, request: StoreRequest, store: DataStore) -> None:
        asked, told = request, store.request
        if (asked.uuid, asked.name, asked.capacity_bytes) != (told.uuid, told.name, told.capacity_bytes):
            seen = f"{told.name} ({told.uuid}) of {told.capacity_bytes} bytes"
            raise Broken(Violation("initialize to answer the store that was asked for", seen, "the plugin", "LIF-001"))

    def use(self, request: StoreRequest) -> DataStore:
        """Make the store of this request the world's first."""
        store = self.add_store(request)
        self.__dict__["store_uuid"] = request.uuid
        return store

    def store_of(self, uuid: str) -> DataStore:
        """A store of this world by its uuid."""
        return self._stores[uuid]

    def remove_store(self, request: StoreRequest) -> None:
        """Let hosts leave, detach the cluster and delete the store; removed before is fine."""
        if request.uuid in self._removed:
            return
        store = self._stores.get(request.uuid)
        if store is not None:
            for cluster in self._clusters():
                self.plugin.lifecycle.detach_cluster(store, cluster)
        self.plugin.lifecycle.delete_datastore(self.instance.localised_request(request))
        self._removed.add(request.uuid)
        self._stores.pop(request.uuid, None)

    def with_wrong_secrets(self, request: StoreRequest) -> StoreRequest:
        """The request with secrets that are not right."""
        wrong = {name: Secret(f"wrong-{secrets.token_hex(8)}") for name in request.secrets}
        for each in wrong.values():
            self.know_secret(each)
        return replace(request, secrets=wrong)

    def with_dead_endpoints(self, request: StoreRequest) -> StoreRequest:
        """The request with addresses where nobody answers."""
        dead = {
            each.name: self._dead(request.parameters[each.name])
            for each in self.subject.declared.parameters
            if each.endpoint and each.name in request.parameters
        }
        return replace(request, parameters={**request.parameters, **dead})

    def _dead(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "memory":
            return urlunsplit(parts._replace(netloc="nobody"))
        with socket.socket() as closed_again:
            closed_again.bind(("127.0.0.1", 0))
            return urlunsplit(parts._replace(netloc=f"127.0.0.1:{closed_again.getsockname()[1]}"))

    def with_other_authority(self, request: StoreRequest) -> StoreRequest:
        """The request with a CA file that did not sign the endpoint's certificate."""
        stranger = str(self.subject.proxies.untrusted.ca_file)
        names = [each.name for each in self.subject.declared.parameters if each.ca_file]
        return replace(request, parameters={**request.parameters, **dict.fromkeys(names, stranger)})

    def owners(self, store: DataStore) -> list[str]:
        """Uuids of the owners that `list_objects` tells, sorted."""
        with self.charged("list_objects"):
            return sorted(each.owner_uuid for each in self.driver.list_objects(store))

    def _hosts_leave(self) -> None:
        """Every probe host leaves, while there is a store through which the plugin can reach the array."""
        listener = self.plugin.host_listener
        if listener is None or not self._hosts:
            return
        stores = tuple(self._stores.values()) or (self.add_store(),)
        for host in self._hosts.values():
            listener.host_about_to_be_removed(host, stores)
            listener.host_removed(host, stores)

    def _clusters(self) -> list[Cluster]:
        """The clusters that use each store, always in the same order: a replay makes the same calls."""
        return list(dict.fromkeys([self.cluster, self.separate_cluster]))
