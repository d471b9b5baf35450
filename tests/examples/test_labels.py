"""The example's labels."""

from __future__ import annotations

import io
from datetime import date

import pandas as pd

from beam_jobs.spec import load_service
from examples.babyweight.labels import FOLDER, labels_file
from examples.babyweight.nights import make_night
from nightstream.inputs.globs import matches
from tests.support.scored_night import SPEC


def test_every_birth_of_a_night_has_its_weight_where_the_spec_looks_for_it() -> None:
    night = make_night(date(2026, 1, 5), births=50)
    labels = pd.read_csv(io.BytesIO(labels_file(night)))
    declared = load_service(SPEC).labels
    assert declared is not None
    assert declared.files is not None
    assert matches(f"{FOLDER}2026-01-05.csv", declared.files)
    assert list(labels) == [declared.night, "key", declared.label]
    assert len(labels) == labels["key"].nunique() == 50
    assert set(labels["score_date"]) == {"2026-01-05"}
    assert labels["weight_pounds"].between(0.5, 15).all()
