"""The order in which components start and stop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.stack.component import (
    Component,
    State,
    startable,
    state_of,
    stop_stages,
    with_needs,
)
from local.stack.components import components
from local.stack.errors import StackError
from local.stack.settings import StackSettings


def part(name: str, *needs: str, once: bool = False) -> Component:
    return Component(name, ("true",), ready=lambda _started: True, needs=needs, once=once)


DATABASE, CLOUD = part("database"), part("cloud")
EMULATOR = replace(part("emulator"), unavailable=StackError("not installed", "install it"))
TABLES = part("tables", "database", once=True)
SCHEDULER = part("scheduler", "tables", "cloud")
ALL = [DATABASE, CLOUD, TABLES, SCHEDULER]


def names(parts: list[Component]) -> list[str]:
    return [component.name for component in parts]


def test_what_needs_nothing_starts_at_once_side_by_side() -> None:
    assert names(startable(ALL, ready=[], running=[])) == ["database", "cloud"]


def test_a_component_waits_for_all_that_it_needs() -> None:
    assert names(startable(ALL, ready=["database", "tables"], running=["cloud"])) == []
    assert names(startable(ALL, ready=["database", "tables", "cloud"], running=[])) == ["scheduler"]


def test_nothing_stops_before_what_needs_it() -> None:
    stages = [names(stage) for stage in stop_stages(ALL)]
    assert stages == [["scheduler"], ["cloud", "tables"], ["database"]]


def test_a_named_component_comes_with_what_it_needs_and_nothing_else() -> None:
    assert names(with_needs(ALL, ["tables"])) == ["database", "tables"]
    assert with_needs(ALL, ["scheduler"]) == ALL


@pytest.mark.parametrize(
    ("component", "alive", "ready", "recorded", "state"),
    [
        (CLOUD, True, True, True, "ready"),
        (CLOUD, True, False, True, "not ready"),
        (CLOUD, False, False, True, "dead"),
        (CLOUD, False, False, False, "stopped"),
        (EMULATOR, False, False, False, "missing"),
        (EMULATOR, False, False, True, "missing"),
        (EMULATOR, True, True, True, "ready"),
        (TABLES, False, True, True, "done"),
        (TABLES, True, False, True, "not ready"),
        (TABLES, False, False, False, "stopped"),
    ],
)
def test_a_state_says_what_a_person_needs_to_know(
    component: Component, alive: bool, ready: bool, recorded: bool, state: State
) -> None:
    assert state_of(component, alive=alive, ready=ready, recorded=recorded) == state


def test_every_need_of_the_stack_names_a_component_of_it() -> None:
    parts = components(StackSettings.from_environment({}))
    known = {component.name for component in parts}
    assert {need for component in parts for need in component.needs} <= known
    assert sum(len(stage) for stage in stop_stages(parts)) == len(parts)
