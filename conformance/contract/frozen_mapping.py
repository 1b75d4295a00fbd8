"""A mapping that a value can hold without giving up what makes it a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

V = TypeVar("V")


class FrozenMapping(Mapping[str, V]):
    """A copy that cannot be changed, and can be hashed, copied and pickled as far as its entries can.

    `types.MappingProxyType` can do none of the three, so a `Volume` that holds one could be no key of a
    dictionary and could not be sent to another process. Equal to any mapping with the same entries.
    """

    __slots__ = ("_entries",)
    since = "0.1"

    def __init__(self, entries: Mapping[str, V]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, key: str) -> V:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return repr(self._entries)

    def __hash__(self) -> int:
        return hash(frozenset(self._entries.items()))

    def __copy__(self) -> FrozenMapping[V]:
        return self

    def __deepcopy__(self, _memo: object) -> FrozenMapping[V]:
        return self

    def __reduce__(self) -> tuple[type[FrozenMapping[V]], tuple[dict[str, V]]]:
        return FrozenMapping, (self._entries,)
