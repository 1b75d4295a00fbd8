from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase

import pytest
from grimp import ImportGraph
from importlinter import Contract

from tests.architecture.tree import ROOT, files_below, named, text_of
from tools.import_rules import Closed, Pure


def graph(*imports: tuple[str, str]) -> ImportGraph:
    """Make a graph of imports by hand."""
    made = ImportGraph()
    for importer, imported in imports:
        made.add_import(importer=importer, imported=imported)
    return made


def is_kept(contract: Contract, *imports: tuple[str, str]) -> bool:
    return contract.check(graph(*imports), verbose=False).kept


@pytest.fixture
def leaf() -> Contract:
    return Closed("leaf", {}, {"modules": ["kit.contract"], "may_import": ["kit.contract"]})


@pytest.fixture
def pure() -> Contract:
    return Pure("pure", {}, {"modules": ["*.machine_*"], "forbidden": ["socket", "time"]})


def test_a_leaf_may_import_itself_and_the_standard_library(leaf: Contract) -> None:
    assert is_kept(leaf, ("kit.contract.values", "kit.contract.errors"), ("kit.contract.values", "dataclasses"))


@pytest.mark.parametrize("stranger", ["kit.gating", "kit.contracted", "requests"])
def test_a_leaf_may_import_nothing_else(leaf: Contract, stranger: str) -> None:
    assert not is_kept(leaf, ("kit.contract.values", stranger))


def test_others_may_import_what_a_leaf_may_not(leaf: Contract) -> None:
    assert is_kept(leaf, ("kit.cli", "requests"))


def test_a_pure_module_may_import_pure_modules(pure: Contract) -> None:
    assert is_kept(pure, ("sim.machine_login", "sim.codec"), ("sim.server", "socket"))


def test_a_pure_module_reaches_no_io_directly(pure: Contract) -> None:
    assert not is_kept(pure, ("sim.machine_login", "time"))


def test_a_pure_module_reaches_no_io_through_another(pure: Contract) -> None:
    assert not is_kept(pure, ("sim.machine_login", "sim.net"), ("sim.net", "socket"))


@pytest.mark.parametrize("folder", ["conformance/model", "simulators/array", "simulators/iscsi"])
def test_the_rule_for_pure_modules_finds_some(folder: str) -> None:
    """A rule whose patterns match nothing is kept by everybody."""
    rules = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (patterns,) = (rule["modules"] for rule in rules if rule["type"] == "pure")
    modules = [named(file).removesuffix(".py").replace("/", ".") for file in files_below(folder)]
    assert [module for module in modules if any(fnmatchcase(module, pattern) for pattern in patterns)]
