"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from secrets import token_hex


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`; if that fails, an earlier file at `path` is unchanged.

    A link is followed, and an earlier file keeps its mode.  A device or FIFO gets the content as
    it is: there is nothing to lose.

    Raises:
        OSError: if the folder does not exist or is read-only, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{token_hex(8)}.part")  # not tempfile: the umask decides who may read
    try:
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            target.write_bytes(content)
            return
        try:
            part.write_bytes(content)
            if mode is not None:
                part.chmod(stat.S_IMODE(mode))
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:  # name the file that the caller asked for
        raise OSError(error.errno, error.strerror, str(path)) from None


def check_suffix(path: str | os.PathLike[str], *known: str) -> str:
    """The suffix of a file name, which must be one of `known`, in lower case.

    Raises:
        ValueError: with the endings that would work.
    """
    path = Path(path)
    if path.suffix.lower() not in known:
        *others, last = known
        endings = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{path.name!r} has no known format; end it in {endings}")
    return path.suffix.lower()
