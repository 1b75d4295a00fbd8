"""Who gets in to a volume, as it is found where initiators are answered: in the tables, or in what LIO exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simulators.array.model import ArrayModel
    from simulators.array.volume import Volume
    from simulators.lio.values import Acl, Target


class Doors(Protocol):
    """Answers about one volume at a time."""

    def initiators(self, volume: Volume) -> Iterable[str]:
        """Names of those who are let in by name."""

    def need_chap(self, volume: Volume) -> bool:
        """Whether anybody has to prove who it is."""


class TableDoors:
    """Our own target asks the tables for each command: what stands there is so."""

    def __init__(self, model: ArrayModel) -> None:
        self._model = model

    def initiators(self, volume: Volume) -> Iterator[str]:
        return (self._model.initiators.get(number).name for number in self._members(volume))

    def need_chap(self, volume: Volume) -> bool:
        by_account = self._model.accounts.get(volume.account_id).lets_in_by_chap
        return by_account or any(self._model.initiators.get(each).requires_chap for each in self._members(volume))

    def _members(self, volume: Volume) -> Iterator[int]:
        return (number for group_id in volume.groups for number in self._model.groups.get(group_id).initiators)


class ExportedDoors:
    """LIO knows nothing of our tables: what it exports is so, whatever it was told."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets

    def initiators(self, volume: Volume) -> Iterator[str]:
        return (name for target in self._targets for name, acl in target.acls.items() if _shows(acl, volume))

    def need_chap(self, volume: Volume) -> bool:
        acls = [acl for target in self._targets for acl in (target.anybody, *target.acls.values()) if acl is not None]
        return any(acl.chap is not None and _shows(acl, volume) for acl in acls)


def _shows(acl: Acl, volume: Volume) -> bool:
    return any(lun.disk == volume.blocks.name for lun in acl.luns.values())
