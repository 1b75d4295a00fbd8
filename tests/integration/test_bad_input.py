"""Whatever is wrong with what was asked: status 2, what it is and what to do on stderr, and nothing left behind."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lone_array import LoneArray, lone_array
from tests.integration.place import Done, Place

pytestmark = pytest.mark.slow

MISMATCHED = """
from reference_providers.solidfire import SolidFireProvider
from reference_providers.solidfire.driver import SolidFireDriver

class Driver(SolidFireDriver):
    def create(self, store): ...
    def delete(self, store, volume, force): ...
    def grant_access(self): ...
    resize = None

SolidFireDriver.__new__ = lambda cls, *_, **__: object.__new__(Driver)

PROVIDER = SolidFireProvider
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneArray]:
    with lone_array(Place(tmp_path_factory.mktemp("array"))) as array:
        yield array


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def is_refused(place: Place, done: Done, *told: str, lines: int = 1) -> None:
    """One line of stderr says all of this, and nothing is left."""
    assert done.status == 2, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == lines, done.stderr
    assert all(line.startswith("storage-conformance: ") for line in done.stderr.splitlines())
    assert [each for each in told if each not in done.stderr] == [], done.stderr
    assert done.stdout == ""
    assert place.left_behind() == []


def is_refused_untouched(place: Place, *arguments: str, told: tuple[str, ...], **variables: str) -> None:
    """As above, and the current directory is as it was."""
    before = place.files()
    is_refused(place, place.run(*arguments, **variables), *told)
    assert place.files() == before


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("solidfyre", ("'solidfyre' is installed", "did you mean solidfire?", "name yours as module:attribute")),
        ("no_such:PROVIDER", ("no_such:PROVIDER", "no module no_such", "is it installed and spelled so?")),
        ("reference_providers.minimal:NOPE", ("has no attribute NOPE",)),
        ("json:__doc__", ("is str; expected a factory",)),
    ],
)
def test_an_unknown_provider(place: Place, provider: str, told: tuple[str, ...]) -> None:
    is_refused_untouched(place, "run", "--provider", provider, told=told)


def test_a_plugin_that_cannot_be_imported(place: Place) -> None:
    place.write("broken.py", "import sys\nraise RuntimeError('no licence')\n")
    is_refused_untouched(place, "run", "--provider", "broken:PROVIDER", told=("broken", "RuntimeError: no licence"))


def test_all_signature_mismatches_at_once(place: Place) -> None:
    place.write("odd.py", MISMATCHED)
    before = place.files()
    done = place.run("run", "--provider", "odd:PROVIDER")
    told = ("create", "delete", "grant_access", "resize", "odd:PROVIDER cannot be registered")
    is_refused(place, done, *told, lines=len(done.stderr.splitlines()))
    assert len(done.stderr.splitlines()) == len(told)
    assert place.files() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("launch", "lunch"), ("probe.launch: field required",)),
        (("allowed_hosts", "allowed_host"), ("unknown key safety.allowed_host",)),
        (('"external"', '"extern"'), ("array.kind", "'extern'")),
        (("[safety]", "[rails]"), ("unknown key rails",)),
        (("max_luns = 32", "max_luns = 0"), ("safety.max_luns",)),
        (('url = "https', 'uri = "https'), ("unknown key uri", "url: field required")),
        (('prefix = "sc-"', "prefix = sc-"), ("is no TOML",)),
    ],
)
def test_a_mistake_in_an_environment_file(
    place: Place, array: LoneArray, change: tuple[str, str], told: tuple[str, ...]
) -> None:
    place.write("lab.toml", array.environment.replace(*change))
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=("lab.toml", *told, "nothing was started"), **array.variables)


def test_an_unknown_setting_of_a_simulator(place: Place) -> None:
    place.write("lab.toml", '[array]\nlaunch = "simulators.array.launcher:element"\ncapacity = 5\n')
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=("setting 'capacity' is unknown", "use any of"))


def test_no_safety_table(place: Place, array: LoneArray) -> None:
    place.write("lab.toml", array.environment[: array.environment.index("[safety]")])
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=("no [safety] table", "add one"), **array.variables)


def test_a_secret_that_is_nowhere(place: Place, array: LoneArray) -> None:
    place.write("lab.toml", array.environment.replace("ARRAY_PASSWORD", "NOBODY_SET_THIS"))
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=("NOBODY_SET_THIS is not set",))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("https://", "ftp://"), ("ftp://", "is no http or https URL")),
        (("/json-rpc/12.3", "/json-rpc/99.9"), ("/json-rpc/99.9", "no Element API of this version", "check url")),
    ],
)
def test_a_wrong_url(place: Place, array: LoneArray, change: tuple[str, str], told: tuple[str, ...]) -> None:
    place.write("lab.toml", array.environment.replace(*change))
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=told, **array.variables)
    assert array.things() == []


def test_a_wrong_password(place: Place, array: LoneArray) -> None:
    place.write("lab.toml", array.environment)
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    told = ("AuthenticationFailed", "check url, username and password in [array]")
    is_refused_untouched(place, *asked, told=told, ARRAY_PASSWORD="not this one")
    assert array.things() == []


def test_a_ca_file_of_somebody_else(place: Place, array: LoneArray) -> None:
    place.write("other.pem", Path(array.told["CA file"]).read_text(encoding="ascii")[:40])
    place.write("lab.toml", array.environment.replace(array.told["CA file"], "other.pem"))
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=("other.pem", "nothing was started"), **array.variables)


def test_a_certificate_that_nobody_vouches_for(place: Place, array: LoneArray) -> None:
    lines = array.environment.splitlines()
    place.write("lab.toml", "\n".join(line for line in lines if not line.startswith("ca_file")))
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=("certificate", "check url and ca_file"), **array.variables)


def test_a_dead_array(place: Place, array: LoneArray, closed_port: int) -> None:
    address = array.told["endpoint"].split("/")[2]
    place.write("lab.toml", array.environment.replace(address, f"127.0.0.1:{closed_port}"))
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    told = (f"127.0.0.1:{closed_port}", "refused", "check url")
    is_refused_untouched(place, *asked, told=told, **array.variables)


@pytest.mark.parametrize("option", ["--port", "--management-port", "--witness-port"])
def test_a_port_that_is_in_use(place: Place, taken_port: int, option: str) -> None:
    told = (f"port {taken_port}", "in use", "any free port", "nothing was started")
    is_refused_untouched(place, "simulate", "array", option, str(taken_port), told=told)


def test_a_port_in_an_environment_file_that_is_in_use(place: Place, taken_port: int) -> None:
    place.write("lab.toml", f'[array]\nlaunch = "simulators.array.launcher:element"\nport = {taken_port}\n')
    asked = ("run", "--provider", "solidfire", "--environment", "lab.toml")
    is_refused_untouched(place, *asked, told=(f"port {taken_port}", "in use", "any free port"))


def test_an_unknown_simulator(place: Place) -> None:
    is_refused_untouched(place, "simulate", "disks", told=("'disks'", "there is array"))


@pytest.mark.parametrize("name", ["conformance", "simulators", "reference_providers", "hypervisor_bridge"])
def test_the_command_is_not_confused_by_folders_called_like_its_packages(place: Place, name: str) -> None:
    place.write(f"{name}/__init__.py", "")
    done = place.run("run", "--provider", "solidfire", "--only", "REG", "--profile", "smoke")
    assert (done.status, done.stderr) == (0, "")
    assert place.left_behind() == []


@pytest.mark.parametrize("name", ["simulators", "reference_providers", "hypervisor_bridge"])
def test_a_folder_that_hides_a_package_of_ours(place: Place, name: str) -> None:
    place.write(f"{name}/__init__.py", "")
    before = place.files()
    done = place.run("run", "--provider", "solidfire", PYTHONPATH=str(place.folder))
    is_refused(place, done, f"package {name} is {place.folder / name}", "rename what is in the way")
    assert place.files() == before


def test_a_folder_that_hides_a_package_of_ours_from_pytest(place: Place) -> None:
    place.write("simulators/__init__.py", "")
    before = place.files()
    pytest_itself = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.properties"]
    done = place.run_program(*pytest_itself, "--conformance-provider", "solidfire")
    assert done.status == pytest.ExitCode.USAGE_ERROR
    assert f"package simulators is {place.folder / 'simulators'}" in done.stderr
    assert "rename what is in the way" in done.stderr
    assert place.files() == before
    assert place.left_behind() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run",), ("no plugin was named", "--provider module:attribute")),
        (("run", "--provider", "solidfire", "--only", "XXX"), ("no requirement or area XXX", "list")),
        (("run", "--provider", "solidfire", "--profile", "huge"), ("no profile huge", "smoke")),
        (("run", "--provider", "solidfire", "--environment", "no.toml"), ("cannot read", "no.toml")),
        (("run", "--provider", "solidfire", "--report", "/proc/reports"), ("/proc/reports", "--report")),
        (("run", "--provider", "solidfire", "--parameter", "nonsense=1"), ("has no parameter nonsense",)),
        (("run", "--provider", "solidfire", "--parameter", "password=hunter22"), ("is a secret", "password=env:")),
        (("explain", "PRV-999"), ("no requirement PRV-999", "list")),
        (("clean",), ("no plugin was named",)),
    ],
)
def test_a_wrong_option(place: Place, arguments: tuple[str, ...], told: tuple[str, ...]) -> None:
    is_refused_untouched(place, *arguments, told=told)
