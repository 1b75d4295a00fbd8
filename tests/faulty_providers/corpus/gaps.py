"""Faults in what operations do to each other: a migration and a growth, two rotations, two tenants, a repetition after
a change.
"""

from __future__ import annotations

from typing import Any, Final

from tests.faulty_providers.corpus.blind_third import OWN_QOS
from tests.faulty_providers.fault import Call, Fault

PLUGIN_HOOKUP: Final = "solidfire-plugin-hookup"


def _marks(call: Call) -> dict[str, Any]:
    """The attributes of the volume that a request is about."""
    answer = call.others["send"]("ListVolumes", volumeIDs=[call.arguments["volumeID"]])
    found = answer.get("result", {}).get("volumes", [])
    return dict(found[0].get("attributes") or {}) if found else {}


def _is_lifted(call: Call) -> bool:
    return OWN_QOS in _marks(call)


FAULTS: tuple[Fault, ...] = ()
