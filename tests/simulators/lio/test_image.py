"""How images and saved states come about; what they are made of and what runs them is stood in for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from simulators.lio import packages, recipe, start
from simulators.lio.errors import LioError, LioUnavailable
from simulators.lio.image import Image, ready_image, write_whole
from simulators.lio.packages import Chosen, Package

CHOSEN = Chosen(Package("linux-image-6.1-cloud", "6.1-1"), Package("busybox-static", "1"), "3.11", ())
NEWER = Chosen(Package("linux-image-6.1-cloud", "6.1-2"), Package("busybox-static", "1"), "3.11", ())


def silent(_text: str) -> None:
    pass


class Mirror:
    """Debian, and what is in its packages."""

    def __init__(self) -> None:
        self.has = CHOSEN
        self.downloads = 0
        self.is_reachable = True

    def choose(self) -> Chosen:
        return self.has

    def download(self, chosen: Iterable[Package], directory: Path) -> Sequence[Path]:
        self.downloads += 1
        if not self.is_reachable:
            raise LioUnavailable("apt-get download failed: look whether this machine reaches its Debian mirror")
        paths = [directory / f"{each.name}_{each.version}_amd64.deb" for each in chosen]
        for each in paths:
            each.write_bytes(b"")
        return paths


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Mirror:
    mirror = Mirror()
    monkeypatch.setattr(packages, "choose", mirror.choose)
    monkeypatch.setattr(packages, "download", mirror.download)
    monkeypatch.setattr(packages, "files", lambda _path: [])
    monkeypatch.setattr(recipe, "key", lambda: "key")
    monkeypatch.setattr(recipe, "kernel_part", lambda _files: (b"kernel", {}))
    for part in ("busybox_part", "python_part", "libraries_part", "own_part"):
        monkeypatch.setattr(recipe, part, lambda *_: {})
    return mirror


def left_in(cache: Path) -> list[str]:
    return sorted(each.name.split("-")[0] for each in cache.iterdir())


def test_an_image_is_made_once(mirror: Mirror, tmp_path: Path) -> None:
    first = ready_image(tmp_path, silent)
    assert first.kernel.read_bytes() == b"kernel"
    assert first.initramfs.is_file()
    assert sorted(each.name for each in first.directory.iterdir()) == ["initramfs", "vmlinuz"]
    assert ready_image(tmp_path, silent) == first
    assert mirror.downloads == 1
    assert left_in(tmp_path) == ["image", "latest", "lock"]


def test_newer_packages_are_taken_when_somebody_asks_for_them(mirror: Mirror, tmp_path: Path) -> None:
    first = ready_image(tmp_path, silent)
    mirror.has = NEWER
    assert ready_image(tmp_path, silent) == first
    second = ready_image(tmp_path, silent, is_renewed=True)
    assert second != first
    assert ready_image(tmp_path, silent) == second


def test_two_that_want_one_at_the_same_time_make_one(mirror: Mirror, tmp_path: Path) -> None:
    threads = [threading.Thread(target=ready_image, args=(tmp_path, silent)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert mirror.downloads == 1


def test_where_the_mirror_cannot_be_reached_nothing_is_left_and_the_next_try_works(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.is_reachable = False
    with pytest.raises(LioUnavailable, match="mirror"):
        ready_image(tmp_path, silent)
    assert left_in(tmp_path) == ["lock"]
    mirror.is_reachable = True
    assert ready_image(tmp_path, silent).is_whole


def test_old_images_are_removed(mirror: Mirror, tmp_path: Path) -> None:
    for number in range(6):
        mirror.has = Chosen(Package("linux-image-6.1-cloud", str(number)), CHOSEN.busybox, "3.11", ())
        newest = ready_image(tmp_path, silent, is_renewed=True)
    assert newest.is_whole
    assert left_in(tmp_path).count("image") == 3


def test_what_cannot_be_written_to_its_end_does_not_appear(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        path.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "state", half)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(mirror: Mirror, tmp_path: Path) -> None:
    said: list[str] = []
    ready_image(tmp_path, said.append)
    assert "downloading packages" in said
    assert any("6.1-1" in line for line in said)


# ---- saved states -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other", [(Image(Path("b")), ("-m", "256"), "7.2"), (Image(Path("a")), ("-m", "512"), "7.2"),
              (Image(Path("a")), ("-m", "256"), "8.0")]
)  # fmt: skip
def test_a_state_is_of_one_image_on_one_hardware_of_one_qemu(other: tuple[Image, tuple[str, ...], str]) -> None:
    key = start.state_key(Image(Path("a")), ("-m", "256"), "7.2")
    assert key == start.state_key(Image(Path("a")), ("-m", "256"), "7.2")
    assert key != start.state_key(*other)


class Machines:
    """Machines that load their state only if it is not broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boots = 0
        monkeypatch.setattr(start, "qemu_version", lambda: "7.2")
        monkeypatch.setattr(start, "_boot_and_save", self.boot_and_save)
        monkeypatch.setattr(start, "_resumed", self.resumed)
        monkeypatch.setattr(start, "_begun", lambda state: state)

    def boot_and_save(self, _image: Image, path: Path) -> None:
        self.boots += 1
        path.write_text("whole")

    def resumed(self, _image: Image, state: Path, _ports: Sequence[int]) -> str | None:
        return "running" if state.read_text() == "whole" else None


def test_a_machine_is_booted_once_and_goes_on_from_there(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(monkeypatch)
    for _ in range(2):
        assert str(start.start(cache=tmp_path, say=silent)) == "running"
    assert machines.boots == 1


def test_a_state_that_cannot_be_loaded_is_made_anew(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(monkeypatch)
    start.start(cache=tmp_path, say=silent)
    (state,) = tmp_path.glob("state-*")
    state.write_text("torn")
    assert str(start.start(cache=tmp_path, say=silent)) == "running"
    assert machines.boots == 2


# ---- what is missing is told --------------------------------------------------------------------------------------


def told(what: Callable[[], object]) -> str:
    with pytest.raises(LioError) as caught:
        what()
    return str(caught.value)


def test_without_apt_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert "apt-get is missing" in told(packages.choose)
    assert "embedded" in told(packages.choose)


def test_without_qemu_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    start.qemu_version.cache_clear()
    assert "apt-get install qemu-system-x86" in told(start.qemu_version)
    start.qemu_version.cache_clear()
