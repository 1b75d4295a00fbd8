"""The tutorial as its reader follows it: code goes where its first line says; a step ends with what a run says."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"# (?P<file>[\w/]+\.py)(?:, class (?P<owner>\w+))?")


@dataclass(frozen=True, slots=True)
class Edit:
    """Definitions for a file, or for a class in it."""

    file: str
    owner: str
    code: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is written, and what a run says then: requirements that have become green, and what to write next."""

    edits: Sequence[Edit]
    green: Sequence[str]
    following: str


def steps(text: str) -> list[Step]:
    """The steps of the tutorial, the first of them without code."""
    found: list[Step] = []
    edits: list[Edit] = []
    for kind, content in _BLOCK.findall(text):
        if kind == "python":
            edits.append(_edit(content))
        else:
            green, _, following = content.removeprefix("Green: ").partition("Next: implement ")
            found.append(Step(tuple(edits), tuple(green.split()), following.strip()))
            edits = []
    return found


def apply(edit: Edit, project: Path) -> None:
    """Put the code where it belongs: what has a name that is there takes its place, the rest is new."""
    path = project / edit.file
    lines = path.read_text(encoding="utf-8").splitlines()
    offered = edit.code.splitlines()
    for node in ast.parse(f"class {edit.owner}:\n{edit.code}" if edit.owner else edit.code).body:
        # Within a class, line 1 is the class's own.
        nodes = node.body if edit.owner and isinstance(node, ast.ClassDef) else [node]
        for each in nodes:
            piece = offered[_first(each) - bool(edit.owner) : (each.end_lineno or 0) - bool(edit.owner)]
            lines = _with(lines, each, piece, edit.owner)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _edit(content: str) -> Edit:
    first, _, code = content.partition("\n")
    place = _PLACE.fullmatch(first)
    assert place, f"{first!r} does not say where the code goes"
    return Edit(place["file"], place["owner"] or "", code)


def _with(lines: list[str], node: ast.stmt, piece: list[str], owner: str) -> list[str]:
    """The file with this piece in it."""
    tree = ast.parse("\n".join(lines))
    classes = {each.name: each.body for each in tree.body if isinstance(each, ast.ClassDef)}
    body = classes[owner] if owner else tree.body
    there = next((each for each in body if _name(each) == _name(node)), None)
    if there is not None:
        return [*lines[: _first(there)], *piece, *lines[there.end_lineno or 0 :]]
    if isinstance(node, ast.ImportFrom | ast.Assign | ast.AnnAssign):
        last = max(each.end_lineno or 0 for each in body if isinstance(each, ast.Import | ast.ImportFrom))
        apart = [] if isinstance(node, ast.ImportFrom) else [""]
        return [*lines[:last], *apart, *piece, *lines[last:]]
    end = body[-1].end_lineno or 0
    blank = [""] if owner else ["", ""]
    return [*lines[:end], *blank, *piece, *lines[end:]]


def _first(node: ast.stmt) -> int:
    """The index of its first line."""
    return node.lineno - 1


def _name(node: ast.stmt) -> str:
    """What it defines; an import is named after where it imports from."""
    if isinstance(node, ast.ImportFrom):
        return f"from {'.' * node.level}{node.module}"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target)
    return getattr(node, "name", "")
