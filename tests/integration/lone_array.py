"""`storage-conformance simulate array` in a process of its own, and what is on it as told by its witness."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from tests.integration.place import Place, interrupted, read_until

CLUSTER = """
[[cluster]]
name = "kvm-a"
hypervisor = "kvm"
launch = "simulators.libvirt.launcher:test_driver"
bridge = "hypervisor_bridge.kvm:open_bridge"
"""


class LoneArray:
    """A running array as its printed text describes it."""

    def __init__(self, printed: str) -> None:
        first, _, rest = printed.partition("\n\n")
        rows = (line.split("  ", 1) for line in first.splitlines())
        self.told = {name: value.strip() for name, value in rows}
        self.environment = rest[rest.index("[array]") : rest.index("Ctrl-C")]

    @property
    def variables(self) -> dict[str, str]:
        """What the environment file takes its secret from."""
        return {"ARRAY_PASSWORD": self.told["password"]}

    def tables(self) -> Any:
        """Everything that is on it, seen from behind."""
        pair = f"{self.told['username']}:{self.told['password']}"
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        context = ssl.create_default_context(cafile=self.told["CA file"])
        with urlopen(Request(self.told["witness"], headers=headers), timeout=10, context=context) as answer:
            return json.load(answer)

    def things(self) -> list[str]:
        """Names of all that a client made on it."""
        tables = self.tables()
        return [
            f"{kind} {each.get('name') or each.get('username')}"
            for kind in ("volumes", "snapshots", "accounts", "groups", "initiators")
            for each in tables[kind]
            if not each.get("is_deleted")
        ]


@contextmanager
def lone_array(place: Place, *options: str, **variables: str) -> Iterator[LoneArray]:
    """Start an array, and stop it with Ctrl-C."""
    process = place.start("simulate", "array", *options, **variables)
    try:
        yield LoneArray(read_until(process.stdout, "Ctrl-C stops it"))
    finally:
        done = interrupted(process)
    assert done.status == 0
    assert [line for line in done.stderr.splitlines() if not line.startswith("lio: ")] == []
    assert place.left_behind() == []
