"""What a person sees: a bar while requests are sent, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from beam_jobs.send.answers import SCORED, Summary
from beam_jobs.send.sending import Order, Outcome, Show

_PERCENTILES = (50, 95, 99)


@contextmanager
def progress_bar(order: Order, console: Console) -> Iterator[Show]:
    """A bar for messages accepted and, where they are waited for, one for answers."""
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        sent = progress.add_task("sent", total=order.count, rate="")
        heard = progress.add_task(
            "answered", total=order.count, rate="", visible=bool(order.waiting)
        )

        def show(accepted: int, answered: int) -> None:
            for task, completed in ((sent, accepted), (heard, answered)):
                speed = progress.tasks[task].speed
                rate = "" if speed is None else f"{speed:,.0f}/s"
                progress.update(task, completed=completed, rate=rate)

        yield show


def tell(order: Order, outcome: Outcome) -> list[str]:
    """What came of an order, in lines."""
    lines = [_sent(order, outcome)]
    if outcome.failure:
        lines.append(f"stopped: {outcome.failure}")
    if outcome.answers:
        lines += _answers(outcome.answers)
    return lines


def _sent(order: Order, outcome: Outcome) -> str:
    prefix = order.id_prefix
    rate = outcome.accepted / outcome.seconds if outcome.seconds else 0.0
    how = f"in {outcome.seconds:.1f} s ({rate:,.0f}/s)"
    ids = "" if prefix is None else f"; ids {prefix}0 to {prefix}{outcome.count - 1}"
    return (
        f"{outcome.accepted:,} of {outcome.count:,} messages accepted by {order.topic} {how}{ids}"
    )


def _answers(answers: Summary) -> list[str]:
    errors = {code: n for code, n in answers.outcomes.items() if code != SCORED}
    lines = [
        f"{answers.answered:,} answered, {answers.unanswered:,} unanswered",
        f"  scored {answers.outcomes.get(SCORED, 0):,}, errors {sum(errors.values()):,}",
    ]
    lines += [f"    {code} {count:,}" for code, count in sorted(errors.items())]
    if answers.latencies:
        parts = [f"p{percent} {_ms(answers.latency(percent))}" for percent in _PERCENTILES]
        parts.append(f"max {_ms(answers.latencies[-1])}")
        lines.append(f"latency, publish call to answer: {', '.join(parts)}")
    return lines


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
