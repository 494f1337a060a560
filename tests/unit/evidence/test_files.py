"""A file is written whole, once, or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netdiag.evidence.files import AlreadyExistsError, WriteError, write_new


def no_hard_links(*_: Any) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["hard links", "no hard links"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, on a file system with and without hard links."""
    if request.param == "no hard links":
        monkeypatch.setattr(Path, "hardlink_to", no_hard_links)
    return tmp_path


def test_the_file_is_whole_and_its_owners(folder: Path) -> None:
    write_new(folder / "x.zip", b"data")
    assert names_in(folder) == ["x.zip"]
    assert (folder / "x.zip").read_bytes() == b"data"
    assert stat.S_IMODE((folder / "x.zip").stat().st_mode) == 0o600
    assert (folder / "x.zip").stat().st_nlink == 1


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "x.zip").write_bytes(b"old")
    (folder / "link").symlink_to("nowhere")
    (folder / "folder").mkdir()
    for name in ("x.zip", "link", "folder"):
        with pytest.raises(AlreadyExistsError, match=f"{name} exists already, and is not overwritten"):
            write_new(folder / name, b"new")
    assert names_in(folder) == ["folder", "link", "x.zip"]
    assert (folder / "x.zip").read_bytes() == b"old"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="none cannot be written to: No such file or directory"):
        write_new(tmp_path / "none" / "x.zip", b"")


def test_a_name_that_is_too_long(folder: Path) -> None:
    with pytest.raises(WriteError, match="could not be written: File name too long"):
        write_new(folder / ("x" * 300), b"")
    assert names_in(folder) == []


FULL_DISK = """
import pathlib, resource, sys
from netdiag.evidence.files import WriteError, write_new
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_new(pathlib.Path(sys.argv[1]), bytes(5000))
except WriteError as error:
    print(error)
"""


def test_a_file_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    """The kernel itself stops the write half-way: a file size limit, the one full disk that needs no root."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "x.zip")]
    written = subprocess.run(command, capture_output=True, check=True, timeout=20, text=True)
    assert written.stdout == f"{tmp_path / 'x.zip'} could not be written: File too large\n"
    assert names_in(tmp_path) == []


def test_an_interruption_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_new(folder / "x.zip", b"data")
    assert names_in(folder) == []


def test_a_failed_rename_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "hardlink_to", no_hard_links)
    monkeypatch.setattr(Path, "rename", no_hard_links)
    with pytest.raises(WriteError, match="could not be written: Operation not permitted"):
        write_new(tmp_path / "x.zip", b"data")
    assert names_in(tmp_path) == []
