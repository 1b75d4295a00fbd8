"""The command: run, compare, and say in the last line what really passed."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING

from tests.iscsi_test_cu import suite, table
from tests.iscsi_test_cu.targets import TARGETS

if TYPE_CHECKING:
    from tests.iscsi_test_cu.suite import Verdict
    from tests.iscsi_test_cu.targets import TargetUnderTest


def judge(target: TargetUnderTest) -> dict[str, Verdict]:
    """Run every suite against one target."""
    verdicts: dict[str, Verdict] = {}
    with target.start() as running:
        for name in suite.suites():
            verdicts |= suite.run(running, name)
    return verdicts


def main() -> int:
    """Return 0 when everything is as it is known to be."""
    options = argparse.ArgumentParser(prog="python -m tests.iscsi_test_cu", description=__doc__)
    options.add_argument("--write", action="store_true", help="record what was found")
    options.add_argument("--target", action="append", choices=[each.name for each in TARGETS], help="only this one")
    chosen = options.parse_args()
    if shutil.which(suite.TOOL) is None:
        print(f"{suite.TOOL} is not installed: python -m tools.system wire")
        return 3
    rows = [each for each in TARGETS if each.is_possible() and each.name in (chosen.target or [each.name])]
    found = {each.name: judge(each) for each in rows}
    recorded = table.load()
    problems = [line for name, tests in found.items() for line in table.complaints(name, tests)]
    if chosen.write:
        table.save(recorded | found)
    else:
        problems += [line for name, tests in found.items() for line in table.drift(name, tests, recorded.get(name, {}))]
        if table.render(recorded) != table.PAGE.read_text():
            problems.append(f"{table.PAGE.name} is not what results.json says: run with --write")
    print("\n".join(problems), end="\n" if problems else "")
    print("; ".join(f"{name}: {table.tally(tests)}" for name, tests in found.items()))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
