"""One number for how far predictions are from the truth."""

from __future__ import annotations

import numpy as np
from sklearn import metrics

from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.spec.release import Metric


def measure(metric: Metric, labels: np.ndarray, predictions: np.ndarray) -> float:
    """The metric over n finite labels and predictions (float64), n > 0.

    auc and log_loss are of two classes: labels are 0 or 1, predictions scores of class 1, which
    log_loss takes as probabilities. Raises EvaluationError where they cannot be.
    """
    match metric:
        case "rmse":
            return float(metrics.root_mean_squared_error(labels, predictions))
        case "mae":
            return float(metrics.mean_absolute_error(labels, predictions))
        case "auc":
            _check_classes(labels)
            return float(metrics.roc_auc_score(labels, predictions))
        case "log_loss":
            _check_classes(labels)
            if predictions.min() < 0 or predictions.max() > 1:
                raise EvaluationError(
                    f"predictions from {predictions.min():g} to {predictions.max():g} are no "
                    "probabilities. Remedy: compare another output, or by auc"
                )
            return float(metrics.log_loss(labels, predictions))


def _check_classes(labels: np.ndarray) -> None:
    found = np.unique(labels)
    if not np.array_equal(found, [0, 1]):
        shown = ", ".join(f"{label:g}" for label in found[:5])
        raise EvaluationError(
            f"the labels are {shown}, and have to be both 0 and 1. Remedy: hold out rows of both "
            "classes, or choose rmse or mae as model.release.metric"
        )
