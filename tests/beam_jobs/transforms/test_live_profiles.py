"""What streaming workers count of the requests they score."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from google.cloud import bigquery
from google.cloud.bigquery import DatasetReference

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.table import TableWriter
from beam_jobs.objects import open_objects
from beam_jobs.prediction.live.served import ScoredBy
from beam_jobs.prediction.reference import reference_statistics
from beam_jobs.runs.manifest import Histogram
from beam_jobs.runs.profiles import LiveProfile, live_profiles_table
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.histograms import Profile
from beam_jobs.transforms.live_profiles import FLUSH_SECONDS, LiveProfiles
from beam_jobs.transforms.profile_live import ProfileLive
from beam_jobs.transforms.profile_sums import ProfileSums, released_profiles
from nightstream.hooks.bigquery import created_table
from nightstream.tables import TableId, live_profiles_schema
from tests.support.live_tables import SCORED_BY, FakeClock, LiveTables, a_micro_batch
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.models import release
from tests.support.specs import a_service

REFERENCE = reference_statistics(pa.table({"weeks": [20.0, 30.0, 45.0], "weight": [4.0, 6.0, 9.0]}))
PROFILE = Profile.of(a_service(), REFERENCE)
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def sums() -> ProfileSums:
    return ProfileSums({"v1": PROFILE, "v2": PROFILE}.get)


def by(batch: ScoredRequests, version: str, revision: str = "r1") -> ScoredRequests:
    return replace(batch, scored_by=ScoredBy(version, revision))


def predicted(weights: Sequence[float]) -> Histogram:
    return PROFILE.outputs["weight"].count(pa.array(weights, pa.float64()))


def test_batches_of_one_model_are_counted_together() -> None:
    total = sums()
    total.add([a_micro_batch([5.0, 7.0]), a_micro_batch([8.0])])
    total.add([a_micro_batch([100.0])])
    [counted] = total.taken()
    assert counted["scored"] == 4
    assert counted["predictions"] == {"weight": predicted([5, 7, 8, 100])}
    assert counted["features"]["weeks"].total == 4
    assert list(total.taken()) == []


def test_models_and_revisions_are_counted_apart() -> None:
    total = sums()
    batch = a_micro_batch([5.0])
    total.add([by(batch, "v1"), by(batch, "v2"), by(batch, "v2", "r2")])
    found = {(part["model_version"], part["revision"]): part["scored"] for part in total.taken()}
    assert found == {("v1", "r1"): 1, ("v2", "r1"): 1, ("v2", "r2"): 1}


def test_an_endpoint_that_answers_with_two_models_is_counted_by_each() -> None:
    batch = a_micro_batch([5.0, 7.0, 8.0])
    said = pa.array(["v1", "v2", None])
    outputs = batch.outputs.append_column("model_version", said)
    total = sums()
    total.add([by(replace(batch, outputs=outputs), "v1"), by(a_micro_batch([9.0]), "v1")])
    found = {part["model_version"]: part["predictions"]["weight"] for part in total.taken()}
    assert found == {"v1": predicted([5, 8, 9]), "v2": predicted([7])}


def test_a_version_that_nobody_describes_is_not_counted() -> None:
    total = sums()
    total.add([by(a_micro_batch([5.0]), "v9"), by(a_micro_batch([5.0]), "v1")])
    assert [part["model_version"] for part in total.taken()] == ["v1"]


@pytest.fixture
def live(cloud_env: LocalCloud) -> LiveTables:
    """A dataset with the table of profiles, and a released model."""
    live = LiveTables(bigquery.Client(PROJECT))
    bucket = live.plan.root.split("/")[2]
    cloud_env.call("POST", "/storage/v1/b", {"name": bucket})
    models = f"gs://{bucket}/models"
    release(models, "v1", open_objects(models))
    pin = live.plan.model.model_copy(update={"uri": f"{models}/v1"})
    live.plan = live.plan.model_copy(update={"model": pin})
    table = TableId(PROJECT, live.plan.tables.dataset, live_profiles_table(live.plan.service))
    created_table(bigquery.Client(PROJECT), table, live_profiles_schema())
    return live


def written(live: LiveTables) -> list[LiveProfile]:
    """The rows of the table, as a reader takes them."""
    columns = list(LiveProfile.model_fields)
    table = f"{live.plan.tables.dataset}.{live_profiles_table(live.plan.service)}"
    rows = live.rows(table, ", ".join(columns), "sequence")
    found = (dict(zip(columns, row, strict=True)) for row in rows)
    return [
        LiveProfile.model_validate(
            row | {name: json.loads(row[name]) for name in ("features", "predictions")}
        )
        for row in found
    ]


def writer(live: LiveTables, table: str | None = None) -> TableWriter:
    dataset = DatasetReference(PROJECT, live.plan.tables.dataset)
    name = table or live_profiles_table(live.plan.service)
    return TableWriter(dataset.table(name), InsertClient(PROJECT), 5, FakeClock().clock())


def test_a_minute_of_a_worker_is_a_row(live: LiveTables) -> None:
    times = iter([START, *(START + timedelta(seconds=FLUSH_SECONDS * n / 2) for n in range(1, 9))])
    profiles = LiveProfiles(sums(), writer(live), lambda: next(times))
    for weights in ([5.0], [7.0, 8.0]):
        profiles.add(a_micro_batch(weights))
        profiles.turn()
    [row] = written(live)
    assert (row.sequence, row.model_version, row.revision) == (0, "v1", SCORED_BY.revision)
    assert (row.window_start, row.scored) == (START, 3)
    assert row.predictions == {"weight": predicted([5, 7, 8])}


def test_the_step_writes_what_is_left_when_it_is_torn_down(live: LiveTables) -> None:
    step = pickle.loads(pickle.dumps(ProfileLive(live.plan)))
    step.setup()
    step.process(a_micro_batch([5.0, 7.0]))
    step.process(a_micro_batch())
    step.teardown()
    step.teardown()
    [row] = written(live)
    assert row.scored == 2
    profile = released_profiles(live.plan)("v1")
    assert profile is not None
    assert row.features == {"weeks": profile.features["weeks"].count(pa.array([39.5, 39.5]))}


def test_counts_that_cannot_be_written_are_given_up_and_hold_up_nobody(
    live: LiveTables, caplog: pytest.LogCaptureFixture
) -> None:
    profiles = LiveProfiles(sums(), writer(live, "no_such_table"))
    profiles.add(a_micro_batch([5.0]))
    with caplog.at_level(logging.WARNING):
        profiles.flush()
    assert "the counts of a minute are lost for drift" in caplog.text
    assert list(profiles._sums.taken()) == []


def test_a_batch_that_cannot_be_counted_is_told_of_and_harms_no_other(
    live: LiveTables, caplog: pytest.LogCaptureFixture
) -> None:
    profiles = LiveProfiles(sums(), writer(live))
    batch = a_micro_batch([5.0])
    profiles.add(replace(batch, rows=batch.rows.rename_columns(["id", "months"])))
    profiles.flush()
    profiles.add(batch)
    profiles.flush()
    assert "1 micro-batches are not counted for drift" in caplog.text
    assert [row.scored for row in written(live)] == [1]
