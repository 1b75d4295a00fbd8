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

_NEWER_SENSE = (
    "LIO says 0E/03, invalid field in command information unit, where a command asks for another length than the "
    "initiator promises. The test of libiscsi 1.19 expects 24/00, or that the write is done."
)
_VERIFIES_NOTHING = "LIO answers VERIFY without looking at the data, nor at protection information."
_RESERVED_STILL = "LIO gives up what RESERVE holds only some time after the session has ended."

KNOWN: dict[str, dict[str, str]] = {
    "simulated": {
        "GetLBAStatus.UnmapSingle": _BLOCK_LBA,
        "WriteSame10.UnmapUntilEnd": _PATTERN,
    },
    "LIO": {
        "CompareAndWrite.Miscompare": _NEWER_SENSE,
        "CompareAndWrite.Simple": _NEWER_SENSE,
        "Inquiry.BlockLimits": "The test allows 2^20 blocks for one UNMAP at most; a loop device takes more.",
        "ReceiveCopyResults.CopyStatus": "LIO refuses the service action COPY STATUS with 24/00.",
        "Reserve6.ITNexusLoss": _RESERVED_STILL,
        "Reserve6.Logout": _RESERVED_STILL,
        "Verify10.Mismatch": _VERIFIES_NOTHING,
        "Verify10.VerifyProtect": _VERIFIES_NOTHING,
        "Verify16.Mismatch": _VERIFIES_NOTHING,
        "Verify16.VerifyProtect": _VERIFIES_NOTHING,
        "iSCSIResiduals.Write10Residuals": _NEWER_SENSE,
        "iSCSIResiduals.Write12Residuals": _NEWER_SENSE,
        "iSCSIResiduals.Write16Residuals": _NEWER_SENSE,
        "iSCSIResiduals.WriteVerify10Residuals": _NEWER_SENSE,
        "iSCSIResiduals.WriteVerify16Residuals": _NEWER_SENSE,
        "iSCSIdatasn.iSCSIDataSnInvalid": "LIO ends the connection, where the test waits for a status.",
    },
}

WAVERING: dict[str, frozenset[str]] = {"LIO": frozenset({"Reserve6.ITNexusLoss"})}
"""What fails in one run and passes in the next: neither is news. None of ours may."""

SKIPPED_BECAUSE: dict[str, str] = {
    "NoMedia": "only for removable media",
    "MultipathIO": "needs a second path to the LUN",
    "PreventAllow": "only for removable media",
    "ReadOnly": "only for a LUN that is write-protected",
    "Sanitize": "SANITIZE is tried only with a flag of its own, and is not simulated",
    "StartStopUnit": "only for removable media",
}
"""Why a suite is skipped where the reason is not simply that the target lacks the command."""
