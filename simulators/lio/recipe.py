"""What goes into the machine's initramfs: a kernel's modules, a Python that is as small as may be, and the agent."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import lzma
import marshal
import re
import sys
import warnings
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from simulators.lio import cpio_codec as cpio
from simulators.lio.errors import LioUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from tarfile import TarInfo

MODULES: Final = (
    "virtio_pci", "virtio_net", "virtio_console", "configfs", "loop", "target_core_mod", "target_core_iblock",
    "iscsi_target_mod",
)  # fmt: skip
"""What the machine with LIO needs of the kernel, in this order; what each depends on comes before it."""
LIBRARIES: Final = ("rtslib-fb", "pyudev")
_HERE: Final = Path(__file__).parent
_LEFT_OUT: Final = frozenset({
    "__pycache__", "asyncio", "curses", "dbm", "distutils", "email", "ensurepip", "http", "idlelib", "lib2to3",
    "multiprocessing", "pydoc_data", "sqlite3", "test", "tkinter", "turtledemo", "unittest", "venv", "wsgiref", "xml",
    "xmlrpc", "zoneinfo",
})  # fmt: skip
_EXTENSIONS: Final = ("_ctypes", "_json", "_queue", "_uuid", "mmap", "readline", "resource", "termios")
_LIBRARY_FOLDERS: Final = frozenset({"usr/lib/x86_64-linux-gnu", "usr/lib64"})
_ADDED: Final = "usr/lib/python3/dist-packages/"
_STAND_INS: Final = {"sitecustomize.py": "find_libraries.py", "gi/repository.py": "no_dbus.py"}
_DEPENDS: Final = re.compile(rb"\0depends=([^\0]*)\0")
_MODULE: Final = re.compile(r"lib/modules/.*/(?P<name>[^/]+)\.ko(?P<packing>\.xz)?")

Tree = dict[str, cpio.Entry]


def busybox_part(files: Iterable[tuple[TarInfo, bytes]]) -> Tree:
    """The shell and its commands."""
    found = {merged(str(PurePosixPath(each.name))): content for each, content in files}
    return {"bin/busybox": cpio.file(found["usr/bin/busybox"], is_executable=True)}


def kernel_part(files: Iterable[tuple[TarInfo, bytes]], wanted: Iterable[str] = MODULES) -> tuple[bytes, Tree]:
    """The kernel itself, and the modules with the order in which they have to be loaded."""
    kernel, modules = b"", {}
    for member, content in files:
        path = str(PurePosixPath(member.name))
        if path.startswith("boot/vmlinuz-"):
            kernel = content
        elif place := _MODULE.fullmatch(path):
            modules[_module_name(place["name"])] = lzma.decompress(content) if place["packing"] else content
    if not kernel or not modules:
        raise LioUnavailable("the kernel's package holds no kernel or no modules: its layout has changed")
    order = in_order(modules, wanted)
    tree = {f"modules/{each}.ko": cpio.file(modules[each]) for each in order}
    return kernel, {**tree, "modules/order": cpio.file("".join(f"{each}\n" for each in order).encode())}


def in_order(modules: Mapping[str, bytes], wanted: Iterable[str] = MODULES) -> Sequence[str]:
    """The names of wanted modules and of what they depend on, what is depended on first, without what is built in."""
    order: dict[str, None] = {}

    def add(name: str) -> None:
        if name in modules and name not in order:
            for each in needed_by(modules[name]):
                add(each)
            order[name] = None

    for each in wanted:
        add(each)
    return list(order)


def needed_by(module: bytes) -> Sequence[str]:
    """What a kernel module says of itself that it depends on."""
    found = _DEPENDS.search(module)
    names = found[1].decode() if found else ""
    return [_module_name(each) for each in names.split(",") if each]


def python_part(files: Iterable[tuple[TarInfo, bytes]], version: str) -> Tree:
    """An interpreter with its libraries, as code where this very version can make it, and targetcli."""
    tree: Tree = {"lib": cpio.link("usr/lib"), "lib64": cpio.link("usr/lib64"), "usr/bin": cpio.link("../bin")}
    home = f"usr/lib/python{version}/"
    for member, content in files:
        path = merged(str(PurePosixPath(member.name)))
        if path.endswith(".py") and path.startswith(_ADDED):
            tree.update([source_or_code(home + path.removeprefix(_ADDED), content, version)])
        elif path == "usr/bin/targetcli":
            tree["bin/targetcli"] = cpio.file(content, is_executable=True)
        elif path.startswith(home):
            tree.update(_of_standard_library(path, path.removeprefix(home), content, version))
        elif path == f"usr/bin/python{version}":
            tree["bin/python3"] = cpio.file(content, is_executable=True)
        else:
            tree |= library(member, content)
    return tree


def library(member: TarInfo, content: bytes) -> Tree:
    """A shared library, or a name that leads to one; nothing of anything else."""
    path = merged(str(PurePosixPath(member.name)))
    folder, _, name = path.rpartition("/")
    if folder not in _LIBRARY_FOLDERS or ".so" not in name or name.startswith("libnss_"):
        return {}
    if member.issym():
        return {path: cpio.link(member.linkname)}
    return {path: cpio.file(content, is_executable=True)} if member.isfile() else {}


def _of_standard_library(path: str, within: str, content: bytes, version: str) -> Iterator[tuple[str, cpio.Entry]]:
    folder, _, name = within.rpartition("/")
    if folder.split("/")[0] in _LEFT_OUT or folder.startswith("config-"):
        return
    if name.endswith(".py"):
        yield source_or_code(path, content, version)
    elif folder == "lib-dynload" and name.split(".")[0] in _EXTENSIONS:
        yield path, cpio.file(content, is_executable=True)


def libraries_part(version: str) -> Tree:
    """The libraries that drive LIO, as they are installed here."""
    home = f"usr/lib/python{version}/"
    return dict(
        source_or_code(home + str(each), Path(str(each.locate())).read_bytes(), version)
        for library in LIBRARIES
        for each in importlib.metadata.files(library) or ()
        if each.suffix == ".py"
    )


def own_part(version: str) -> Tree:
    """The agent, and what starts it."""
    home = f"usr/lib/python{version}/"
    sources = [_HERE.parent / "__init__.py", *_HERE.glob("*.py")]
    tree = {home + str(each.relative_to(_HERE.parent.parent)): each.read_bytes() for each in sources}
    tree |= {home + name: (_HERE / source).read_bytes() for name, source in _STAND_INS.items()}
    compiled = dict(source_or_code(path, content, version) for path, content in tree.items())
    return {**compiled, "init": cpio.file((_HERE / "init.sh").read_bytes(), is_executable=True)}


def key() -> str:
    """What our part of an image is known by: all of our sources, and the versions of what they use from here."""
    try:
        versions = [f"{each} {importlib.metadata.version(each)}" for each in LIBRARIES]
    except importlib.metadata.PackageNotFoundError as missing:
        raise LioUnavailable(
            f"{missing.name} is not installed: pip install 'storage-conformance[lio]', which drives LIO"
        ) from missing
    digest = hashlib.sha256("\n".join([*versions, sys.version]).encode())
    for each in sorted(each for each in _HERE.iterdir() if each.suffix in {".py", ".sh"}):
        digest.update(each.name.encode() + each.read_bytes())
    return digest.hexdigest()[:16]


def source_or_code(path: str, source: bytes, version: str) -> tuple[str, cpio.Entry]:
    """A module as code without its source (PEP 552, hash-based, unchecked), where code of that version can be made."""
    if version != f"{sys.version_info.major}.{sys.version_info.minor}":
        return path, cpio.file(source)
    with warnings.catch_warnings():
        # It is as Debian publishes it: where warnings are errors, as in pytest, that would be the end of the image.
        warnings.simplefilter("ignore")
        code = marshal.dumps(compile(source, f"/{path}", "exec", dont_inherit=True))
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    return f"{path}c", cpio.file(head + code)


def merged(path: str) -> str:
    """Where a file lies since Debian has nothing in /lib and /bin any more."""
    return f"usr/{path}" if path.split("/")[0] in {"bin", "lib", "lib64", "sbin"} else path


def _module_name(name: str) -> str:
    return name.replace("-", "_")
