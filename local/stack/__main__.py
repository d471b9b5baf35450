"""`python -m local.stack up|down|status|logs [NAME] [-f]`: the commands behind the Makefile."""

from __future__ import annotations

import argparse
import os
import sys
import time

from rich.console import Console
from rich.table import Table

from local.stack import ComponentStatus, Stack, StackError, StackSettings
from local.stack.airflow_config import PASSWORD, USER
from local.stack.logs import log_lines
from local.stack.report import Lines

_COLOURS = {
    "ready": "green",
    "done": "green",
    "not ready": "yellow",
    "dead": "red",
    "missing": "yellow",
}


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    try:
        stack = Stack(StackSettings.from_environment(os.environ), Lines(console))
        if options.command == "up":
            return _up(stack, console)
        if options.command == "down":
            return _down(stack, console)
        if options.command == "status":
            return _status(stack, console)
        return _logs(stack, console, options.name, options.follow)
    except StackError as error:
        console.print(f"✗ {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run, and wait until all of it serves")
    commands.add_parser("down", help="stop all of it, also what a crash left behind")
    commands.add_parser("status", help="what runs; exit code 1 unless all of it serves")
    logs = commands.add_parser("logs", help="the last lines of the logs")
    logs.add_argument("name", nargs="?", help="one component")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
    return parser


def _up(stack: Stack, console: Console) -> int:
    began = time.monotonic()
    stack.up()
    settings = stack.settings
    console.print(f"\nThe stack is up ({time.monotonic() - began:.1f} s).")
    console.print(f"  Airflow      {settings.airflow_url}  (login {USER} / {PASSWORD})")
    console.print(f"  Local cloud  {settings.cloud_url}")
    console.print(f"  Pub/Sub      {_pubsub(stack)}")
    console.print(f"  Clients      . {settings.env_file}", soft_wrap=True)
    return 0


def _pubsub(stack: Stack) -> str:
    status = next(status for status in stack.status() if status.name == "pubsub")
    return "missing" if status.state == "missing" else status.address


def _down(stack: Stack, console: Console) -> int:
    stopped = stack.down()
    console.print("The stack is down." if stopped else "Nothing was running.")
    return 0


def _status(stack: Stack, console: Console) -> int:
    table = Table(box=None, pad_edge=False)
    for heading in ("component", "state", "pid", "up", "address"):
        table.add_column(heading, justify="right" if heading in ("pid", "up") else "left")
    statuses = stack.status()
    for status in statuses:
        table.add_row(*_row(status))
    console.print(table)
    return 0 if all(status.state in ("ready", "done") for status in statuses) else 1


def _row(status: ComponentStatus) -> tuple[str, str, str, str, str]:
    colour = _COLOURS.get(status.state, "dim")
    up = "" if status.started is None else f"{time.time() - status.started:.0f} s"
    pid = "" if status.pid is None else str(status.pid)
    return status.name, f"[{colour}]{status.state}[/]", pid, up, status.address


def _logs(stack: Stack, console: Console, name: str | None, follow: bool) -> int:
    paths = {status.name: status.log for status in stack.status()}
    if name is not None and name not in paths:
        raise StackError(f"there is no component {name}", f"name one of: {', '.join(paths)}")
    chosen = paths if name is None else {name: paths[name]}
    for line in log_lines(chosen, follow):
        console.out(line, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
