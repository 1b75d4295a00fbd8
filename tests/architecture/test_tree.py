from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.tree import ROOT, files, files_below, modules, named, text_of

# Where a package was downloaded, or on whose machine a file was written, is nobody's business.
REGISTRY_HOST = re.compile(r"(?:pypi|pythonhosted|npmjs|golang)\.org|registry\.yarnpkg|crates\.io")
HOME = re.compile(r"(?<![\w.$}])/(?:home|root|Users)/[A-Za-z]")
VENDOR = re.compile(r"solidfire|zadara|vpsa|element[ _-]?(?:api|os)\b", re.IGNORECASE)
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


def places(pattern: re.Pattern[str], within: list[str]) -> list[str]:
    """Name file and line of each match."""
    return [
        f"{named(file)}:{number}: {line.strip()}"
        for file in (files_below(*within) if within else files())
        for number, line in enumerate(text_of(file).splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_tree_is_found() -> None:
    assert ROOT / "pyproject.toml" in files()
    assert ROOT / "conformance" / "contract" / "__init__.py" in modules()


def test_no_file_names_a_package_registry() -> None:
    assert places(REGISTRY_HOST, []) == []


def test_no_file_names_a_home_directory() -> None:
    assert places(HOME, []) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY_HOST, "https://files.pythonhosted" + ".org/packages/x.whl"),
        (HOME, 'cache = "/home' + '/someone/.cache"'),
        (VENDOR, "class SolidFireDriver:"),
        (VENDOR, "through the Element API"),
    ],
)
def test_what_must_not_be_written_is_recognised(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_the_kit_names_no_vendor() -> None:
    """Environment files may: they are where a subject is wired to what it runs on."""
    assert [
        place for place in places(VENDOR, ["conformance"]) if not place.startswith("conformance/environments/")
    ] == []


def test_no_module_is_called_by_what_it_is_not() -> None:
    assert [named(module) for module in modules() if NAMELESS & {module.stem, module.parent.name}] == []


def test_no_module_is_longer_than_600_lines() -> None:
    assert [named(module) for module in modules() if len(text_of(module).splitlines()) > 600] == []


def test_importing_conformance_imports_nothing_else() -> None:
    """Who imports conformance.contract runs this module first: it holds a docstring only."""
    body = ast.parse(text_of(ROOT / "conformance" / "__init__.py")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def test_every_folder_of_modules_is_a_package() -> None:
    """The import rules do not see a folder without __init__.py."""
    folders = {module.parent for module in modules()}
    assert [named(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []
