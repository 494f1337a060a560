"""Where bundles are read from: files, and the folders that mail programs make of them."""

import os
from pathlib import Path

import pytest

from netdiag.evidence import container
from netdiag.evidence.errors import BundleMalformed
from netdiag.evidence.seal import unseal
from netdiag.evidence.source import read_source
from netdiag.evidence.trust import TrustPolicy
from tests.fakes.bundles import NOW
from tests.unit.evidence.forge import sealed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle, unpacked."""
    path = tmp_path / "bundle"
    path.mkdir()
    for name, data in container.unpack(sealed()).items():
        (path / name).write_bytes(data)
    return path


def refuses(path: Path, message: str) -> None:
    with pytest.raises(BundleMalformed, match=message):
        read_source(path)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(sealed())
    assert read_source(tmp_path / "x.zip") == sealed()
    (tmp_path / "link").symlink_to("x.zip")
    assert read_source(tmp_path / "link") == sealed()


def test_a_folder_is_the_very_file_that_was_unpacked(folder: Path) -> None:
    assert read_source(folder) == sealed()
    (folder.parent / "link").symlink_to(folder)
    assert unseal(read_source(folder.parent / "link"), TrustPolicy(), now=NOW)[2].signature == "valid"


def test_what_is_not_there(tmp_path: Path) -> None:
    refuses(tmp_path / "none", "it cannot be read: No such file or directory")
    refuses(Path("nul\0l"), "no file can have this name")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refuses(tmp_path / "pipe", "the bundle is not a regular file")
    refuses(Path("/dev/zero"), "the bundle is not a regular file")


def test_a_file_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "x.zip").open("wb") as file:
        file.truncate(10**12)
    refuses(tmp_path / "x.zip", "the bundle is larger than the 20,000,000 bytes")


def test_a_folder_with_something_else_in_it(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"")
    refuses(folder, r"it holds '\.DS_Store', which no bundle of this format has")


def test_an_empty_folder(tmp_path: Path) -> None:
    refuses(tmp_path, r"it is not signed: SHA256SUMS\.sig is missing")


def test_a_folder_without_a_member(folder: Path) -> None:
    (folder / "evidence.json").unlink()
    refuses(folder, r"it is not complete: evidence\.json is missing")


def test_a_link_in_a_folder(folder: Path) -> None:
    (folder / "summary.txt").rename(folder.parent / "outside")
    (folder / "summary.txt").symlink_to("../outside")
    refuses(folder, r"summary\.txt cannot be read, or is a link")


def test_other_things_in_a_folder(folder: Path) -> None:
    (folder / "summary.txt").unlink()
    (folder / "summary.txt").mkdir()
    refuses(folder, r"summary\.txt is not a regular file")
    (folder / "summary.txt").rmdir()
    os.mkfifo(folder / "summary.txt")
    refuses(folder, r"summary\.txt is not a regular file")


def test_a_member_too_large_is_not_read_to_its_end(folder: Path) -> None:
    with (folder / "evidence.json").open("wb") as file:
        file.truncate(10**12)
    refuses(folder, r"evidence\.json is larger than the 8,000,000 bytes")
