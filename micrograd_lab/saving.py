"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`; if that fails, an earlier file at `path` is unchanged.

    Raises:
        OSError: if the folder does not exist or is read-only, or the disk is full.
    """
    path = Path(path)
    part = path.with_name(f".{token_hex(8)}.part")  # not tempfile: the umask decides who may read
    try:
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:  # name the file that the caller asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
