"""Show and follow the logs of components."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LINES = 100
_POLL_SECONDS = 0.3
_TAIL_BYTES = 64 * 1024


@dataclass
class _Log:
    """One growing file, read on from where the last look ended."""

    path: Path
    position: int = 0
    inode: int | None = field(default=None)

    def last_lines(self, count: int) -> list[str]:
        self.position = max(0, _size(self.path) - _TAIL_BYTES)
        return self.new_lines()[-count:]

    def new_lines(self) -> list[str]:
        """Complete lines written since; a log that was begun afresh is read from its start."""
        if not self.path.exists():
            return []
        inode = self.path.stat().st_ino
        if self.inode not in (None, inode) or _size(self.path) < self.position:
            self.position = 0
        self.inode = inode
        with self.path.open("rb") as file:
            file.seek(self.position)
            content = file.read()
        complete = content[: content.rfind(b"\n") + 1]
        self.position += len(complete)
        return complete.decode(errors="replace").splitlines()


def log_lines(paths: Mapping[str, Path], follow: bool) -> Iterator[str]:
    """The last lines of each log, then, when following, new ones as they come; with the name of
    its component before each line when there are several."""
    logs = {name: _Log(path) for name, path in paths.items()}
    width = max((len(name) for name in logs), default=0)

    def shown(name: str, lines: list[str]) -> Iterator[str]:
        for line in lines:
            yield line if len(logs) == 1 else f"{name:<{width}} | {line}"

    for name, log in logs.items():
        yield from shown(name, log.last_lines(_LINES))
    while follow:
        time.sleep(_POLL_SECONDS)
        for name, log in logs.items():
            yield from shown(name, log.new_lines())


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
