"""The plugin as a whole, and what the cloud hands it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from .bridge import HypervisorBridge
from .capabilities import Answer, Capability
from .driver import DataStoreDriver
from .host_listener import HostListener
from .image_store import ImageStoreDriver
from .lifecycle import DataStoreLifeCycle
from .parameter import Parameter as Parameter
from .parameter import ParameterKind as ParameterKind
from .traits import Limits, Traits
from .values import AccessModel, Cluster, Hookup, Host

CONTRACT_VERSION = "0.1"


class Operation(Protocol):
    """A call in progress."""

    @property
    def id(self) -> str:
        """The operation's id: the same in every call the cloud makes for one user operation."""
        ...

    @property
    def remaining_seconds(self) -> float:
        """Time left until the deadline; 0 when it has passed."""
        ...

    def check(self) -> None:
        """Raise `OperationCancelled` when the caller gave up; call it in loops."""
        ...


class Clock(Protocol):
    """Time as the cloud sees it; tests control it."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class ProviderContext(Protocol):
    """What the cloud gives a plugin instance at `configure`."""

    def hypervisor(self, cluster: Cluster) -> HypervisorBridge:
        """Give the bridge of a cluster; hookup PLUGIN calls it."""
        ...

    def hosts(self, cluster: Cluster) -> Sequence[Host]:
        """List the cluster's hosts as of now."""
        ...

    def operation(self) -> Operation:
        """Give the operation this thread works for.

        Threads and event loops of the plugin's own have none: take it on the thread that was called, and hand
        it on. It can be used from any thread.
        """
        ...

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Give a lock that is exclusive across all instances of the plugin.

        It is for array objects that volumes share, such as accounts and groups, and for arrays without unique
        names.
        """
        ...

    @property
    def logger(self) -> logging.Logger:
        """A logger that masks secrets it knows; do not hand it any all the same."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock to wait with."""
        ...


class DataStoreProvider(Protocol):
    """A storage vendor's plugin. `module:attribute` names a factory without arguments that gives one.

    Everything but `configure` and `close` is a read-only property. Declared capabilities must be present as
    the methods of their protocol on `driver`.
    """

    @property
    def name(self) -> str:
        """Unique and stable: stored with every primary storage."""
        ...

    @property
    def version(self) -> str:
        """The plugin's own version."""
        ...

    @property
    def contract_version(self) -> str:
        """The contract version it was written against."""
        ...

    @property
    def capabilities(self) -> Mapping[Capability, Answer]:
        """An answer for every capability of that contract version."""
        ...

    @property
    def traits(self) -> Traits:
        """Declared choices."""
        ...

    @property
    def limits(self) -> Limits:
        """Declared numbers."""
        ...

    @property
    def access_models(self) -> frozenset[AccessModel]:
        """The models it can serve; at least one."""
        ...

    @property
    def hookup(self) -> Hookup:
        """Who calls the bridge."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a store needs to be told."""
        ...

    @property
    def driver(self) -> DataStoreDriver:
        """The driver; the same object each time."""
        ...

    @property
    def lifecycle(self) -> DataStoreLifeCycle:
        """The life cycle; the same object each time."""
        ...

    @property
    def host_listener(self) -> HostListener | None:
        """The host listener, or None."""
        ...

    @property
    def image_store_driver(self) -> ImageStoreDriver | None:
        """The image store driver, or None."""
        ...

    def configure(self, context: ProviderContext) -> None:
        """Take the context; called once, before any call of driver, lifecycle or listener. No I/O here.

        Registration reads the properties before this, so they are there as soon as the factory returns.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads. Called once, last; never fails."""
        ...
