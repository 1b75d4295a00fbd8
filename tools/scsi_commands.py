"""The page of SCSI commands that the simulated target knows, from its own table."""

from __future__ import annotations

from simulators.iscsi.scsi.command_table import COMMANDS

_TEXT = """What the simulated iSCSI target answers; every other operation code is refused with 20/00, every bit that is
zero in a usage map with 24/00 and a field pointer. REPORT SUPPORTED OPERATION CODES gives the same from the same table.
The last column says how much a command touches, which decides what a reservation of another host does to it (SPC-4
table 65): *free* and *looks* are let through, *reads* by write exclusive reservations only, *writes* by none."""


def page(note: str) -> str:
    """Return the page."""
    rows = ["| Command | Operation code | Service action | Usage map | Touches |", "|---|---|---|---|---|"]
    for each in COMMANDS:
        action = "" if each.service_action is None else f"{each.service_action:02X}h"
        touches = each.access.name.lower() + (", thin only" if each.is_thin_only else "")
        rows.append(f"| {each.name} | {each.opcode:02X}h | {action} | `{each.usage.hex()}` | {touches} |")
    return "\n\n".join(["# SCSI commands", note, _TEXT, "\n".join(rows)]) + "\n"
