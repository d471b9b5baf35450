"""The commands that open models."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from beam_jobs.spec import EnvironmentSpec


def evaluation_command(arguments: Sequence[str], environment: EnvironmentSpec) -> list[str]:
    """`python -m beam_jobs.evaluation`, which opens models of the environment's bucket only."""
    models = f"gs://{environment.buckets.models}"
    return [sys.executable, "-m", "beam_jobs.evaluation", *arguments, f"--models={models}"]
