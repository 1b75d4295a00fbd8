"""One running instance of the plugin, with the endpoints that belong to it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from conformance.contract import (
    DataStore,
    DataStoreProvider,
    Endpoint,
    HttpHandler,
    Parameter,
    Secret,
    StoreRequest,
)
from conformance.errors import WiringError
from conformance.guard import GuardedPlugin, Watch
from conformance.wire.exchange import Recorder


@dataclass(frozen=True, slots=True)
class Door:
    """How proxies are opened and closed: by sockets or in memory."""

    open: Callable[[HttpHandler], str]
    close: Callable[[str], None]
    connections: Callable[[str], int]
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """Proxies of all endpoints of an array, and their addresses in the same order."""

    recorders: Sequence[Recorder]
    urls: Sequence[str]

    @property
    def exchanges(self) -> int:
        """Requests that came through."""
        return sum(each.count for each in self.recorders)


@dataclass(frozen=True, slots=True)
class Values:
    """Store parameters, split as the contract wants them."""

    parameters: Mapping[str, str]
    secrets: Mapping[str, Secret]


class Instance:
    """A plugin object behind its proxies."""

    def __init__(self, raw: DataStoreProvider, watch: Watch, endpoints: Sequence[Endpoint], door: Door) -> None:
        self.plugin = GuardedPlugin(watch, raw)
        self._watch, self._endpoints, self._door = watch, endpoints, door
        self._opened: list[Doors] = []
        self.doors = self.open_doors()

    def open_doors(self) -> Doors:
        """Proxies of all endpoints; a second set looks to the plugin like a second array."""
        recorders = [Recorder(each.handle, self._watch.trace) for each in self._endpoints]
        urls = [
            self._door.open(recorder.handle) + urlsplit(each.url).path
            for recorder, each in zip(recorders, self._endpoints, strict=True)
        ]
        self._opened.append(Doors(recorders, urls))
        return self._opened[-1]

    @property
    def exchanges(self) -> int:
        """Requests it has sent to the array so far."""
        return sum(each.exchanges for each in self._opened)

    def values(self, given: Mapping[str, str | Secret], doors: Doors | None = None) -> Values:
        """The store parameters for this instance: its own endpoints, the rest as given."""
        return bind(self.plugin.raw.parameters, given, (doors or self.doors).urls, self._door.ca_file)

    def localised(self, store: DataStore) -> DataStore:
        """The store as this instance must be told of it: with its own endpoints."""
        return replace(store, request=self.localised_request(store.request))

    def localised_request(self, request: StoreRequest) -> StoreRequest:
        """The request with this instance's endpoints."""
        names = [each.name for each in self.plugin.raw.parameters if each.endpoint]
        if any(request.parameters.get(name) in each.urls for each in self._opened for name in names):
            return request
        own = dict(zip(names, self.doors.urls, strict=False))
        return replace(request, parameters={**request.parameters, **own})

    @property
    def connections(self) -> int:
        """Connections to the array that it has open."""
        return sum(self._door.connections(each) for each in self._ports())

    def close(self) -> None:
        """Close its ports: whatever it still sends is refused."""
        for doors in self._opened:
            for recorder in doors.recorders:
                recorder.close()
        for each in self._ports():
            self._door.close(each)

    def _ports(self) -> Iterator[str]:
        for url in (urlsplit(url) for doors in self._opened for url in doors.urls):
            yield f"{url.scheme}://{url.netloc}"


def bind(
    declared: Sequence[Parameter], given: Mapping[str, str | Secret], urls: Sequence[str], ca_file: str | None
) -> Values:
    """Find a value for each declared parameter: endpoints and CA files are the kit's, the rest goes by name."""
    parameters: dict[str, str] = {}
    secrets: dict[str, Secret] = {}
    remaining = list(urls)
    missing = []
    for each in declared:
        value = _value(each, given, remaining, ca_file)
        if value is None:
            missing += [each] if each.required else []
        elif each.secret:
            secrets[each.name] = value if isinstance(value, Secret) else Secret(value)
        else:
            parameters[each.name] = value.reveal() if isinstance(value, Secret) else value
    if missing:
        names = ", ".join(f"{each.name} ({each.description})" for each in missing)
        raise WiringError(
            f"no value for required store parameter {names}; give --parameter NAME=VALUE or a table [parameters]"
        )
    return Values(parameters, secrets)


def _value(
    one: Parameter, given: Mapping[str, str | Secret], urls: list[str], ca_file: str | None
) -> str | Secret | None:
    if one.endpoint and urls:
        return urls.pop(0)
    if one.ca_file and ca_file is not None:
        return ca_file
    return given.get(one.name)
