"""One fault, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Part(StrEnum):
    """Which object of the chain a fault sits in. WIRE: a request of the plugin to its array, by method name."""

    PROVIDER = "provider"
    DRIVER = "driver"
    LIFECYCLE = "lifecycle"
    LISTENER = "listener"
    WIRE = "wire"
    BRIDGE = "bridge"
    CLOUD = "cloud"


class Kind(StrEnum):
    """What a fault does to its users; kit-quality counts each class by itself."""

    CONTRACT = "contract"
    DATA = "data"
    LEAK = "leak"
    IDENTITY = "identity"
    ISOLATION = "isolation"
    SECRET = "secret"
    LIFE = "life"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Site:
    """A method of a part."""

    part: Part
    method: str

    def __str__(self) -> str:
        return f"{self.part}.{self.method}"


@dataclass(slots=True)
class Memory:
    """What the faulty parts of one plugin object remember; `shared` is the same for all objects of one world."""

    own: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One call that passes a site: arguments by the contract's names, and `proceed` to do what is right.

    `others` gives the plugin's true parts (`others["driver"].delete(…)`), for faults that do more than they should.
    For WIRE, `arguments` are the request's params and the answer is the result object of the API.
    """

    site: Site
    arguments: dict[str, Any]
    function: Callable[..., Any]
    memory: Memory
    others: Mapping[str, Any]
    number: int
    is_restarted: bool

    def proceed(self, **changed: Any) -> Any:
        """Do what is right, with some arguments changed."""
        return self.function(**{**self.arguments, **changed})


Change = Callable[[Call], Any]
When = Callable[[Call], bool]


def always(call: Call) -> bool:
    """At every call."""
    return True


@dataclass(frozen=True, slots=True)
class Fault:
    """`requirement` is the one a reader should be sent to first; `also` may rightly come first as well."""

    requirement: str
    title: str
    at: Site
    change: Change
    kind: Kind = Kind.CONTRACT
    when: When = always
    base: str = "solidfire"
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Requirement and title: unique in the corpus."""
        return f"{self.requirement} {self.title}"


class _Methods:
    """`Driver.create` is the site (DRIVER, create)."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def __getattr__(self, method: str) -> Site:
        return Site(self._part, method)


Provider = _Methods(Part.PROVIDER)
Driver = _Methods(Part.DRIVER)
LifeCycle = _Methods(Part.LIFECYCLE)
Listener = _Methods(Part.LISTENER)
Wire = _Methods(Part.WIRE)
Bridge = _Methods(Part.BRIDGE)
Cloud = _Methods(Part.CLOUD)
