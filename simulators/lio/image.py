"""The machine's kernel and initramfs, and its state once it has booted: made when first wanted, then kept in the cache.

`python -m simulators.lio.image` makes them anew from the packages that apt has now.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulators.lio import cpio_codec, homes, packages, recipe
from simulators.lio.errors import LioUnavailable

if TYPE_CHECKING:
    from simulators.lio.packages import Chosen

Say = Callable[[str], None]
_KEPT: Final = 3


@dataclass(frozen=True, slots=True)
class Image:
    """Files that QEMU boots from."""

    directory: Path

    @property
    def kernel(self) -> Path:
        """Debian's kernel."""
        return self.directory / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """Everything else."""
        return self.directory / "initramfs"

    @property
    def is_whole(self) -> bool:
        """Whether it has been made to its end."""
        return self.directory.is_dir()


def tell(text: str) -> None:
    """Say on standard error how far it is."""
    print(f"lio: {text}", file=sys.stderr, flush=True)  # noqa: T201


def ready_image(cache: Path, say: Say = tell, *, is_renewed: bool = False) -> Image:
    """The image of our sources as they are; it is made if there is none. Raises `LioUnavailable`."""
    recipe_key = recipe.key()
    latest = cache / f"latest-{recipe_key}"
    with locked(cache):
        if latest.is_file() and not is_renewed:
            image = Image(cache / latest.read_text())
            if image.is_whole:
                return image
        chosen = packages.choose()
        image = Image(cache / f"image-{recipe_key}-{_digest(*map(str, chosen))}")
        if not image.is_whole:
            _make(image, chosen, say)
            prune(cache)
        write_whole(latest, lambda path: path.write_text(image.directory.name))
        return image


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Let one process at a time make things."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file or directory appear with all that is in it, or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="making-") as scratch:
        made = Path(scratch) / path.name
        write(made)
        made.rename(path)


def prune(cache: Path) -> None:
    """Remove all but the newest of each kind: who still runs one has it open."""
    for kind in ("image-*", "latest-*", "state-*"):
        newest_first = sorted(cache.glob(kind), key=lambda each: each.stat().st_mtime, reverse=True)
        for each in newest_first[_KEPT:]:
            shutil.rmtree(each) if each.is_dir() else each.unlink()


def _make(image: Image, chosen: Chosen, say: Say) -> None:
    started = time.monotonic()
    say(f"making the machine with LIO ({chosen.kernel.name} {chosen.kernel.version}); this is done once")
    write_whole(image.directory, lambda path: _fill(path, chosen, say))
    say(f"made in {time.monotonic() - started:.0f} s: {image.directory}")


def _fill(directory: Path, chosen: Chosen, say: Say) -> None:
    directory.mkdir()
    downloads = directory / "packages"
    downloads.mkdir()
    say("downloading packages")
    fetched = {each.name.split("_")[0]: each for each in packages.download(chosen, downloads)}
    say("putting the initramfs together")
    kernel, tree = recipe.kernel_part(packages.files(fetched[chosen.kernel.name]))
    tree |= recipe.busybox_part(packages.files(fetched[chosen.busybox.name]))
    for each in chosen.others:
        tree |= recipe.python_part(packages.files(fetched[each.name]), chosen.python)
    tree |= recipe.libraries_part(chosen.python) | recipe.own_part(chosen.python)
    (directory / "vmlinuz").write_bytes(kernel)
    (directory / "initramfs").write_bytes(cpio_codec.packed(tree))
    shutil.rmtree(downloads)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def main() -> int:
    """Make the image anew."""
    try:
        image = ready_image(homes.cache(), is_renewed=True)
    except (LioUnavailable, subprocess.SubprocessError) as error:
        tell(str(error))
        return 1
    tell(f"ready: {image.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
