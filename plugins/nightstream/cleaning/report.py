"""What the log of a clean-up says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nightstream.cleaning.decision import Sweep, Verdict

_MIB = 1024 * 1024
_MOST_LINES = 200
"""Of each kind; how many there are in all is said before."""


def report(sweep: Sweep) -> str:
    """What goes and why, what stays and why."""
    going = [verdict for verdict in sweep.verdicts if verdict.goes]
    staying = [verdict for verdict in sweep.verdicts if not verdict.goes]
    return "\n".join(
        (
            *_section("to be removed", map(_told, going)),
            *_section("kept", map(_told, staying)),
            *_section(
                "claims of DAG runs that are over",
                (f"{c.claim.dag_id}, run {c.claim.run_id}, on {c.run_key}" for c in sweep.claims),
            ),
            *_section(
                "active jobs that no DAG run waits for, to be cancelled",
                (
                    f"{job.name} ({job.id}), night {job.labels.get('score_date')}"
                    for job in sweep.jobs
                ),
            ),
        )
    )


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    every = list(lines)
    yield f"{title}: {len(every)}"
    yield from (f"  {line}" for line in every[:_MOST_LINES])
    if len(every) > _MOST_LINES:
        yield f"  … and {len(every) - _MOST_LINES} more"


def _told(verdict: Verdict) -> str:
    bundle = verdict.bundle
    size = f"{len(bundle.files)} files, {bundle.size / _MIB:.1f} MiB"
    return f"{bundle.folder}: {size}: {verdict.why}"
