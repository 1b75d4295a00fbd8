"""What is known to fail, and why. Whatever else fails is new; whatever of this passes has become untrue."""

from __future__ import annotations

_BLOCK_LBA = (
    "The test reads the status at LBA n+1 and wants a descriptor for n+LBPPB, which is the same only with one logical "
    "block per physical block. SBC-3 §5.5.2: the first descriptor is for the LBA that was asked for."
)
_PATTERN = (
    "The test sends a block of FFh with UNMAP and wants zeros back (its 16-byte sister clears the block first). SBC-3 "
    "§4.7.3.4.4: with LBPRZ, blocks are unmapped only if they then read as what was sent; else they are written."
)

KNOWN: dict[str, dict[str, str]] = {
    "simulated": {
        "GetLBAStatus.UnmapSingle": _BLOCK_LBA,
        "WriteSame10.UnmapUntilEnd": _PATTERN,
    },
}

SKIPPED_BECAUSE: dict[str, str] = {
    "NoMedia": "only for removable media",
    "MultipathIO": "needs a second path to the LUN",
    "PreventAllow": "only for removable media",
    "ReadOnly": "only for a LUN that is write-protected",
    "Sanitize": "SANITIZE is tried only with a flag of its own, and is not simulated",
    "StartStopUnit": "only for removable media",
}
"""Why a suite is skipped where the reason is not simply that the target lacks the command."""
