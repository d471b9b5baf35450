"""A part of the stack: how it is started, when it is ready, how it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from local.stack.errors import StackError

State = Literal["ready", "not ready", "dead", "stopped", "done", "missing"]


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Component:
    """One process of the stack, or one step (`once`) that runs to its end."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[float], bool]
    """Whether it serves; takes its start in seconds since the epoch, since a heartbeat from
    before it says nothing about this process."""
    address: str = ""
    """What to show a person: a URL or a path."""
    needs: tuple[str, ...] = ()
    """Components that must be ready before this one is started."""
    prepare: Callable[[], None] = _nothing
    """Files it needs, and what a crash left in its way; runs right before each start."""
    once: bool = False
    port: tuple[int, str] | None = None
    """The port it listens on and the variable that moves it."""
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    """Seconds between asking it to stop and killing it."""
    unavailable: StackError | None = None
    """What has to be installed before it can run; the stack comes up without it."""


def state_of(component: Component, alive: bool, ready: bool, recorded: bool) -> State:
    """`dead` is a process that was started and is gone without having been stopped; `missing` one
    that is not installed."""
    if component.once:
        return "done" if ready else "not ready" if alive else "stopped"
    if alive:
        return "ready" if ready else "not ready"
    if component.unavailable:
        return "missing"
    return "dead" if recorded else "stopped"


def startable(
    waiting: Iterable[Component], ready: Collection[str], running: Collection[str]
) -> list[Component]:
    """Those that need nothing more than what is ready, and are not running yet."""
    return [
        component
        for component in waiting
        if component.name not in ready
        and component.name not in running
        and set(component.needs) <= set(ready)
    ]


def stop_stages(components: Iterable[Component]) -> list[list[Component]]:
    """Groups to stop one after the other: nothing stops before what needs it has stopped."""
    stages: list[list[Component]] = []
    left = list(components)
    while left:
        needed = {name for component in left for name in component.needs}
        stage = [component for component in left if component.name not in needed]
        stages.append(stage)
        left = [component for component in left if component not in stage]
    return stages


def with_needs(components: Iterable[Component], names: Collection[str]) -> list[Component]:
    """The named components and all that they need, in the given order."""
    known = {component.name: component for component in components}
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue += known[name].needs
    return [component for name, component in known.items() if name in wanted]
