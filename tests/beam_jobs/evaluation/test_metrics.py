"""The figures that versions are compared by."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.evaluation.metrics import measure
from beam_jobs.spec.release import Metric

TRUTH, GUESS = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.1, 0.8, 0.4, 0.5])


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("rmse", math.sqrt((0.01 + 0.04 + 0.36 + 0.25) / 4)),
        ("mae", (0.1 + 0.2 + 0.6 + 0.5) / 4),
        ("auc", 0.75),
        ("log_loss", -sum(map(math.log, (0.9, 0.8, 0.4, 0.5))) / 4),
    ],
)
def test_each_metric_is_what_the_textbook_says(metric: Metric, value: float) -> None:
    assert measure(metric, TRUTH, GUESS) == pytest.approx(value)


@given(arrays(np.float64, 5, elements=st.floats(-1e6, 1e6)))
def test_the_truth_itself_has_no_error(labels: np.ndarray) -> None:
    assert measure("rmse", labels, labels) == measure("mae", labels, labels) == 0


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
@pytest.mark.parametrize("labels", [[1.0, 1.0], [0.0, 2.0]])
def test_labels_that_are_not_two_classes_are_refused(metric: Metric, labels: list[float]) -> None:
    with pytest.raises(EvaluationError, match="Remedy"):
        measure(metric, np.array(labels), np.array([0.5, 0.5]))


def test_scores_that_are_no_probabilities_have_no_log_loss() -> None:
    with pytest.raises(EvaluationError, match="no probabilities"):
        measure("log_loss", TRUTH, GUESS + 1)
