"""docs/tutorial.md, followed to the letter: after each step a run says what the text says."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import catalogue, from_the_ground
from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.profile import PROFILES
from conformance.session import Result, run_session
from conformance.skeleton.names import names_for
from conformance.skeleton.writing import write
from conformance.subject import RunningSubject, SubjectPlan
from conformance.unwritten import gaps
from conformance.verdict import Verdict
from tests.architecture.tree import ROOT
from tests.tutorial.reading import Step, apply, steps

STEPS = steps((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
_NOT_LOOKED_AT = (Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path / "acme"))
    # Files change within a second: what was compiled before would be taken for them.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield write(names_for("acme"), tmp_path)
    forget()


def forget() -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "acme"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def run() -> Result:
    """A run in memory on the project as it is now."""
    forget()
    plugin = importlib.import_module("acme").PROVIDER

    def in_memory(network: Any) -> Any:
        def send(method: str, url: str, ca_file: str | None, headers: Any, body: bytes, seconds: float) -> Any:
            with closing(network.connect(url, ca_file, verify=True, timeout=seconds)) as connection:
                return connection.request(method, "/json-rpc/12.3", headers, body, seconds)

        return plugin(send=send)

    with (
        open_environment(None, Transport.MEMORY) as environment,
        RunningSubject(SubjectPlan("acme", plugin, in_memory), environment, PROFILES["smoke"]) as subject,
    ):
        return run_session(subject, from_the_ground(catalogue().values(), catalogue()), catalogue())


def passed(result: Result) -> set[str]:
    return {each for each, outcome in result.outcomes.items() if outcome.verdict is Verdict.PASSED}


def seen(listed: Iterable[str], result: Result) -> set[str]:
    """Those that could be looked at here: in memory there is no TLS, and perhaps no hypervisor."""
    return {each for each in listed if result.outcomes[each].verdict not in _NOT_LOOKED_AT}


def follow(project: Path) -> Iterator[Step]:
    for step in STEPS:
        for edit in step.edits:
            apply(edit, project)
        yield step


@pytest.mark.slow
def test_each_step_makes_green_what_it_says(project: Path) -> None:
    green: set[str] = set()
    for step in follow(project):
        result = run()
        new, green = passed(result) - green, green | passed(result)
        missing = [each.method for each in gaps(result.outcomes)]
        assert missing[:1] == ([step.following] if step.following else [])
        assert [each for each in result.ranked if not result.outcomes[each].unwritten] == []
        if step.green != ("all",):
            assert new == seen(step.green, result)
    assert STEPS[-1].green == ("all",)
    assert result.exit_status == 0
    assert len(green) > 70
    assert passed(result) == green


@pytest.mark.slow
def test_what_comes_out_is_clean_by_its_own_rules(project: Path) -> None:
    list(follow(project))
    # The reader's editor sorts imports; that they are all used and nothing is missing is the tutorial's part.
    checks = [["ruff", "check", "--ignore", "I001"], ["ruff", "format", "--check"], ["mypy", "--cache-dir", "../cache"]]
    for check in checks:
        words = [sys.executable, "-m", *check]
        done = subprocess.run(
            words, cwd=project, env={"MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_comes_out_is_the_minimal_plugin(project: Path) -> None:
    list(follow(project))
    ours = functions((ROOT / "reference_providers" / "minimal.py").read_text(encoding="utf-8").replace("min-", "acme-"))
    theirs: dict[str, str] = {}
    for file in (project / "acme").glob("*.py"):
        theirs |= functions(file.read_text(encoding="utf-8"))
    assert theirs == ours


def functions(source: str) -> dict[str, str]:
    """Each function's statements, by the place it has in driver, life cycle, provider or client."""
    found = {}
    for owner in (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Module | ast.ClassDef)):
        title = owner.name.removeprefix("Minimal") if isinstance(owner, ast.ClassDef) else ""
        for each in owner.body:
            if isinstance(each, ast.FunctionDef):
                found[f"{title}.{each.name}"] = "\n".join(map(ast.unparse, statements(each))).replace("Minimal", "")
    return found


def statements(function: ast.FunctionDef) -> list[ast.stmt]:
    """Without the docstring, or the word that stands for nothing."""
    return [each for each in function.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
