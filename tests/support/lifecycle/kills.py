"""Processes of a stack that die at moments nobody chose, and come back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable

import psutil

from local.stack import Stack
from local.stack.processes import marked
from tests.support.background import Background
from tests.support.stack import kill

_TASK = "airflow worker -- "
_POOL = "LocalExecutor"


class Kills(Background):
    """Kills -9, one after another and each some seconds after the one before, for as long as its
    block is being run. What died is brought up again, as `make up` does."""

    def __init__(self, stack: Stack, victims: Iterable[str], seed: int) -> None:
        """victims: components of the stack, or `task`: whichever task of Airflow runs."""
        super().__init__()
        self._stack = stack
        self._victims = list(victims)
        self._chance = random.Random(seed)
        self._failed: BaseException | None = None
        self.killed: list[str] = []

    def _ended(self, error: BaseException | None) -> None:
        if self._failed is not None and error is None:
            raise self._failed

    def await_all(self) -> None:
        """Returns when each victim was killed, and is up again."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for victim in self._victims:
                if self._over.wait(self._chance.uniform(2, 12)):
                    return
                self._task() if victim == "task" else self._component(victim)
                self.killed.append(victim)
        except BaseException as error:
            self._failed = error

    def _component(self, name: str) -> None:
        kill(self._stack, name)
        self._stack.up()

    def _task(self) -> None:
        """Waits until one runs."""
        running = _once(lambda: running_tasks(self._stack), self._over)
        for process in running:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue


def running_tasks(stack: Stack) -> list[psutil.Process]:
    """The processes in which tasks run; those that wait for tasks are not among them."""
    found = []
    for process in marked(stack.settings.home):
        try:
            title = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        if title.startswith(_TASK) and _POOL not in title:
            found.append(process)
    return found


def _once(find: Callable[[], list[psutil.Process]], over: threading.Event) -> list[psutil.Process]:
    while not (found := find()) and not over.wait(0.05):
        continue
    return found
