"""Whether a candidate is good enough. Pure: the figures and the spec."""

from __future__ import annotations

import math
from dataclasses import dataclass

from beam_jobs.runs.release import Evaluation
from beam_jobs.spec.release import ReleaseSpec


@dataclass(frozen=True)
class Verdict:
    accepted: bool
    reason: str
    """With the figures."""


def compare(evaluation: Evaluation, release: ReleaseSpec) -> Verdict:
    """A candidate is refused when it is worse than the champion by more than the tolerance, or
    gives no number for more rows."""
    candidate, champion, metric = evaluation.candidate, evaluation.champion, evaluation.metric
    over = f"over {evaluation.compared} of {evaluation.rows} held-out rows"
    figures = f"{metric} {over}: {candidate.version} {candidate.value:.6g}"
    if not math.isfinite(candidate.value):
        return Verdict(False, f"{figures}: no number to be judged by")
    if champion is None:
        return Verdict(True, f"{figures}; there is no champion yet")
    figures += f", champion {champion.version} {champion.value:.6g}"
    if candidate.failed > champion.failed:
        failed = f"{candidate.version} fails on {candidate.failed} rows, the champion on"
        return Verdict(False, f"{figures}; {failed} {champion.failed}")
    worse = worsening(evaluation)
    if math.isnan(worse) or worse > release.tolerance:
        return Verdict(False, f"{figures}: worse by {worse:.6g}, allowed is {release.tolerance:g}")
    if worse > 0:
        return Verdict(True, f"{figures}: worse by {worse:.6g}, within {release.tolerance:g}")
    return Verdict(True, f"{figures}: better by {-worse:.6g}")


def worsening(evaluation: Evaluation) -> float:
    """By how much the candidate is worse than the champion, in the metric's unit."""
    assert evaluation.champion is not None
    difference = evaluation.candidate.value - evaluation.champion.value
    return -difference if evaluation.metric == "auc" else difference
