"""A host as its administrator works on it: discovers, logs in, and uses the disks that appear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.wire_linux.machine import Done, LinuxMachine

# So long the kernel keeps commands for a session that is down; Debian's 120 s are for networks that come back.
REPLACEMENT: Final = "node.session.timeo.replacement_timeout"
_REPLACEMENT_SECONDS: Final = "3"
_FIND_DISK: Final = """
for session in /sys/class/iscsi_session/*; do
    [ "$(cat "$session/targetname" "$session/initiatorname")" = "$(printf '%s\\n' {target} {iqn})" ] &&
        ls "$session"/device/target*/*:{lun}/block 2>/dev/null
done | grep .
"""


def add_host(machine: LinuxMachine, iqn: str) -> None:
    """Give the machine one more name to log in by; iscsiadm(8) keeps it as an interface's."""
    record = f"iscsiadm -m iface -I {_interface_of(iqn)}"
    done = machine.run(f"{record} -o new && {record} -o update -n iface.initiatorname -v {iqn}")
    assert done.is_fine, done.printed


class LinuxHost:
    """One of several hosts in a machine: an initiator's name that was added to it, at the portal of one array."""

    def __init__(self, machine: LinuxMachine, portal: str, iqn: str) -> None:
        self.iqn = iqn
        self._machine = machine
        self._portal = portal
        self._interface = _interface_of(iqn)

    def run(self, commands: str, seconds: int = 20) -> Done:
        """Run commands of a shell."""
        return self._machine.run(commands, seconds)

    def told(self, commands: str, seconds: int = 20) -> str:
        """What commands print that have to work."""
        done = self.run(commands, seconds)
        assert done.is_fine, f"{commands}: {done.status}\n{done.printed}"
        return done.printed

    def discovered(self) -> Sequence[str]:
        """Targets that SendTargets names to this host."""
        printed = self.told(f"iscsiadm -m discovery -t sendtargets -p {self._portal} -I {self._interface}")
        return sorted(line.split()[1] for line in printed.splitlines() if line.startswith(self._portal))

    def log_in(self, target: str, settings: Mapping[str, str] | None = None) -> Done:
        """Try to log in, with these settings of the node's record."""
        record = f"iscsiadm -m node -T {target} -p {self._portal} -I {self._interface}"
        wanted = {REPLACEMENT: _REPLACEMENT_SECONDS, **(settings or {})}
        updates = [f"{record} -o update -n '{name}' -v '{value}'" for name, value in wanted.items()]
        self.told(" && ".join([f"{record} -o new", *updates]))
        return self.run(f"{record} --login")

    def disk(self, target: str, lun: int = 0) -> str:
        """The device of a LUN, for which the kernel may still be looking."""
        find = _FIND_DISK.format(target=target, iqn=self.iqn, lun=lun)
        return f"/dev/{self.told(f'until {find} do sleep 0.1; done').strip()}"

    def attached(self, target: str, settings: Mapping[str, str] | None = None) -> str:
        """Log in, and the device of LUN 0."""
        done = self.log_in(target, settings)
        assert done.is_fine, done.printed
        return self.disk(target)

    def leave(self) -> None:
        """Log out everywhere and forget all, for every host of the machine."""
        self.run("umount /mnt")
        self.run("iscsiadm -m node --logoutall=all; iscsiadm -m node -o delete; iscsiadm -m discoverydb -o delete", 60)
        assert self.run("iscsiadm -m session").printed == "iscsiadm: No active sessions.\n"


def _interface_of(iqn: str) -> str:
    return iqn.rpartition(":")[2]
