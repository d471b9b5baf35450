"""What happens beside a test, in a thread of its own."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class Background:
    """Runs `_run` for as long as its block is being run, which sets `_over` at its end."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        raise NotImplementedError

    def _ended(self, error: BaseException | None) -> None:
        """After the thread. error: what the block raised."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._ended(error)
