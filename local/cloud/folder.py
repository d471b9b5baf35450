"""The data folder and its one owner."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class FolderTaken(Exception):
    """The data folder cannot be had: another server owns it, or it cannot be written to. The
    message names that server's pid, or the reason, and the remedy."""


class FolderLock:
    """Held for as long as the process lives, however it ends: the kernel lets it go."""

    def __init__(self, folder: Path) -> None:
        """Raises FolderTaken."""
        self._file = _open(folder)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            pid = self._file.read().strip() or "unknown"
            raise FolderTaken(
                f"The data folder {folder} belongs to a running server, pid {pid}. "
                f"Stop that one (kill {pid}) or choose another folder with --data."
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()


def _open(folder: Path) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / "server.lock").open("a+")
    except OSError as error:
        raise FolderTaken(
            f"The data folder {folder} cannot be used ({error.strerror}): "
            "choose another with --data."
        ) from error
