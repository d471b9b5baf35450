"""The example's limits let its normal nights pass, and stop nights of births of 2014."""

from __future__ import annotations

import io
from datetime import date, timedelta
from functools import cache

import joblib
import pandas as pd
import pyarrow as pa

from beam_jobs.spec import load_service
from beam_jobs.transforms.histograms import Profile
from examples.babyweight.births import FEATURES, births_of_2014
from examples.babyweight.nights import Night, make_night
from examples.babyweight.train import OUTPUT, build_version
from nightstream.drift.figures import Drift, Verdict
from nightstream.drift.measuring import Profiled, measure
from tests.support.scored_night import SPEC

DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(20)]
SERVICE = load_service(SPEC)


@cache
def trained() -> tuple[Profile, object, object]:
    manifest, content = build_version("sklearn", "v1")
    model = joblib.load(io.BytesIO(content))
    return Profile.of(SERVICE, manifest.reference), manifest.reference, model


def counted(night: Night) -> Profiled:
    """What the job counts of a night without broken rows."""
    profile, _, model = trained()
    [content] = night.files.values()
    rows = pd.read_csv(io.BytesIO(content), dtype={"is_male": "object", "mother_age": "float64"})
    predicted = pa.array(model.predict(rows[FEATURES]))  # type: ignore[attr-defined]
    columns = {name: pa.array(rows[name].to_numpy()) for name in FEATURES}
    return Profiled(
        {name: bins.count(columns[name]) for name, bins in profile.features.items()},
        {OUTPUT: profile.outputs[OUTPUT].count(predicted)},
    )


def drift(night: Profiled, before: dict[date, Profiled]) -> Drift:
    _, reference, _ = trained()
    measured = measure(SERVICE.drift, night, reference, before)  # type: ignore[arg-type]
    return Drift(service="babyweight", model_version="v1", rows=600, figures=measured.figures)


def test_normal_nights_are_fine() -> None:
    nights = {day: counted(make_night(day, broken=0, files=1)) for day in DAYS}
    for day, night in nights.items():
        before = {one: nights[one] for one in nights if 0 < (day - one).days <= 7}
        found = drift(night, before)
        assert found.verdict is Verdict.FINE, [str(figure) for figure in found.of(Verdict.WARN)]


def test_nights_of_births_of_2014_are_stopped_for_the_age_of_the_mothers() -> None:
    for day in DAYS:
        night = counted(make_night(day, broken=0, files=1, known=births_of_2014()))
        stopped = {figure.column for figure in drift(night, {}).of(Verdict.STOP)}
        assert "mother_age" in stopped
