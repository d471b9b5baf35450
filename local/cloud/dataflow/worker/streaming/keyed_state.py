"""Looking into the state that Beam's direct runner keeps by step and key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from apache_beam.pipeline import AppliedPTransform
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.trigger import InMemoryUnmergedState
from apache_beam.utils.timestamp import Duration, Timestamp

_HOLD = "watermark"
"""The tag of a pane's watermark hold, which is there until the pane has fired."""

_WINDOW_IDS = "window_ids"
"""Where the names stand that grouped state has for its windows, which may merge."""

States = Mapping[Any, dict[Any, InMemoryUnmergedState]]


def is_empty(state: InMemoryUnmergedState) -> bool:
    """Whether nothing would be lost with it."""
    values = any(value for tags in state.state.values() for value in tags.values())
    return not (values or state.timers or any(state.global_state.values()))


def unfinished(states: States) -> Iterator[Hashable]:
    """Names of what holds elements back: panes that have not fired, timers of user code."""
    for step, keys in states.items():
        for key, state in keys.items():
            for window, tags in state.state.items():
                if tags.get(_HOLD):
                    yield step, key, window
            for window, timers in state.timers.items():
                if any(name.startswith("user/") for name, _, _ in timers):
                    yield step, key, window, "timer"


def forget_ended_windows(states: States, reached: Callable[[Any], Timestamp]) -> None:
    """Drops what is left of windows that nothing can come to any more, and keys without anything.

    `reached` says how far event time has come for the input of a step. Beam's runner keeps the
    remains of every key and window it has ever seen.
    """
    for step, keys in states.items():
        for key, state in list(keys.items()):
            ids = state.global_state.get(_WINDOW_IDS, {})
            for window in list(ids or state.state):
                names = ids.get(window, [window])
                if _end(step, window) < reached(step) and not any(n in state.timers for n in names):
                    ids.pop(window, None)
                    for name in names:
                        state.state.pop(name, None)
            if is_empty(state):
                del keys[key]


def _end(step: AppliedPTransform, window: Any) -> Timestamp:
    """When a window's last late element may come."""
    lateness: Duration = step.inputs[0].windowing.allowed_lateness
    return window.max_timestamp() + lateness


def awaits_clock(states: States) -> bool:
    """Whether a timer of the processing-time domain is set."""
    return any(
        domain == TimeDomain.REAL_TIME
        for keys in states.values()
        for state in keys.values()
        for timers in state.timers.values()
        for _, domain, _ in timers
    )
