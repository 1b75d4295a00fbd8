"""`storage-conformance simulate`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table

from conformance.cli.interrupt import stoppable
from conformance.contract import LaunchFailed, LaunchOptions, Transport
from conformance.environments.opened import load
from conformance.errors import WiringError
from conformance.toml_file import read_toml

_SECRETS: Final = frozenset({"password", "access_key"})
_NO_PARAMETERS: Final = _SECRETS | {"endpoint", "exports", "page", "state", "witness"}
SIMULATORS: Final = "storage_conformance.simulators"


class Running(Protocol):
    """What an entry point of group `storage_conformance.simulators` gives when it is called with `LaunchOptions`."""

    def describe(self) -> Sequence[tuple[str, str]]:
        """What a person needs to know, such as endpoint, username, password and CA file."""

    def close(self) -> None:
        """Stop it."""


def simulate(
    what: Annotated[str, typer.Argument(metavar="NAME", help="Name of an installed simulator, such as array.")],
    *,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port of the storage portal; any free one if left out.")
    ] = None,
    management_port: Annotated[int | None, typer.Option(metavar="PORT", help="Port of the management API.")] = None,
    witness_port: Annotated[int | None, typer.Option(metavar="PORT", help="Port of the witness.")] = None,
    page_port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port of the page that shows what is there.")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What goes wrong and when: a TOML file of [[faults]].")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what is on it in this file, and go on from there if it exists."),
    ] = None,
    data_plane: Annotated[
        str | None, typer.Option(metavar="NAME", help="What serves the LUNs: embedded, lio, or lio-vm.")
    ] = None,
    username: Annotated[str | None, typer.Option(metavar="NAME", help="Administrator of the management API.")] = None,
    api: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which management API, where the simulator has several.")
    ] = None,
) -> None:
    """Run a simulator on its own, on the loopback interface, until Ctrl-C.

    It prints where it answers, the address of a page for the browser that shows what is there and the last calls,
    and an environment file that points a run at it.

    Examples:
      storage-conformance simulate array
      storage-conformance simulate array --data-plane lio-vm
      storage-conformance simulate array --management-port 8443 --username admin
      storage-conformance simulate array --faults faults.toml
      storage-conformance simulate array --state array.state
    """
    asked = {
        "port": port,
        "management_port": management_port,
        "witness_port": witness_port,
        "page_port": page_port,
        "data_plane": data_plane,
        "username": username,
        "state": None if state is None else str(state),
        "faults": None if faults is None else read_toml(faults, "file of faults").get("faults", []),
        "api": api,
    }
    settings = {name: value for name, value in asked.items() if value is not None}
    stop = threading.Event()
    with stoppable():
        running = launched(what, settings)
        try:
            _tell(running.describe())
            stop.wait()
        except KeyboardInterrupt:
            pass
        finally:
            running.close()
    typer.echo(f"stopped; what was on it is {'gone' if state is None else f'in {state}'}")


def launched(what: str, settings: Mapping[str, object]) -> Running:
    """Start the simulator of that name; raises `WiringError`."""
    known = {each.name: each.value for each in metadata.entry_points(group=SIMULATORS)}
    if what not in known:
        raise WiringError(
            f"no simulator named {what!r} is installed; there is {', '.join(sorted(known)) or 'none'}; "
            "nothing was started"
        )
    launcher = load(known[what], f"simulator {what}")
    try:
        return cast("Running", launcher(LaunchOptions(what, Transport.SOCKETS, settings)))
    except LaunchFailed as error:
        raise WiringError(f"{error}; nothing was started") from error


def _tell(rows: Sequence[tuple[str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in rows:
        table.add_row(name, value)
    Console(soft_wrap=True).print(table, markup=False, highlight=False, soft_wrap=True)
    snippet = environment_for(dict(rows))
    if snippet:
        typer.echo(f"\n{snippet}")
    typer.echo("\nCtrl-C stops it.")
    sys.stdout.flush()


def environment_for(told: Mapping[str, str]) -> str:
    """The lines that point a run at it; none for a simulator that does not tell an endpoint and a secret.

    What it tells in lower case are parameters of a store.
    """
    secrets = {name: text for name, text in told.items() if name in _SECRETS}
    if "endpoint" not in told or not secrets:
        return ""
    plain = {name: text for name, text in told.items() if name.isidentifier() and name not in _NO_PARAMETERS}
    ca_file = [f'ca_file = "{told["CA file"]}"'] if "CA file" in told else []
    exports = " ".join(f"{_variable(name)}={text}" for name, text in secrets.items())
    return "\n".join(
        [
            f"To point a run at it, export {exports} and put into an environment file:",
            "",
            "[array]",
            'kind = "external"',
            f'url = "{told["endpoint"]}"',
            *ca_file,
            "",
            "[parameters]",
            *(f'{name} = "{text}"' for name, text in plain.items()),
            *(f'{name} = {{ env = "{_variable(name)}" }}' for name in secrets),
            "",
            "[probe]",
            'launch = "simulators.iscsi.launcher:host_probe"',
            "",
            "[safety]",
            'prefix = "sc-"',
            "allowed_hosts = []",
            "allowed_pools = []",
            "max_luns = 32",
            'max_bytes = "2TiB"',
            'consent = "a simulator"',
        ]
    )


def _variable(name: str) -> str:
    return f"ARRAY_{name.upper()}"
