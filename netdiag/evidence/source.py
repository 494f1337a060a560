"""Reading a bundle from where a person keeps it: a file, or the folder that a mail program unpacked it into."""

import os
import stat
from pathlib import Path

from netdiag.evidence import container
from netdiag.evidence.errors import BundleMalformed

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not hold us up


def read_source(path: Path) -> bytes:
    """The container at ``path``, unverified: ``unseal`` takes it from here.

    A folder must hold exactly the members of a bundle, as regular files: no links, no other entries. Since members
    have one container (:func:`netdiag.evidence.container.pack`), its bytes are those of the file that was unpacked.
    ``path`` itself may be a symbolic link: the person who typed it chose it. Nothing is read beyond the caps.

    Raises BundleMalformed.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise BundleMalformed(f"it cannot be read: {error.strerror}") from None
    except ValueError:  # a null character in the path
        raise BundleMalformed("it cannot be read: no file can have this name") from None
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return container.pack(_read_folder(descriptor))
        return _read_regular(descriptor, "the bundle", container.MAX_CONTAINER)
    finally:
        os.close(descriptor)


def _read_folder(folder: int) -> dict[str, bytes]:
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise BundleMalformed(f"it cannot be read: {error.strerror}") from None
    container.check_members(dict.fromkeys(names, 0))
    members: dict[str, bytes] = {}
    for name in sorted(names):
        try:
            descriptor = os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            # open(2): ELOOP is what O_NOFOLLOW gives for a symbolic link
            raise BundleMalformed(f"{name} cannot be read, or is a link: {error.strerror}") from None
        try:
            members[name] = _read_regular(descriptor, name, container.MAX_MEMBER[name])
        finally:
            os.close(descriptor)
    return members


def _read_regular(descriptor: int, name: str, cap: int) -> bytes:
    """All bytes of an open file, at most ``cap``. Raises BundleMalformed if there are more, or it is not a file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise BundleMalformed(f"{name} is not a regular file")
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(cap + 1)
    except OSError as error:
        raise BundleMalformed(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > cap:
        raise BundleMalformed(f"{name} is larger than the {cap:,} bytes that it may have")
    return data
