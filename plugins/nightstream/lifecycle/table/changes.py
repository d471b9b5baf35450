"""Changes of what is declared, by strategy and by what a moved model is to do."""

from __future__ import annotations

from typing import Any

from beam_jobs.spec.lifecycle import LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.revisions import Revision, Workers
from nightstream.lifecycle.table.examples import (
    PLACE,
    R1,
    R2,
    Example,
    a_job,
    a_ledger,
    example,
    revision,
)

_STRATEGIES = ("update", "drain_and_replace", "parallel")
_MODEL = revision("R2", model_version="2", base="R1")
_OTHERWISE = PLACE.model_copy(update={"subscription": "orders"})


def changes() -> tuple[tuple[str, Example], ...]:
    """Every change with every strategy."""
    same = ("nothing has", example(a_job()))
    workers = (
        "the number of workers only",
        example(a_job(workers=Workers(least=1, most=2))),
    )
    return (
        same,
        workers,
        *_each("model", _MODEL),
        *_model("refresh"),
        *_model("hold"),
        *_each("code or parameters", R2),
        *_each("`upgrade.generation`, with anything else", revision("R2", topology="2")),
        *_each("anything; the service has refused this update", R2, refused=(("R1", "R2"),)),
        *_each("the subscription, the topic or the region", revision("R2", place=_OTHERWISE)),
    )


def _each(what: str, wanted: Revision, **ledger: Any) -> list[tuple[str, Example]]:
    """The change with each strategy."""
    return [
        (
            f"{what}; `strategy: {strategy}`",
            example(
                a_job(),
                wanted=wanted,
                ledger=a_ledger(**ledger),
                spec=LifecycleSpec(upgrade=UpgradeSpec.model_validate({"strategy": strategy})),
            ),
        )
        for strategy in _STRATEGIES
    ]


def _model(kept: str) -> list[tuple[str, Example]]:
    """The model alone, by what is said of it; the strategy makes no difference."""
    refreshes = kept == "refresh"
    running = R1.model_copy(update={"refreshes": refreshes})
    wanted = _MODEL.model_copy(update={"refreshes": refreshes})
    entries = a_ledger().entries
    known = {"R1": entries["R1"].model_copy(update={"revision": running})}
    spec = LifecycleSpec(upgrade=UpgradeSpec.model_validate({"model": kept}))
    seen = example(a_job(), wanted=wanted, ledger=a_ledger(entries=known), spec=spec)
    return [(f"model; `upgrade.model: {kept}`", seen)]
