"""Looking into the state that Beam's direct runner keeps by step and key."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.trigger import InMemoryUnmergedState

_HOLD = "watermark"
"""The tag of a pane's watermark hold, which is there until the pane has fired."""

States = Mapping[Any, Mapping[Any, InMemoryUnmergedState]]


def is_empty(state: InMemoryUnmergedState) -> bool:
    """Whether nothing would be lost with it."""
    values = any(value for tags in state.state.values() for value in tags.values())
    return not (values or state.timers or state.global_state)


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


def awaits_clock(states: States) -> bool:
    """Whether a timer of the processing-time domain is set."""
    return any(
        domain == TimeDomain.REAL_TIME
        for keys in states.values()
        for state in keys.values()
        for timers in state.timers.values()
        for _, domain, _ in timers
    )
