"""Two kinds of import-linter contract that its own kinds cannot express.

`closed` names what a package may import, so that whatever is added later is refused until it is allowed;
import-linter's `forbidden` names what it may not, and forgets the rest. `pure` chooses modules by the pattern
of their name (`*.machine_*`), of which import-linter's wildcards take whole parts only.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from grimp import ImportGraph


def is_inside(module: str, packages: Collection[str]) -> bool:
    """Say whether a module is one of these packages or a part of one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class Closed(Contract):
    """These packages import the standard library, what is listed, and nothing else."""

    modules: Any = fields.SetField(subfield=fields.StringField())
    may_import: Any = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - import-linter's signature
        """Look at every direct import: if each is allowed, so is every chain of them."""
        strangers = sorted(self._strangers(graph))
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def _strangers(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        allowed: set[str] = {*self.may_import, *sys.stdlib_module_names}
        for importer in graph.modules:
            if is_inside(importer, self.modules):
                for imported in graph.find_modules_directly_imported_by(importer):
                    if not is_inside(imported, allowed):
                        yield importer, imported

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per import that is not allowed."""
        for importer, imported in check.metadata["strangers"]:
            output.print_error(f"{importer} imports {imported}, which is not listed in may_import")


class Pure(Contract):
    """No module with such a name reaches one of these, directly or through others of ours."""

    modules: Any = fields.SetField(subfield=fields.StringField())
    forbidden: Any = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - import-linter's signature
        """Find the shortest chain from each such module to each forbidden one."""
        chains = sorted(self._chains(graph))
        return ContractCheck(kept=not chains, metadata={"chains": chains})

    def _chains(self, graph: ImportGraph) -> Iterator[tuple[str, ...]]:
        pure = [m for m in graph.modules if any(fnmatchcase(m, pattern) for pattern in self.modules)]
        for forbidden in set(self.forbidden) & graph.modules:
            for importer in pure:
                chain = graph.find_shortest_chain(importer=importer, imported=forbidden)
                if chain:
                    yield chain

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each chain on a line."""
        for chain in check.metadata["chains"]:
            output.print_error(" imports ".join(chain))
