"""What every chapter of the demo has at hand."""

from __future__ import annotations

import os
import sys
import time
from functools import cached_property

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from rich.console import Console

from beam_jobs.spec import EnvironmentSpec, load_environment, load_service
from local.stack import Stack, StackSettings
from local.stack.airflow_api import AirflowApi
from local.stack.report import Lines


class DemoError(Exception):
    """Something of the demo did not come out as promised."""


class Show:
    """A stack, its clients, and the terminal on which the story is told."""

    def __init__(self, settings: StackSettings, console: Console) -> None:
        self.stack = Stack(settings, Lines(console))
        self.console = console
        self.spec = load_service(settings.services / "babyweight.yaml")
        self._began = time.monotonic()

    def begin(self) -> None:
        """Brings the stack up and points this process's clients at it."""
        self.stack.up()
        os.environ.update(self.stack.env)

    @cached_property
    def airflow(self) -> AirflowApi:
        return AirflowApi(self.stack.settings.airflow_url)

    @cached_property
    def environment(self) -> EnvironmentSpec:
        return load_environment(self.stack.settings.dags / "environments", "local")

    @property
    def models(self) -> str:
        """The folder of the service's model versions."""
        return self.models_of(self.spec.service)

    def models_of(self, service: str) -> str:
        """The folder of the model versions of any service."""
        return f"gs://{self.environment.buckets.models}/{service}"

    def train(self, version: str, *options: str, service: str | None = None) -> None:
        """Trains a version of the model, as a person would. Raises DemoError."""
        models = self.models_of(service or self.spec.service)
        self.run("examples.babyweight.train", "--models", models, "--version", version, *options)

    def run(self, module: str, *arguments: str) -> None:
        """Runs a command of the example and tells what it says. Raises DemoError."""
        ended = self.stack.run(sys.executable, "-m", module, *arguments)
        if ended.returncode:
            raise DemoError(f"{module} failed:\n{ended.stdout}{ended.stderr}")
        for line in ended.stdout.strip().splitlines():
            self.say(line)

    @cached_property
    def bigquery(self) -> bigquery.Client:
        return bigquery.Client(self.environment.project, AnonymousCredentials())

    @property
    def dataset(self) -> str:
        return self.environment.bigquery.dataset

    @property
    def seconds(self) -> float:
        """Since the show began."""
        return time.monotonic() - self._began

    def chapter(self, title: str) -> None:
        self.console.print(
            f"\n[bold]{title}[/bold]  [dim]{self.seconds:.0f} s[/dim]", highlight=False
        )

    def say(self, line: str) -> None:
        self.console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
