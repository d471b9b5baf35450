"""The page: every situation with what is decided on it, and why."""

from __future__ import annotations

from nightstream.lifecycle.actions import Action, Ask, Nothing, Wait
from nightstream.lifecycle.table.examples import SERVICE, Example
from nightstream.lifecycle.table.groups import GROUPS, Group
from nightstream.streaming.sentences import action_sentence

_INTRODUCTION = """\
# What is decided, and why

Made by asking the code: `python -m nightstream.lifecycle.table`. What the words mean is in
[lifecycle.md](lifecycle.md). It is 12:00; unless said otherwise, one job stands in slot a, its
revision `R1` has been stable for an hour, health limits are those that a spec has by default, a
launch has 10 minutes to be seen and a drain 30 minutes to end. The first rule that applies decides:
a job that is not understood, something under way, two jobs in one slot, a suspension, an upgrade
side by side, and then the slot that serves.
"""


def page() -> str:
    """All of it, as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(group) for group in GROUPS)])


def _section(group: Group) -> str:
    rows = [_row(what, seen) for what, seen in group.rows()]
    head = [
        f"## {group.title}\n",
        f"{group.given}\n",
        "| situation | action | why |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _row(what: str, seen: Example) -> str:
    decision = seen.decided()
    sentences = [_sentence(said) for said in (*decision.news, *decision.reasons)]
    return f"| {what} | {_words(decision.action)} | {'<br>'.join(dict.fromkeys(sentences))} |"


def _words(action: Action) -> str:
    words = {Nothing: "nothing", Wait: "wait", Ask: "**ask**"}.get(type(action))
    return words or f"**{action_sentence(action)}**"


def _sentence(said: str) -> str:
    """With a full stop, and a capital unless it begins with a name."""
    text = f"{said.removesuffix('.')}.".replace("|", "\\|")
    return text if text.startswith(SERVICE) else text[0].upper() + text[1:]
