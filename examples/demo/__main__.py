"""Real nights and live requests, scored by the real scheduler and jobs, checked to the row.

python -m examples.demo [--keep]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import replace

from rich.console import Console

from examples.demo import nights, streaming
from examples.demo.show import DemoError, Show
from local.stack import Stack, StackError, StackSettings


def play(show: Show) -> list[str]:
    """The whole story; what did not add up."""
    show.chapter("A stack on this machine: Airflow, PostgreSQL, the local cloud, Pub/Sub")
    show.begin()
    show.chapter("A model, trained on 1,449 real births")
    _train(show)
    return [*nights.play_nights(show), *streaming.play_streaming(show)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave the stack running at the end")
    keep = parser.parse_args().keep

    settings = StackSettings.from_environment(os.environ)
    settings = replace(settings, home=settings.home / "demo")
    show = Show(settings, Console())
    faults = ["the demo did not come to its end"]
    try:
        Stack(settings).down()
        shutil.rmtree(settings.home, ignore_errors=True)
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
    _close(show, faults, keep)
    return 1 if faults else 0


def _train(show: Show) -> None:
    models = f"gs://{show.environment.buckets.models}/{show.spec.service}"
    command = ["-m", "examples.babyweight.train", "--models", models, "--alias", "champion"]
    trained = show.stack.run(sys.executable, *command)
    if trained.returncode:
        raise DemoError(f"training failed:\n{trained.stderr}")
    show.say(trained.stdout.strip())


def _close(show: Show, faults: list[str], keep: bool) -> None:
    settings, console = show.stack.settings, show.console
    for fault in faults:
        console.print(f"✗ {fault}", style="red", highlight=False, markup=False)
    if faults:
        console.print(f"\nThe demo failed after {show.seconds:.0f} s; logs: {settings.logs}")
        return
    console.print(
        f"\n[green]✓ Every row and every request is accounted for.[/green] "
        f"{show.seconds:.0f} s in all."
    )
    command = "make down" if keep else "make up"
    home = f"NIGHTSTREAM_HOME={os.path.relpath(settings.home)}"
    aim = "to stop it" if keep else f"to look around: {settings.airflow_url}/dags"
    console.print(f"  {home} {command}   # {aim}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
