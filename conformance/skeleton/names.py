"""What a new plugin is called, as distribution and as package."""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Final

from conformance.environments.file import PROVIDERS
from conformance.errors import WiringError
from conformance.main import NEEDED, PACKAGES

# What is both a name of PEP 508 and a provider's name, which begins with a letter and has at most 64 characters.
_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_PACKAGE: Final = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN: Final = frozenset({*PACKAGES, *NEEDED, "pytest", "storage_conformance", "tests"})


@dataclass(frozen=True, slots=True)
class Names:
    """`name` is that of distribution and provider, `package` is what is imported."""

    name: str
    package: str


def names_for(name: str, package: str | None = None) -> Names:
    """Check a name, and make the package's from it where none is given; raises `WiringError`."""
    if not _NAME.fullmatch(name):
        raise WiringError(
            f"{name!r} is no name for a plugin: expected a letter, then letters, digits, '.', '_' or '-', "
            "at most 64 and not ending in a sign; nothing was written"
        )
    chosen = re.sub(r"[._-]+", "_", name).lower() if package is None else package
    _check_installed(name, chosen)
    _check_package(chosen, is_given=package is not None)
    return Names(name, chosen)


def _check_package(package: str, *, is_given: bool) -> None:
    reason = ""
    if not _PACKAGE.fullmatch(package):
        reason = "expected a lower-case letter, then lower-case letters, digits or '_'"
    elif keyword.iskeyword(package) or keyword.issoftkeyword(package):
        reason = "it is a word of the language"
    elif package in sys.stdlib_module_names:
        reason = "the standard library has a module of that name"
    elif package in _TAKEN:
        reason = "the kit, what it needs, or the project's tests have a package of that name"
    if reason:
        other = "give another --package" if is_given else "give another name, or a --package"
        raise WiringError(f"the package cannot be called {package!r}: {reason}; {other}; nothing was written")


def _check_installed(name: str, package: str) -> None:
    distribution = re.sub(r"[._-]+", "-", name).lower()
    known = {each.name: each.value for each in metadata.entry_points(group=PROVIDERS)}
    if distribution == "storage-conformance":
        raise WiringError(f"{name} is the kit's own name; give another; nothing was written")
    if known.get(name, f"{package}:PROVIDER") != f"{package}:PROVIDER":
        raise WiringError(
            f"a provider named {name} is installed already ({known[name]}); give another name; nothing was written"
        )
