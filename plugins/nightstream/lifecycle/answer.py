"""What a rule answers: an action, and why."""

from __future__ import annotations

from nightstream.lifecycle.actions import Action

Answer = tuple[Action, tuple[str, ...]]
"""An action and the sentences that explain it."""


def answer(action: Action, *reasons: str) -> Answer:
    """An action, explained."""
    return action, reasons
