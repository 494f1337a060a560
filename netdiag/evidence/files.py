"""Writing a file so that it is there whole or not at all, and never in the place of another."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path


class WriteError(Exception):
    """A file could not be written, and nothing of it is left behind. ``str(error)`` is one line for a person."""


class AlreadyExistsError(WriteError):
    """Something of that name is there already, and was left as it is."""


def write_new(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, which must not exist yet, with mode 0600: what a bundle says is its owner's to give.

    The bytes go to a nameless neighbour first (mode 0600, same directory, ``fsync``) and then get their name in one
    step that fails if the name is taken: a hard link, or, where the file system has none (FAT, some network mounts),
    a rename over an empty file that this call itself created. Interrupted at any point, it leaves at ``path`` the
    whole file or nothing.

    Raises AlreadyExistsError, or WriteError when the directory is missing, not writable, or the disk is full.
    """
    try:
        descriptor, neighbour = tempfile.mkstemp(prefix=".netdiag-", suffix=".part", dir=path.parent)
    except OSError as error:
        raise WriteError(f"{path.parent} cannot be written to: {_words(error)}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _give_name(Path(neighbour), path)
    except FileExistsError:
        raise AlreadyExistsError(f"{path} exists already, and is not overwritten") from None
    except OSError as error:
        raise WriteError(f"{path} could not be written: {_words(error)}") from None
    finally:
        with contextlib.suppress(OSError):
            Path(neighbour).unlink()


_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What link(2) gives where the file system has no hard links."""


def _give_name(neighbour: Path, path: Path) -> None:
    try:
        path.hardlink_to(neighbour)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        path.touch(mode=0o600, exist_ok=False)
        try:
            neighbour.rename(path)
        except BaseException:
            path.unlink()
            raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)  # the name, too, outlives a power cut
    finally:
        os.close(directory)


def _words(error: OSError) -> str:
    return error.strerror or str(error)
