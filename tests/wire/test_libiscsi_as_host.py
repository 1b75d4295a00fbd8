"""The suites with libiscsi as the hosts' initiator: who gets in, with which secret, and which bytes they find."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.place import COMMAND

pytestmark = pytest.mark.wire

AREAS = ("ACC", "CHP", "EXT", "DST", "REV")
ENVIRONMENTS = {"solidfire": "environment.toml", "zadara": "environment-vpsa.toml"}


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("provider", ENVIRONMENTS)
def test_a_right_plugin_passes_whoever_the_hosts_log_in_with(provider: str, tmp_path: Path) -> None:
    only = [word for area in AREAS for word in ("--only", area)]
    environment = Path(__file__).parent / "libiscsi" / ENVIRONMENTS[provider]
    asked = ["--provider", provider, "--environment", str(environment), "--profile", "smoke", "--report", str(tmp_path)]
    # From the project's root, where Python finds the probe.
    done = subprocess.run(
        [str(COMMAND), "run", *asked, *only], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    verdicts = json.loads((tmp_path / "report.json").read_text())["requirements"]
    assert done.returncode == 0, done.stdout + done.stderr
    # What needs a hypervisor is not asked for here.
    assert len([each for each in verdicts if each["verdict"] == "PASSED"]) >= 30
