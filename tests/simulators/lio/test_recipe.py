from __future__ import annotations

import importlib.util
import marshal
import sys
import tarfile

import pytest

from simulators.lio import recipe
from simulators.lio.errors import LioUnavailable

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def module(*depends: str) -> bytes:
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(depends).encode() + b"\0retpoline=Y\0"


def packed(*files: tuple[str, bytes]) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(tarfile.TarInfo(f"./{name}"), content) for name, content in files]


def test_a_module_says_what_it_depends_on() -> None:
    assert recipe.needed_by(module("target_core_mod", "scsi-common")) == ["target_core_mod", "scsi_common"]
    assert recipe.needed_by(module()) == []
    assert recipe.needed_by(b"no module at all") == []


def test_modules_come_after_what_they_depend_on_and_what_is_built_in_is_left_out() -> None:
    modules = {
        "iscsi_target_mod": module("target_core_mod"),
        "target_core_mod": module("scsi_common"),
        "scsi_common": module(),
        "loop": module(),
        "unwanted": module(),
    }
    assert recipe.in_order(modules) == ["loop", "scsi_common", "target_core_mod", "iscsi_target_mod"]
    assert recipe.in_order(modules, ["target_core_mod"]) == ["scsi_common", "target_core_mod"]


def test_the_kernel_and_its_modules_are_found_in_the_package() -> None:
    kernel, tree = recipe.kernel_part(
        packed(("boot/vmlinuz-6.1.0-cloud", b"kernel"), ("lib/modules/6.1.0/kernel/drivers/block/loop.ko", module()))
    )
    assert kernel == b"kernel"
    assert tree["modules/order"].content == b"loop\n"
    assert tree["modules/loop.ko"].content == module()


def test_a_package_without_a_kernel_is_refused() -> None:
    with pytest.raises(LioUnavailable, match="layout has changed"):
        recipe.kernel_part(packed(("usr/share/doc/readme", b"")))


def test_python_is_left_with_what_the_agent_needs() -> None:
    tree = recipe.python_part(
        packed(
            (f"usr/bin/python{HERE}", b"program"),
            (f"usr/lib/python{HERE}/json/decoder.py", b"x = 1"),
            (f"usr/lib/python{HERE}/test/test_json.py", b"x = 1"),
            (f"usr/lib/python{HERE}/lib-dynload/_ctypes.cpython.so", b"so"),
            (f"usr/lib/python{HERE}/lib-dynload/_sqlite3.cpython.so", b"so"),
            ("lib/x86_64-linux-gnu/libc.so.6", b"libc"),
            ("usr/share/doc/libc6/copyright", b""),
            ("usr/lib/python3/dist-packages/targetcli/ui_root.py", b"x = 1"),
            ("usr/lib/python3/dist-packages/targetcli-2.1.egg-info/PKG-INFO", b""),
            ("usr/bin/targetcli", b"program"),
        ),
        HERE,
    )
    assert sorted(tree) == [
        "bin/python3",
        "bin/targetcli",
        "lib",
        "lib64",
        "usr/bin",
        f"usr/lib/python{HERE}/json/decoder.pyc",
        f"usr/lib/python{HERE}/lib-dynload/_ctypes.cpython.so",
        f"usr/lib/python{HERE}/targetcli/ui_root.pyc",
        "usr/lib/x86_64-linux-gnu/libc.so.6",
    ]


def test_code_is_made_for_this_version_only() -> None:
    path, entry = recipe.source_or_code("usr/lib/a.py", b"answer = 42", HERE)
    assert path == "usr/lib/a.pyc"
    assert entry.content[:4] == importlib.util.MAGIC_NUMBER
    found: dict[str, int] = {}
    exec(marshal.loads(entry.content[16:]), found)  # noqa: S102
    assert found["answer"] == 42
    assert recipe.source_or_code("usr/lib/a.py", b"answer = 42", "3.2")[0] == "usr/lib/a.py"


def test_code_is_made_without_a_word_of_what_its_source_is_warned_of() -> None:
    assert recipe.source_or_code("usr/lib/a.py", rb"pattern = '\.'", HERE)[0] == "usr/lib/a.pyc"


def test_the_agent_and_what_starts_it_are_in_it() -> None:
    tree = recipe.own_part(HERE)
    assert tree["init"].content.startswith(b"#!/bin/busybox sh")
    assert f"usr/lib/python{HERE}/simulators/lio/agent.pyc" in tree


def test_the_key_is_the_same_as_long_as_nothing_changes() -> None:
    assert recipe.key() == recipe.key()
