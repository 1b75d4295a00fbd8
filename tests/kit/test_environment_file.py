"""Environment files: every mistake in one clear line, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.contract import Secret
from conformance.environments.file import read_environment, size_in_bytes
from conformance.errors import WiringError

SAFETY = """
[safety]
prefix = "sc-"
allowed_hosts = []
allowed_pools = []
max_luns = 4
max_bytes = "1GiB"
consent = "SN-1"
"""
EXTERNAL = """
[array]
kind = "external"
url = "https://127.0.0.1:1/json-rpc/12.3"
username = "admin"
password = { env = "ARRAY_PASSWORD" }
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "environment.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_environment_is_simulated() -> None:
    file = read_environment(None)
    assert not file.is_real
    assert [each.name for each in file.cluster] == ["kvm-a"]


def test_a_provider_may_come_with_an_environment_of_its_own() -> None:
    for name in ("zadara", "reference_providers.zadara:PROVIDER"):
        assert read_environment(None, name).array.settings == {"api": "vpsa"}
    assert read_environment(None, "nobody's") == read_environment(None, "minimal") == read_environment(None)


def test_secrets_may_be_among_the_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[array]\nlaunch = 'a:b'\n[parameters]\npool = 'gold'\nkey = { env = 'THE_KEY' }\n"
    file = read_environment(written(tmp_path, text))
    with pytest.raises(WiringError, match="THE_KEY is not set"):
        file.store_parameters()
    monkeypatch.setenv("THE_KEY", "hidden word")
    assert file.store_parameters() == {"pool": "gold", "key": Secret("hidden word")}


def test_the_example_for_external_arrays_is_good() -> None:
    path = Path(__file__).parents[2] / "conformance" / "environments" / "example-external.toml"
    assert read_environment(path).is_real


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[array", "is no TOML"),
        ("[disks]\nlaunch = 'a:b'", "unknown key disks"),
        ("[array]\nlaunch = 'nonsense'", "array.launch: expected module:attribute"),
        ("[array]\n", 'expected launch = "module:attribute"'),
        (EXTERNAL.replace('{ env = "ARRAY_PASSWORD" }', '"secret"') + SAFETY, "password"),
        (EXTERNAL + "colour = 1\n" + SAFETY, "unknown key colour"),
        (EXTERNAL, "has no [safety] table"),
        (EXTERNAL + SAFETY.replace("1GiB", "many"), "safety.max_bytes: expected a size"),
        (EXTERNAL + SAFETY.replace("sc-", "SC"), "safety.prefix"),
        (
            "[array]\nlaunch = 'a:b'\n[[cluster]]\nname = 'x'\nhypervisor = 'vax'\nlaunch='a:b'\nbridge='a:b'",
            "hypervisor",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WiringError) as refused:
        read_environment(written(tmp_path, text))
    assert said in str(refused.value)
    assert "nothing was started" in str(refused.value)
    assert "\n" not in str(refused.value).replace(str(tmp_path), "").strip() or "TOML" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WiringError, match="No such file"):
        read_environment(tmp_path / "none.toml")


@pytest.mark.parametrize(("text", "size"), [("64MiB", 64 << 20), ("2TiB", 2 << 40), ("512", 512), ("1 GiB", 1 << 30)])
def test_sizes_are_read(text: str, size: int) -> None:
    assert size_in_bytes(text) == size
