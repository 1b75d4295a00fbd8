from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, cast

from conformance import plugin
from tests.architecture.tree import ROOT

if TYPE_CHECKING:
    import pytest

HEAVY = ("aiohttp", "hypothesis", "jinja2", "pydantic", "rich", "typer")


class OptionRecorder:
    """Stands for pytest's parser and for its groups, and keeps the names given to it."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_: object, **__: object) -> OptionRecorder:
        return self

    def addoption(self, *names: str, **_: object) -> None:
        self.names += names


def test_every_option_says_whose_it_is() -> None:
    """Other plugins have options too; short and general names clash."""
    recorder = OptionRecorder()
    plugin.pytest_addoption(cast("pytest.Parser", recorder))
    assert "--conformance-provider" in recorder.names
    assert [name for name in recorder.names if not name.startswith("--conformance-")] == []


def test_a_pytest_run_that_does_not_ask_for_us_does_not_wait_for_us() -> None:
    """Installed, the plugin is imported by every pytest run on that machine."""
    program = f"import conformance.plugin, sys; print(*(set({HEAVY}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert result.stdout.strip() == ""
