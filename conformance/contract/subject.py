"""What a vendor hands over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .provider import DataStoreProvider
from .secret import Secret
from .witness import ArrayWitness


@dataclass(frozen=True, slots=True)
class Subject:
    """A plugin's factory, its store parameters, and optionally a look behind its back.

    `module:attribute` given to the kit may name a provider factory or one of these. Parameters left out are
    taken from the environment's array by name; endpoints always come from there.
    """

    provider: Callable[[], DataStoreProvider]
    parameters: Mapping[str, str | Secret] = field(default_factory=dict)
    witness: ArrayWitness | None = None
    since = "0.1"
