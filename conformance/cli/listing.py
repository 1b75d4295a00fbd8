"""`storage-conformance list` and `storage-conformance explain`."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from conformance import homes
from conformance.catalogue import catalogue
from conformance.errors import WiringError
from conformance.report import as_catalogue
from conformance.requirement import Requirement
from conformance.session import choose
from conformance.unwritten import contract_method


def list_requirements(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with needs and known faults.")] = False,
    area: Annotated[str, typer.Option(metavar="AREA", help="Only this area, such as EXT.")] = "",
) -> None:
    """List the requirements: what a plugin MUST, SHOULD and MAY do.

    Examples:
      storage-conformance list --area EXT
      storage-conformance list --json
    """
    chosen = {
        each.id: each for each in sorted(choose(catalogue(), [area.upper()] if area else []), key=lambda one: one.id)
    }
    if as_json:
        typer.echo(as_catalogue.text(chosen, as_catalogue.known_faults()), nl=False)
    elif sys.stdout.isatty():
        Console().print(_table(chosen.values()))
    else:
        for each in chosen.values():
            typer.echo(f"{each.id}  {each.strength:<6}  {each.subject:<8}  {each.sentence}")


def _table(chosen: Iterable[Requirement]) -> Table:
    table = Table("Id", "Strength", "Subject", "Requirement", box=None, pad_edge=False)
    for each in chosen:
        table.add_row(each.id, each.strength, str(each.subject), each.sentence)
    return table


def explain(
    identifier: Annotated[str, typer.Argument(metavar="ID|METHOD", help="Such as EXT-001, or resize.")],
) -> None:
    """Explain a requirement, or a method of the contract.

    Of a requirement: what it asks for, what it needs, and the property that tries it. Of a method: what the contract
    says of it, and the requirements that name it.

    Examples:
      storage-conformance explain EXT-001
      storage-conformance explain grant_access
    """
    requirements = catalogue()
    method = contract_method(identifier)
    if method is not None:
        typer.echo(method_explanation(identifier, *method, requirements))
        return
    typer.echo(explanation(_found(identifier.upper(), requirements), requirements))


def _found(identifier: str, requirements: Mapping[str, Requirement]) -> Requirement:
    if identifier in requirements:
        return requirements[identifier]
    close = difflib.get_close_matches(identifier, requirements, 3)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    raise WiringError(f"no requirement {identifier}; {meant}`storage-conformance list` shows all")


def method_explanation(name: str, signature: str, text: str, requirements: Mapping[str, Requirement]) -> str:
    """What the contract says of a method, and what is asked of it."""
    asked = [f"  {each.id} {each.strength}: {each.sentence}" for each in requirements.values() if names(each, name)]
    return "\n".join([signature, "", *(f"  {line}".rstrip() for line in text.splitlines()), "", *asked])


def names(one: Requirement, method: str) -> bool:
    """Whether the requirement's sentence is about this method, or a failure of it is charged to the requirement."""
    return f"`{method}`" in one.sentence or homes.STEP.get(method) == one.id


def explanation(one: Requirement, requirements: Mapping[str, Requirement]) -> str:
    """Everything there is to know about a requirement."""
    above = [each.id for each in requirements.values() if one.id in each.rests_on]
    faults = as_catalogue.known_faults().get(one.id, [])
    rows = [
        ("subject", [str(one.subject) + (", the plugin in hookup PLUGIN" if one.hooked_up else "")]),
        ("needs", as_catalogue.needs(one) or ["nothing"]),
        ("rests on", [f"{each}  {requirements[each].sentence}" for each in one.rests_on] or ["nothing"]),
        ("carries", [" ".join(above) or "nothing rests on it"]),
        ("faults", faults or ["none is on record"]),
        ("run it", [f"storage-conformance run --provider module:attribute --only {one.id}"]),
    ]
    if one.not_testable:
        rows.insert(0, ("not tested", [one.not_testable]))
    lines = [f"{one.id} {one.strength}: {one.sentence}", ""]
    for title, texts in rows:
        lines += [f"  {title if not number else '':<10} {text}" for number, text in enumerate(texts)]
    return "\n".join([*lines, "", "The property that tries it:", "", inspect.getsource(one.body)])
