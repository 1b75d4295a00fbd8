"""A counterexample as a script that stands alone: a short story to read, and a command to run."""

from __future__ import annotations

import pprint
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from conformance.counterexample import Counterexample

_WIDTH: Final = 116
_INSTALL: Final = "pip install 'storage-conformance[kit,simulators]'"
# What would end a comment, or not be text at all.
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What a call is for, as a user or administrator of the cloud would say it.
_DONE: Final[Mapping[str, Mapping[str, str]]] = {
    "plugin": {
        "initialize": "The storage is added.",
        "update": "The storage is changed.",
        "attach_cluster": "A cluster is to use the storage.",
        "detach_cluster": "A cluster no longer uses the storage.",
        "delete_datastore": "The storage is removed.",
        "create": "A volume is created.",
        "delete": "The volume is deleted.",
        "resize": "The volume is resized.",
        "set_qos": "The volume gets another QoS.",
        "grant_access": "A host is let in to the volume.",
        "connection": "The host asks how to reach the volume.",
        "revoke_access": "The host is shut out from the volume.",
        "fence": "Hosts are cut off, whatever they do.",
        "list_objects": "The cloud looks what the storage holds.",
        "used": "The cloud looks how full the storage is.",
        "host_added": "A host joins the cluster.",
        "host_connected": "A host connects.",
        "host_disconnected": "A host disconnects.",
        "host_about_to_be_removed": "A host is about to leave the cluster.",
        "host_removed": "A host has left the cluster.",
        "host_enabled": "A host may be used again.",
    },
    "bridge": {
        "create_datastore": "The hypervisor makes a datastore of the LUN.",
        "attach_datastore": "Hosts attach the datastore.",
        "expand_datastore": "Hosts see how large the LUN has become.",
        "detach_datastore": "Hosts let go of the datastore.",
        "delete_datastore": "The hypervisor forgets the datastore.",
        "create_disk": "A disk is made in the datastore.",
        "resize_disk": "The disk is resized.",
        "delete_disk": "The disk is deleted.",
        "connect_target": "Hosts log in to the target.",
        "disconnect_target": "Hosts log out of the target.",
        "inventory": "The hypervisor tells what it holds.",
    },
}
_BODY: Final = """
import sys

COUNTEREXAMPLE = {example}

if __name__ == "__main__":
    try:
        from conformance.stand_alone import main
    except ImportError as error:
        print(f"{{error}}; first: {install}", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(COUNTEREXAMPLE))
"""


def text(told: Counterexample) -> str:
    """The script's content."""
    example = pprint.pformat(told.model_dump(), width=_WIDTH, sort_dicts=False)
    head = "\n".join(f"# {_plain(line)}".rstrip() for line in _story(told))
    return f"#!/usr/bin/env python3\n{head}\n{_BODY.format(example=example, install=_INSTALL)}"


def _story(told: Counterexample) -> Iterator[str]:
    one, seen, subject = told.requirement, told.seen, told.subject
    yield from _wrapped(f"{one.id} {one.strength}: {one.sentence}")
    yield ""
    yield from _wrapped(f"What happened with {subject.name} {subject.version}{_in(told)}:")
    yield ""
    for call in seen.calls or ["0. nothing was called"]:
        yield from _told(call)
    yield ""
    yield from _wrapped(f"Expected: {seen.expected}")
    yield from _wrapped(f"Observed: {seen.observed} (by {seen.observer})")
    if seen.intermittent:
        yield "It did not fail each time: try --times 10."
    yield ""
    yield "To see it again:"
    yield f"    {_INSTALL}    # and the plugin"
    yield f"    python {one.id}.py --provider {subject.reference or 'module:attribute'}"


def _in(told: Counterexample) -> str:
    met = f", while {told.found_by} was tried" if told.found_by != told.requirement.id else ""
    lost = "".join(f"; the {each.loses} of its request number {each.nth + 1} is lost" for each in told.injected)
    return f" in environment {told.environment}{met}{lost}"


def _told(call: str) -> Iterator[str]:
    """A line of the trace as three: what is done, who is called for it, and what comes of it."""
    asked, arrow, ending = call.partition(") -> ")
    number, _, what = (f"{asked})" if arrow else call).partition(". ")
    party, _, request = what.partition(".")
    method = request.partition("(")[0]
    yield from _wrapped(f"{number:>3}. {_DONE.get(party, {}).get(method, f'The {party} is called.')}")
    yield from _wrapped(f"     {party}.{request}", indent=7)
    if arrow:
        raised = ending.removeprefix("raised ")
        yield from _wrapped(f"     it raises {raised}" if raised != ending else f"     it answers {ending}", indent=7)


def _wrapped(text: str, indent: int = 4) -> list[str]:
    plain = _plain(text)
    return textwrap.wrap(plain, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False, drop_whitespace=True)


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)
