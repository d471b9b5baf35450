"""Names and labels of jobs."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightstream.jobs.job import Job
from nightstream.runs import ResolvedRun
from nightstream.scoring.jobs import attempt_of, belongs_to, job_labels, job_name, job_prefix

RUN_KEY = "0123456789abcdef" * 2 + "01234567"
LABEL = re.compile(r"[a-z0-9_-]{0,63}")


def run(**changes: object) -> ResolvedRun:
    fields = {
        "service": "weights",
        "score_date": date(2026, 1, 5),
        "run_key": RUN_KEY,
        "plan_uri": "gs://scoring-work/plan.json",
        "root": "gs://scoring-work/weights/runs",
        "inputs": 1,
        "model_version": "v1",
        "model_kind": "onnx",
        "dead_letter_limit": 0.01,
    }
    return ResolvedRun.model_validate(fields | changes)


def test_a_name_follows_from_service_and_run() -> None:
    assert job_name("baby_weight", RUN_KEY) == "baby-weight-batch-0123456789ab"


def test_the_longest_service_has_a_legal_name() -> None:
    name = job_name("a" + "_" * 38 + "z", RUN_KEY)

    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)


def test_every_name_begins_with_its_services_prefix() -> None:
    assert job_name("a_b", RUN_KEY).startswith(job_prefix("a_b"))


def test_labels_say_what_the_job_scores_and_for_whom() -> None:
    labels = job_labels(run(), 3)

    assert labels == {
        "service": "weights",
        "score_date": "2026-01-05",
        "run_key": RUN_KEY,
        "attempt": "3",
        "model_version": "v1",
    }


@given(st.text(max_size=100))
def test_whatever_a_model_version_is_called_its_label_is_legal(version: str) -> None:
    labels = job_labels(run(model_version=version), 1)

    assert all(LABEL.fullmatch(value) for value in labels.values())


def test_a_job_knows_its_attempt_and_run_from_its_labels() -> None:
    job = Job("id", "name", "RUNNING", job_labels(run(), 12))

    assert attempt_of(job) == 12
    assert belongs_to(job, RUN_KEY)


@pytest.mark.parametrize("labels", [{}, {"run_key": RUN_KEY}, {"run_key": "x", "attempt": "1"}])
def test_a_job_with_other_labels_is_not_ours(labels: dict[str, str]) -> None:
    assert not belongs_to(Job("id", "name", "RUNNING", labels), RUN_KEY)
