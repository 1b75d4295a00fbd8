"""What the machine with the initiator of Linux is made of: Debian's kernel, open-iscsi, and tools to use disks with."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from simulators.lio import cpio_codec as cpio
from simulators.lio import packages, recipe
from simulators.lio.image import Image, locked, prune, tell, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from tarfile import TarInfo

    from simulators.lio.recipe import Tree

_MODULES: Final = (
    "virtio_pci", "virtio_net", "virtio_console", "crc32c_generic", "crc32c_intel", "ext4", "sd_mod", "sg", "iscsi_tcp",
)  # fmt: skip
_PACKAGES: Final = ("open-iscsi", "sg3-utils", "e2fsprogs", "util-linux")
_PROGRAMS: Final = re.compile(r"usr/s?bin/(iscsid|iscsiadm|mke2fs|resize2fs|blkdiscard|blockdev|sg_\w+)")
_CONFIGURATION: Final = ("etc/iscsi/iscsid.conf", "etc/mke2fs.conf")
_INIT: Final = Path(__file__).with_name("init.sh")
_SOURCES: Final = (Path(__file__), _INIT, *(Path(str(each.__file__)) for each in (cpio, packages, recipe)))
_DEPENDS: Final = re.compile(r"^[ |] (?:Pre)?Depends: (lib\S+)$", re.MULTILINE)


def ready_image(cache: Path) -> Image:
    """The image of these sources; it is made if there is none, of the packages that apt has then."""
    image = Image(cache / f"image-{key()}")
    with locked(cache):
        if not image.is_whole:
            tell("making the machine with the initiator of Linux; this is done once")
            write_whole(image.directory, _fill)
            prune(cache)
    return image


def key() -> str:
    """What an image is known by: all that decides what is in it."""
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in _SOURCES)).hexdigest()[:16]


def libraries_of(wanted: Iterable[str], shown: str) -> Sequence[str]:
    """Packages of libraries that these depend on, directly or by others, as `apt-cache depends --recurse` shows it."""
    depends = {name: _DEPENDS.findall(rest) for name, rest in re.findall(r"^(\S+)\n((?: .*\n)*)", shown, re.MULTILINE)}
    found: dict[str, None] = {}
    waiting = list(wanted)
    while waiting:
        new = [each for each in depends.get(waiting.pop(), ()) if each not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return sorted(found)


def programs_part(files: Iterable[tuple[TarInfo, bytes]]) -> Tree:
    """Of a package the programs that are used, how they are configured, and all libraries."""
    tree: Tree = {}
    for member, content in files:
        path = recipe.merged(str(PurePosixPath(member.name)))
        if _PROGRAMS.fullmatch(path) and member.isfile():
            tree[f"bin/{PurePosixPath(path).name}"] = cpio.file(content, is_executable=True)
        elif path in _CONFIGURATION:
            tree[path] = cpio.file(content)
        else:
            tree |= recipe.library(member, content)
    return tree


def own_part() -> Tree:
    """What starts everything, a name for the initiator that every login says otherwise, and where programs are."""
    return {
        "init": cpio.file(_INIT.read_bytes(), is_executable=True),
        "etc/passwd": cpio.file(b"root:x:0:0::/root:/bin/sh\n"),
        "etc/iscsi/initiatorname.iscsi": cpio.file(b"InitiatorName=iqn.1993-08.org.debian:01:nobody\n"),
        "lib": cpio.link("usr/lib"),
        "lib64": cpio.link("usr/lib64"),
        "sbin": cpio.link("bin"),
        "usr/bin": cpio.link("../bin"),
        "usr/sbin": cpio.link("../bin"),
    }


def _fill(directory: Path) -> None:
    directory.mkdir()
    kernel_name = packages.dependency(packages.KERNEL, r"(linux-image-\S*cloud-amd64)")
    shown = packages.run(["apt-cache", "depends", "--important", "--recurse", *_PACKAGES])
    wanted = [kernel_name, "busybox-static", *_PACKAGES, *libraries_of(_PACKAGES, shown)]
    fetched = {each.name.split("_")[0]: each for each in packages.download(packages.candidates(wanted), directory)}
    kernel, tree = recipe.kernel_part(packages.files(fetched.pop(kernel_name)), _MODULES)
    tree |= recipe.busybox_part(packages.files(fetched.pop("busybox-static")))
    for each in fetched.values():
        tree |= programs_part(packages.files(each))
        each.unlink()
    image = Image(directory)
    image.kernel.write_bytes(kernel)
    image.initramfs.write_bytes(cpio.packed(tree | own_part()))
