"""The pages about decisions say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from nightstream.forms.streaming import StreamingChoices
from nightstream.lifecycle.actions import Action
from nightstream.lifecycle.requests import Kind
from nightstream.lifecycle.table.groups import GROUPS
from nightstream.lifecycle.table.page import page
from tests.support.local_cloud import ROOT

DOCS = Path(ROOT) / "docs"
GUIDE = (DOCS / "lifecycle.md").read_text()


def test_the_decision_table_is_up_to_date() -> None:
    remedy = "make it again: python -m nightstream.lifecycle.table > docs/lifecycle-decisions.md"
    assert (DOCS / "lifecycle-decisions.md").read_text() == page(), remedy


def test_every_action_is_in_the_table() -> None:
    kinds = {seen.decided().action.kind for group in GROUPS for _, seen in group.rows()}
    assert kinds == {each.__dataclass_fields__["kind"].default for each in get_args(Action)}


def test_no_situation_is_there_twice() -> None:
    for group in GROUPS:
        names = [name for name, _ in group.rows()]
        assert len(names) == len(set(names)), group.title


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.RECONCILE])
def test_every_request_has_a_command_in_the_run_book(kind: Kind) -> None:
    assert f'"action": "{kind}"' in GUIDE


def test_every_command_of_the_run_book_fits_the_form() -> None:
    commands = re.findall(r"dags trigger babyweight_streaming --conf '(.*)'", GUIDE)
    assert len(commands) > 5
    for conf in commands:
        filled = StreamingChoices.model_validate(json.loads(conf))
        assert filled.request("ada").kind == filled.action


def test_every_link_within_the_guide_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}
    for link in re.findall(r"\]\(#([^)]+)\)", GUIDE):
        assert link in anchors
    for name in re.findall(r"\]\(([a-z-]+\.(?:md|svg))", GUIDE):
        assert (DOCS / name).exists(), name
