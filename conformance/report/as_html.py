"""A record as one page, `report.html`: nothing in it is fetched from anywhere, and nothing in it runs.

Everything in the record but its shape is somebody else's text, the plugin's above all. Jinja escapes it, what is
invisible in it is spelled out, and the page forbids itself scripts and every connection besides.
"""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.report.page import Page, place_title
from conformance.report.plain import plain
from conformance.report.record import Record
from conformance.report.sequence import milliseconds
from conformance.report.svg import colours

FILE: Final = "report.html"


def render(record: Record) -> str:
    """The page: a function of the record and of nothing else."""
    template = _environment().get_template("report.html.j2")
    return template.render(page=Page(record), record=record, picture_css=colours())


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    made.filters["milliseconds"] = milliseconds
    made.filters["place"] = place_title
    return made


def _fit(value: object) -> object:
    # What the template calls safe is our own style sheets, and pictures, in which all text was escaped and made fit.
    return plain(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
