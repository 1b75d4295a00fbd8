"""Looking for what is left when everything should be gone."""

from __future__ import annotations

import base64
import gc
import json
import threading
import time
import traceback
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from conformance import homes
from conformance.calls import CallHung, StrayExit, run_with_deadline
from conformance.contract import ArrayView, BridgeInventory, DataStoreProvider
from conformance.trace import MASK
from conformance.verdict import Broken, Violation

if TYPE_CHECKING:
    from conformance.instance import Instance

_CLOSE_SECONDS: Final = 2.0
_GRACE_SECONDS: Final = 0.5
_AROUND: Final = 60
_OURS: Final = ("storage-conformance", "simulator", "asyncio_")


def left_on_array(before: ArrayView, after: ArrayView, *, trash_allowed: bool) -> list[Violation]:
    """What is on the array now and was not before, and what was before and is not now."""
    known = {each.external_id for each in before.luns}
    luns = [
        f"LUN {each.name or each.external_id}{' in the trash' if each.in_trash else ''}"
        for each in after.luns
        if each.external_id not in known and not (each.in_trash and trash_allowed)
    ]
    things = {(each.kind, each.external_id) for each in before.objects}
    others = [f"{each.kind} {each.name}" for each in after.objects if (each.kind, each.external_id) not in things]
    left = sorted(luns + _snapshots_left(before, after, trash_allowed=trash_allowed) + others)
    found = [Violation("nothing to be left on the array", ", ".join(left[:6]), "the array", homes.LEAK)] if left else []
    now = {each.external_id for each in after.live}
    gone = [each.name for each in before.live if each.external_id not in now]
    if gone:
        found.append(Violation("LUNs of others to stay", f"gone: {', '.join(gone[:6])}", "the array", "ISO-001"))
    return found


def _snapshots_left(before: ArrayView, after: ArrayView, *, trash_allowed: bool) -> list[str]:
    known = {each.external_id for each in before.snapshots}
    # A LUN in the trash keeps its snapshots, and they go with it.
    trash = {each.external_id for each in after.luns if each.in_trash and trash_allowed}
    return [
        f"snapshot {each.name or each.external_id}"
        for each in after.snapshots
        if each.external_id not in known and each.lun_external_id not in trash
    ]


def left_on_hosts(before: BridgeInventory, after: BridgeInventory) -> list[Violation]:
    """What hypervisors hold now because of storage and did not hold before."""
    left = sorted(f"{each.kind} {each.name}" for each in after.items - before.items)
    if not left:
        return []
    return [Violation("nothing to be left on hosts", ", ".join(left[:6]), "the hypervisor", homes.LEFT_ON_HOSTS)]


def spellings(secret: str, users: Set[str]) -> set[str]:
    """A secret as it may be written: itself, percent-encoded, in hexadecimal, and in base64 wherever it may begin."""
    raw = secret.encode()
    written = {secret, quote(secret, safe=""), raw.hex(), json.dumps(secret)[1:-1]}
    written |= {base64.b64encode(f"{user}:{secret}".encode()).decode().rstrip("=") for user in users}
    for ahead in range(3):
        # Of the first and the last group some bits belong to what stands beside the secret.
        text = base64.b64encode(bytes(ahead) + raw).decode().rstrip("=")
        written.add(text[4 if ahead else 0 : len(text) - len(text) % 4])
    return {each for each in written if len(each) >= 8}


def secrets_in(texts: Mapping[str, str], secrets: Set[str]) -> list[Violation]:
    """Places where a secret can be read."""
    return [
        Violation(
            "no secret to be readable", f"one in {place}: {_around(text, secrets)}", "the kit's search", homes.SECRETS
        )
        for place, text in texts.items()
        if any(secret in text for secret in secrets)
    ][:1]


def _around(text: str, secrets: Set[str]) -> str:
    """The line with the secret, masked, and as much of it as one can read."""
    # Long ones first: one spelling may be part of another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    line = next(each for each in text.splitlines() if MASK in each)
    at = line.index(MASK)
    return f"{'…' if at > _AROUND else ''}{line[max(0, at - _AROUND) : at + _AROUND]}"


def error_text(error: BaseException) -> str:
    """All that an error tells: its text, its repr, its notes and its causes, without the kit's own frames."""
    texts = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        texts += [str(current), repr(current), *getattr(current, "__notes__", [])]
        texts += [*traceback.format_exception_only(current)]
        current = current.__cause__ or current.__context__
    return "\n".join(texts)


def threads_since(before: Set[threading.Thread]) -> list[Violation]:
    """Threads of the plugin that are still there after it was closed."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while left := [each for each in threading.enumerate() if each not in before and not _is_ours(each)]:
        if time.monotonic() > deadline:
            names = ", ".join(sorted(each.name for each in left))
            return [Violation("no thread to be left after close", names, "the kit's watch", homes.THREADS)]
        left[0].join(0.05)
    return []


def connections_of(closed: Instance) -> int:
    """Connections that a plugin holds which was closed: those it has let go of take a moment to be gone."""
    deadline = time.monotonic() + _CLOSE_SECONDS
    # Some are in cycles of objects that nobody uses any more.
    gc.collect()
    while (left := closed.connections) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def _is_ours(thread: threading.Thread) -> bool:
    return thread.name.startswith(_OURS)


def close_provider(provider: DataStoreProvider) -> None:
    """Close a plugin instance; a failure or a hang is charged to the requirement on closing."""
    try:
        run_with_deadline(provider.close, _CLOSE_SECONDS)
    except (CallHung, StrayExit, Exception) as error:
        said = f"{type(error).__name__}: {error}"
        raise Broken(Violation("close to succeed", said, "the plugin", homes.THREADS)) from error
