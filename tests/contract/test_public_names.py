"""What vendors can name changes only where everybody sees it, and costs little to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Final

import conformance.contract as contract

from .public_names import COMMAND, LIST, lines

HOME: Final = Path(contract.__file__).parent
SEPARATE: Final = {"adapters", "codec"}
"""Modules that others import by their own names."""


def test_the_list_is_up_to_date() -> None:
    expected, found = LIST.read_text().splitlines(), lines()
    gone, new = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    told = "\n".join([*(f"- {each}" for each in gone), *(f"+ {each}" for each in new)])
    assert expected == found, f"the vendors' interface has changed:\n{told}\nif that is meant: {COMMAND}"


def defined_in(module: Path) -> set[str]:
    names = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {each.id for each in node.targets if isinstance(each, ast.Name)}
    return {each for each in names if not each.startswith("_") and len(each) > 1}


def test_the_package_has_every_public_name_of_its_modules() -> None:
    modules = [each for each in HOME.glob("*.py") if each.stem not in SEPARATE and not each.stem.startswith("_")]
    assert set().union(*map(defined_in, modules)) == set(contract.__all__)


def test_every_public_name_is_documented() -> None:
    bare = [
        name
        for name in contract.__all__
        if isinstance(getattr(contract, name), type) and not getattr(contract, name).__doc__
    ]
    assert not bare


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", _PATH + program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


_PATH: Final = f"import sys; sys.path.insert(0, {str(HOME.parent.parent)!r}); "


def test_the_contract_needs_the_standard_library_alone() -> None:
    loaded = loaded_by("import conformance.contract, conformance.contract.codec, conformance.contract.adapters")
    roots = {each.partition(".")[0] for each in loaded} - {"conformance"}
    assert roots <= sys.stdlib_module_names
    ours = {each for each in loaded if each.startswith("conformance")}
    assert {each for each in ours if not each.startswith("conformance.contract")} == {"conformance"}


def test_importing_the_contract_is_cheap() -> None:
    loaded = loaded_by("import conformance.contract")
    assert not loaded & {"asyncio", "socket", "ssl", "json", "subprocess", "http", "concurrent.futures", "unittest"}
    assert len(loaded) < 120
