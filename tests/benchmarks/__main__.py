"""Prints the ratios, each with its aim; a missed aim is said, and is the exit status."""

from __future__ import annotations

import sys

from conformance.contract import Transport
from tests.benchmarks import planes, vpsa
from tests.benchmarks.cycle import cycles_per_second
from tests.benchmarks.element import calls_against_constant, many_over_few


def main() -> int:
    """Run all benchmarks."""
    memory, sockets = cycles_per_second(Transport.MEMORY), cycles_per_second(Transport.SOCKETS)
    print(f"volume cycles per second, in memory      {memory:8.1f}")
    print(f"volume cycles per second, over sockets   {sockets:8.1f}    {sockets / memory:.2f} of in memory")
    calls = calls_against_constant()
    print(f"Element calls over a constant answer     {calls:8.2f}    aim >= 0.70")
    vpsa_calls = vpsa.calls_against_constant()
    print(f"VPSA calls over a constant answer        {vpsa_calls:8.2f}    aim >= 0.70")
    growth = many_over_few()
    for name, ratio in growth.items():
        print(f"{name}: 10,000 x 1,000 over 100 x 10".ljust(40), f"{ratio:8.2f}    aim <= 1.30")
    aims = {"calls": calls >= 0.70, "VPSA calls": vpsa_calls >= 0.70}
    aims.update((name, ratio <= 1.30) for name, ratio in growth.items())
    aims |= _planes()
    missed = [name for name, is_met in aims.items() if not is_met]
    print(f"aims missed: {', '.join(missed)}" if missed else "all aims met")
    return 1 if missed else 0


def _planes() -> dict[str, bool]:
    if not planes.is_possible():
        print("data planes: not measured, because QEMU is not installed: python -m tools.system wire lio")
        return {}
    ours, lio = planes.rates("embedded", 512), planes.rates("lio-vm", 64)
    ratios = {
        name: getattr(ours, name) / getattr(lio, name) for name in ("write_mib", "read_mib", "write_iops", "read_iops")
    }
    for name, ratio in ratios.items():
        print(
            f"{name}: ours {getattr(ours, name):.0f}, LIO in a machine {getattr(lio, name):.0f}".ljust(56),
            f"{ratio:8.2f}    aim >= 5",
        )
    cold, warm = planes.machine_ready()
    print(f"the machine is ready in {cold:.1f} s from packages, {warm:.1f} s from its saved state")
    return {name: ratio >= 5 for name, ratio in ratios.items()}


if __name__ == "__main__":
    sys.exit(main())
