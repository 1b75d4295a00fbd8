"""Write what is generated from the code, or check that it is in step: `python -m tools.docs [--check | --write]`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from conformance import contract
from conformance.catalogue import catalogue
from conformance.cli.app import app
from conformance.report import as_catalogue
from conformance.requirement import Requirement
from conformance.standard import standards
from tools import bug_patterns, diagrams, profiles, record_page, scsi_commands

ROOT: Final = Path(__file__).resolve().parent.parent
FAULTS: Final = "tests.faulty_providers.corpus"
_NOTE: Final = "<!-- Written by `python -m tools.docs --write`; edit the code instead. -->"
_LEGEND: Final = """*Subject* says whose it is: the plugin's (provider), the hypervisor bridge's, or
the cloud's. The last column counts the faults on record that break it; `storage-conformance explain ID` names them."""
_PROGRAM: Final = "storage-conformance"


def faults() -> dict[str, list[str]]:
    """Titles of the faults on record, by the requirement they break; none where there is no corpus."""
    if importlib.util.find_spec(FAULTS) is None:
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    for each in importlib.import_module(FAULTS).all_faults():
        found[each.requirement].append(each.title)
    return found


def pages() -> dict[Path, str]:
    """Every generated file with its content."""
    requirements, known = catalogue(), faults()
    return {
        ROOT / "docs" / "requirements.md": requirements_page(requirements, known),
        ROOT / "docs" / "command.md": command_page(),
        ROOT / "docs" / "contract.md": contract_page(),
        ROOT / "docs" / "profiles.md": profiles.page(standards(), list(requirements), _NOTE),
        ROOT / "conformance" / as_catalogue.FILE: as_catalogue.text(requirements, known),
        ROOT / "docs" / "bug-patterns.md": bug_patterns.page(bug_patterns.read(), _NOTE),
        ROOT / "docs" / "report-json.md": record_page.page(_NOTE),
        ROOT / "docs" / "scsi-commands.md": scsi_commands.page(_NOTE),
        **diagrams.pages(ROOT / "docs", _NOTE),
    }


# --- requirements ----------------------------------------------------------------------------------------------------


def requirements_page(requirements: Mapping[str, Requirement], known: Mapping[str, Sequence[str]]) -> str:
    """The catalogue, area by area."""
    areas: dict[str, list[Requirement]] = defaultdict(list)
    for each in requirements.values():
        areas[each.area].append(each)
    parts = ["# Requirements", _NOTE, f"{len(requirements)} requirements. {_LEGEND}"]
    for members in areas.values():
        parts += [f"## {_title(members[0])}", _table(members, known)]
    return "\n\n".join(parts) + "\n"


def _title(member: Requirement) -> str:
    """The first line of the module its area lives in."""
    return _text(inspect.getmodule(member.body)).split("\n")[0].rstrip(".")


def _table(members: Sequence[Requirement], known: Mapping[str, Sequence[str]]) -> str:
    rows = ["| Id | Requirement | Subject | Needs | Rests on | Faults |", "|---|---|---|---|---|---|"]
    for each in members:
        needs = "; ".join(as_catalogue.needs(each))
        sentence = each.sentence + (f" *Not tested: {each.not_testable}*" if each.not_testable else "")
        cells = [each.id, sentence, str(each.subject), needs, ", ".join(each.rests_on)]
        rows.append("| " + " | ".join([*(_cell(cell) for cell in cells), str(len(known.get(each.id, ())))]) + " |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or "-"


# --- the command -----------------------------------------------------------------------------------------------------


def command_page() -> str:
    """Every command with its options; not as typer lays them out, which changes with its version."""
    group: Any = get_command(app)
    sections = [_command(_PROGRAM, group)]
    sections += [_command(f"{_PROGRAM} {name}", each) for name, each in group.commands.items()]
    return "\n\n".join(["# The command", _NOTE, *sections]) + "\n"


def _command(title: str, command: Any) -> str:
    paragraphs = [_paragraph(each) for each in command.help.split("\n\n")]
    rows = ["| Option | What it does |", "|---|---|", *(_option(each) for each in command.params)]
    return "\n\n".join([f"## {title}", *paragraphs, "\n".join(rows)])


def _paragraph(text: str) -> str:
    if not text.startswith("\b\n"):
        return text
    title, _, body = text.removeprefix("\b\n").partition("\n")
    return f"{title}\n\n```text\n{inspect.cleandoc(body)}\n```"


def _option(one: Any) -> str:
    names = one.metavar if one.param_type_name == "argument" else ", ".join(one.opts)
    value = f" {one.metavar}" if one.metavar and one.param_type_name == "option" else ""
    default = "" if one.default in (None, "", False) else f" Default: `{one.default}`."
    return f"| `{_cell(names + value)}` | {_cell(one.help)}{default} |"


# --- the contract ----------------------------------------------------------------------------------------------------


def contract_page() -> str:
    """What each method of each protocol is for, in the contract's own words."""
    parts = ["# The contract", _NOTE, _text(contract), "## What a plugin implements, and what it is handed"]
    errors: list[str] = []
    values: list[str] = []
    for name in sorted(contract.__all__):
        one = getattr(contract, name)
        if inspect.isclass(one) and getattr(one, "_is_protocol", False):
            parts += _protocol(one)
        elif inspect.isclass(one) and issubclass(one, BaseException):
            errors.append(_row(name, one))
        elif inspect.isclass(one):
            values.append(_row(name, one))
    head = ["| Name | What it is |", "|---|---|"]
    parts += ["## Errors", "\n".join([*head, *errors]), "## Values", "\n".join([*head, *values])]
    return "\n\n".join(parts) + "\n"


def _protocol(one: type[Any]) -> Iterator[str]:
    yield f"### {one.__name__}"
    yield _text(one)
    for name, member in vars(one).items():
        function = member.fget if isinstance(member, property) else member
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        title = name if isinstance(member, property) else f"{name}{_signature(function)}"
        yield f"#### `{title}`"
        yield _text(function)


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    own = [each for name, each in signature.parameters.items() if name != "self"]
    return str(signature.replace(parameters=own)).replace("'", "")


def _row(name: str, one: type[Any]) -> str:
    return f"| `{name}` | {_cell(_text(one).split(chr(10) * 2)[0].replace(chr(10), ' '))} |"


def _text(thing: object) -> str:
    return inspect.getdoc(thing) or ""


# --- the program -----------------------------------------------------------------------------------------------------


def write() -> None:
    """Write every page."""
    for path, content in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


def differing() -> list[str]:
    """Name the files that are not what the code says."""
    return [
        str(path.relative_to(ROOT))
        for path, content in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != content
    ]


def wrong() -> list[str]:
    """What people wrote of requirements and faults that are not there."""
    names = {f"{key} {title}" for key, titles in faults().items() for title in titles}
    return list(bug_patterns.wrong(bug_patterns.read(), catalogue(), names))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check unless told to write."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="fail when a page is not what the code says (default)")
    group.add_argument("--write", action="store_true", help="write the pages")
    if parser.parse_args(arguments).write:
        write()
        return 0
    found = wrong()
    if stale := differing():
        found.append(f"{', '.join(stale)} not in step with the code: run python -m tools.docs --write")
    for each in found:
        print(f"docs: {each}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
