"""How a show is given: an empty stack, the story, its books, and nothing left running."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console

from examples.demo.show import DemoError, Show
from local.stack import Stack, StackError, StackSettings

Play = Callable[[Show], list[str]]
"""Tells the whole story; what did not add up."""
Stage = Callable[[StackSettings], StackSettings]
"""Prepares the empty folder of a stack."""


def perform(
    name: str, about: str, play: Play, promise: str, stage: Stage = lambda settings: settings
) -> int:
    """Gives the show of that name from the command line; the exit code."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--keep", action="store_true", help="leave the stack running at the end")
    keep = parser.parse_args().keep

    settings = StackSettings.from_environment(os.environ)
    settings = replace(settings, home=settings.home / name)
    Stack(settings).down()
    shutil.rmtree(settings.home, ignore_errors=True)
    show = Show(stage(settings), Console())
    faults = [f"the {name} did not come to its end"]
    try:
        faults = play(show)
    except (DemoError, StackError) as error:
        faults = [str(error)]
    finally:
        if keep:
            show.console.print(
                f"\nThe stack stays up: {settings.airflow_url}, login admin / admin."
            )
        else:
            show.stack.down()
    _close(show, name, faults, promise, keep)
    return 1 if faults else 0


def _close(show: Show, name: str, faults: list[str], promise: str, keep: bool) -> None:
    settings, console = show.stack.settings, show.console
    for fault in faults:
        console.print(f"✗ {fault}", style="red", highlight=False, markup=False, soft_wrap=True)
    if faults:
        console.print(f"\nThe {name} failed after {show.seconds:.0f} s; logs: {settings.logs}")
        return
    console.print(f"\n[green]✓ {promise}[/green] {show.seconds:.0f} s in all.")
    command = "make down" if keep else "make up"
    home = f"NIGHTSTREAM_HOME={os.path.relpath(settings.home)}"
    aim = "to stop it" if keep else f"to look around: {settings.airflow_url}/dags"
    console.print(f"  {home} {command}   # {aim}", highlight=False)
