"""Short words for tests of decisions."""

from __future__ import annotations

from typing import Any, Literal

from beam_jobs.spec.lifecycle import DrainSpec, LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.actions import Action
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.lifecycle.table.examples import example

Strategy = Literal["update", "drain_and_replace", "parallel"]
STRATEGIES: list[Strategy] = ["update", "drain_and_replace", "parallel"]


def by(strategy: Strategy = "update", **drain: Any) -> LifecycleSpec:
    return LifecycleSpec(upgrade=UpgradeSpec(strategy=strategy), drain=DrainSpec(**drain))


PARALLEL, SEEK = by("parallel"), by(after_deadline="cancel_and_seek", seek_margin_seconds=60)


def action(*jobs: SeenJob, **situation: Any) -> Action:
    return example(*jobs, **situation).decided().action
