"""`docs/when-is-each-method-called.md` and its pictures: made from what the reference providers were seen to do."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from conformance import contract
from conformance.messages import Message
from conformance.orchestrator import Orchestrator
from conformance.report.folding import Item, Node, folded
from conformance.report.sequence import Diagram, drawn
from tools import tour

PAGE: Final = Path("when-is-each-method-called.md")
FOLDER: Final = Path("diagrams")
_INTRODUCTION: Final = """A user asks the cloud for something; the cloud then calls your plugin, and either of the two
calls the hypervisor bridge. The pictures were drawn from runs of the reference provider with a cluster of three hosts:
its requests to the array are examples, the calls from the cloud are what every plugin gets. A frame is what was
repeated. `report.html` of a run on your plugin has the same pictures, with your array's requests and times."""
_IMPLEMENTED: Final = ("lifecycle", "driver", "host_listener")
"""Modules of the contract with what a plugin implements and is called by."""

Taken = Mapping[str, Mapping[str, Sequence[Message]]]


def pages(docs: Path, note: str) -> dict[Path, str]:
    """The page and its pictures, by path."""
    seen = {each.name: tour.taken(each) for each in tour.VARIANTS}
    pictures = {
        docs / _file(variant, operation): _picture(variant, operation, told)
        for variant, operations in seen.items()
        for operation, told in operations.items()
    }
    return {docs / PAGE: _page(seen, note), **{path: text for path, text in pictures.items() if text}}


def _file(variant: str, operation: str) -> Path:
    return FOLDER / variant / f"{operation}.svg"


def _picture(variant: str, operation: str, messages: Sequence[Message]) -> str:
    title = f"{operation}: who calls what"
    svg = drawn(Diagram(f"{variant}-{operation}", title, messages, with_times=False), alone=True)
    return svg.replace("><", ">\n<") + "\n" if svg else ""


def _page(seen: Taken, note: str) -> str:
    parts = ["# When is each method called", note, _INTRODUCTION, "## By method", _table(seen)]
    for operation in tour.TOUR:
        parts += [f"## {operation}", _sentence(operation)]
        for each in tour.VARIANTS:
            parts += _shown(each, operation, seen[each.name][operation])
    return "\n\n".join(parts) + "\n"


def _shown(variant: tour.Variant, operation: str, messages: Sequence[Message]) -> Iterator[str]:
    nobody = "nobody is called" if messages else "the reference provider does not offer this"
    yield f"**When {variant.title}:** {_in_words(folded(messages)) or nobody}"
    if len(messages) > 1:
        yield f"![{operation}]({_file(variant.name, operation).as_posix()})"


def _sentence(operation: str) -> str:
    return (inspect.getdoc(getattr(Orchestrator, operation)) or "").split("\n\n")[0].replace("\n", " ")


def _in_words(items: Sequence[Item]) -> str:
    """The cloud's calls, and what the plugin asks of the bridge; what goes over wires is left to the picture."""
    return " → ".join(filter(None, map(_one_in_words, items)))


def _one_in_words(item: Item) -> str:
    below = _in_words(item.below)
    if not isinstance(item, Node):
        return f"{item.title} ({below})" if below else ""
    if item.caller == "user":
        return below
    if item.callee not in {"plugin", "bridge"}:
        return ""
    name = f"`{item.name}`" if item.callee == "plugin" else f"bridge `{item.name}`"
    return f"{name} ({below})" if below else name


# --- by method -------------------------------------------------------------------------------------------------------


def _table(seen: Taken) -> str:
    callers = _callers(seen)
    rows = [f"| `{protocol}.{name}` | {_links(callers.get(name, ()))} |" for protocol, name in _methods()]
    return "\n".join(["| Method | Called in |", "|---|---|", *rows])


def _methods() -> Iterator[tuple[str, str]]:
    for module in _IMPLEMENTED:
        for name, protocol in vars(importlib.import_module(f"{contract.__name__}.{module}")).items():
            if name in contract.__all__ and getattr(protocol, "_is_protocol", False):
                yield from ((name, each) for each, method in vars(protocol).items() if _is_called(each, method))


def _is_called(name: str, method: object) -> bool:
    return not name.startswith("_") and inspect.isfunction(method)


def _callers(seen: Taken) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operation in tour.TOUR:
        for variant in seen.values():
            for each in variant[operation]:
                if each.callee == "plugin" and operation not in found.setdefault(each.name, []):
                    found[each.name].append(operation)
    return found


def _links(operations: Sequence[str]) -> str:
    return ", ".join(f"[{each}](#{each})" for each in operations) or "no user operation of these"
