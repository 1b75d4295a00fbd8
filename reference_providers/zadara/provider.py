"""The plugin as a whole: what it declares, and how its parts are put together."""

from __future__ import annotations

from collections.abc import Mapping
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
    SpaceAccounting,
    Supported,
    Traits,
    Unsupported,
)

from .arrays import PARAMETERS, Arrays
from .connector import Connect, open_https
from .copies import NO_QOS, QUIESCED
from .driver import ZadaraDriver
from .host_listener import ZadaraHostListener
from .lifecycle import ZadaraLifeCycle
from .limits import LIMITS

_CAPABILITIES: Final[Mapping[Capability, Answer]] = {
    Capability.RESIZE: Supported(),
    Capability.RESIZE_ONLINE: Supported(),
    Capability.SHRINK: Unsupported("VPSA volumes only grow"),
    Capability.SNAPSHOT: Supported(),
    Capability.QUIESCED_SNAPSHOT: QUIESCED,
    Capability.REVERT: Unsupported("the API has no way back to a snapshot"),
    Capability.VOLUME_FROM_SNAPSHOT: Supported(),
    Capability.VOLUME_FROM_VOLUME: Supported(),
    Capability.COPY: Unsupported("the array copies within itself only"),
    Capability.QOS: NO_QOS,
    Capability.QOS_ONLINE: NO_QOS,
    Capability.CHAP: Supported(),
    Capability.MUTUAL_CHAP: Unsupported("the controllers' CHAP is for one direction"),
    Capability.CHAP_ROTATION: Unsupported("all hosts log in with the array's one secret, which its administrator sets"),
    Capability.THIN: Supported(),
    Capability.UNMAP: Supported(),
    Capability.MULTIPATH: Unsupported("one controller is active, and the other takes over its address"),
    Capability.VOLUME_STATS: Unsupported("the API does not say what a volume has written"),
    Capability.SHARED_GROWTH: Unsupported("there is no shared model"),
    Capability.TEMPLATE_CACHE: Supported(),
    Capability.MIGRATION_QOS: NO_QOS,
}
_TRAITS: Final = Traits(
    access_granularity=AccessGranularity.HOST,
    access_mechanism=AccessMechanism.BOTH,
    lun_number_scope=LunNumberScope.HOST,
    delete_while_granted=DeleteWhileGranted.REFUSED,
    below_minimum=BelowMinimum.ROUNDED_UP,
    space_accounting=SpaceAccounting.PROVISIONED,
    # The pool would promise more than it has; this plugin does not ask it to.
    overprovisioning=False,
    name_rule="vol-<uuid>-<check>, snap-, tmpl- and host- alike; new- before the name of what is being made; the check "
    "is a digest of kind, store and uuid",
    chap_scope=ChapScope.CONTROLLER,
    delete_with_snapshots=DeleteWithDependents.REFUSED,
    source_delete_with_clones=DeleteWithDependents.INDEPENDENT,
)


class ZadaraProvider:
    """`DataStoreProvider` for arrays with the VPSA REST API."""

    name: Final = "zadara"
    version: Final = "0.1.0"
    contract_version: Final = CONTRACT_VERSION
    capabilities: Final[Mapping[Capability, Answer]] = MappingProxyType(_CAPABILITIES)
    traits: Final[Traits] = _TRAITS
    limits: Final[Limits] = LIMITS
    access_models: Final = frozenset({AccessModel.DEDICATED, AccessModel.DIRECT})
    hookup: Final = Hookup.FRAMEWORK
    parameters: Final[tuple[Parameter, ...]] = PARAMETERS
    image_store_driver: Final = None

    def __init__(self, *, connect: Connect = open_https) -> None:
        self._arrays = Arrays(connect)
        self.driver: Final = ZadaraDriver(self._arrays)
        self.lifecycle: Final = ZadaraLifeCycle(self._arrays, self.access_models)
        self.host_listener: Final = ZadaraHostListener(self._arrays)

    def configure(self, context: ProviderContext) -> None:
        self._arrays.configure(context)

    def close(self) -> None:
        self._arrays.close()
