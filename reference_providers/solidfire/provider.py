"""The plugin as a whole: what it declares, and how its parts are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from conformance.contract import (
    CONTRACT_VERSION,
    AccessGranularity,
    AccessMechanism,
    AccessModel,
    Answer,
    BelowMinimum,
    Capability,
    ChapScope,
    DeleteWhileGranted,
    DeleteWithDependents,
    Hookup,
    Limits,
    LunNumberScope,
    Parameter,
    ProviderContext,
    RevertScope,
    SpaceAccounting,
    Supported,
    Traits,
    Unsupported,
)

from .arrays import Arrays
from .bridge_hookup import BridgedDriver
from .connector import Connect, open_https
from .driver import SolidFireDriver
from .hooking import unhooking
from .host_listener import SolidFireHostListener
from .lifecycle import SolidFireLifeCycle
from .limits import LIMITS
from .objects import Lun
from .parameters import PARAMETERS
from .snapshots import QUIESCED

_CAPABILITIES: Final[Mapping[Capability, Answer]] = {
    Capability.RESIZE: Supported(),
    Capability.RESIZE_ONLINE: Supported(),
    Capability.SHRINK: Unsupported("Element volumes only grow"),
    Capability.SNAPSHOT: Supported(),
    Capability.QUIESCED_SNAPSHOT: QUIESCED,
    Capability.REVERT: Supported(),
    Capability.VOLUME_FROM_SNAPSHOT: Supported(),
    Capability.VOLUME_FROM_VOLUME: Supported(),
    Capability.COPY: Unsupported("the array copies within one cluster only"),
    Capability.QOS: Supported(),
    Capability.QOS_ONLINE: Supported(),
    Capability.CHAP: Supported(),
    Capability.MUTUAL_CHAP: Unsupported("secrets are set for one direction"),
    Capability.CHAP_ROTATION: Supported(),
    Capability.THIN: Supported(),
    Capability.UNMAP: Supported(),
    Capability.MULTIPATH: Unsupported("the cluster has one portal, and moves it when a node fails"),
    Capability.VOLUME_STATS: Supported(),
    Capability.SHARED_GROWTH: Unsupported("there is no shared model"),
    Capability.TEMPLATE_CACHE: Supported(),
    Capability.MIGRATION_QOS: Supported(),
}
_TRAITS: Final = Traits(
    access_granularity=AccessGranularity.HOST,
    access_mechanism=AccessMechanism.BOTH,
    lun_number_scope=LunNumberScope.TARGET,
    delete_while_granted=DeleteWhileGranted.REFUSED,
    below_minimum=BelowMinimum.ROUNDED_UP,
    space_accounting=SpaceAccounting.PROVISIONED,
    overprovisioning=False,
    # The array fills a clone after it has said yes, and takes its time for a large one.
    completion_seconds={"clone": 600.0},
    name_rule="vol-<uuid>, snap-<uuid>, tmpl-<uuid>, host-<uuid>; vol--<digest of the uuid> and so on where the uuid "
    "is long or has other characters than a-z 0-9 -; accounts: store-<uuid>, and t-<digest of the store's "
    "uuid>-<tenant's uuid> while the tenant has volumes in the store",
    chap_scope=ChapScope.HOST,
    # Purging a volume would take its snapshots with it, and they are offered to users after it is gone.
    delete_with_snapshots=DeleteWithDependents.REFUSED,
    source_delete_with_clones=DeleteWithDependents.INDEPENDENT,
    rotation_drops_sessions=False,
    revert_scope=RevertScope.ONLY_THIS,
)


class SolidFireProvider:
    """`DataStoreProvider` for arrays with the SolidFire Element API."""

    def __init__(self, *, connect: Connect = open_https, hookup: Hookup = Hookup.FRAMEWORK) -> None:
        self._hookup = hookup
        self._arrays = Arrays(connect)
        array = SolidFireDriver(self._arrays)
        unhook = unhooking(self._arrays) if self._is_bridged else _nothing_to_unhook
        self._driver = BridgedDriver(array, unhook) if self._is_bridged else array
        self._lifecycle = SolidFireLifeCycle(self._arrays, self.access_models, unhook)
        self._host_listener = SolidFireHostListener(self._arrays)

    @property
    def name(self) -> str:
        return "solidfire-plugin-hookup" if self._is_bridged else "solidfire"

    @property
    def version(self) -> str:
        return "0.1.0"

    @property
    def contract_version(self) -> str:
        return CONTRACT_VERSION

    @property
    def capabilities(self) -> Mapping[Capability, Answer]:
        return MappingProxyType(_CAPABILITIES)

    @property
    def traits(self) -> Traits:
        if self._is_bridged:
            # Whoever grants by itself also revokes by itself.
            return replace(_TRAITS, delete_while_granted=DeleteWhileGranted.REVOKES)
        return _TRAITS

    @property
    def limits(self) -> Limits:
        return LIMITS

    @property
    def access_models(self) -> frozenset[AccessModel]:
        if self._is_bridged:
            return frozenset({AccessModel.DEDICATED})
        return frozenset({AccessModel.DEDICATED, AccessModel.DIRECT})

    @property
    def hookup(self) -> Hookup:
        return self._hookup

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return PARAMETERS

    @property
    def driver(self) -> SolidFireDriver | BridgedDriver:
        return self._driver

    @property
    def lifecycle(self) -> SolidFireLifeCycle:
        return self._lifecycle

    @property
    def host_listener(self) -> SolidFireHostListener:
        return self._host_listener

    @property
    def image_store_driver(self) -> None:
        return None

    def configure(self, context: ProviderContext) -> None:
        self._arrays.configure(context)

    def close(self) -> None:
        self._arrays.close()

    @property
    def _is_bridged(self) -> bool:
        return self._hookup is Hookup.PLUGIN


def _nothing_to_unhook(_lun: Lun) -> None:
    """Hypervisors are the cloud's business."""
