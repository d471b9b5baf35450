"""Predictions and labels joined in the real local BigQuery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import DAG

from beam_jobs.evaluation.metrics import measure
from nightstream.forms.quality import quality_form
from nightstream.hooks.bigquery import created_table, standing_view
from nightstream.operators.quality.load import LoadLabelsOperator
from nightstream.operators.quality.measure import MeasureOperator
from nightstream.tables import live_predictions_schema, live_predictions_view, table_id
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.labelled import Warehouse, predicted
from tests.support.specs import a_service
from tests.support.turns import DagRun, Task

FIRST, SECOND = date(2026, 1, 4), date(2026, 1, 5)
LABELS = {"label": "truth", "metric": "rmse"}


def declared(service: Service, **labels: Any) -> Service:
    """The service with a section `labels` about the environment's table `truth`."""
    table = f"{service.environment.bigquery.dataset}.truth"
    source = {} if "files" in labels else {"table": table}
    return replace(service, spec=a_service(labels={**LABELS, **source, **labels}))


@pytest.fixture
def measured(service: Service) -> Service:
    warehouse(service).client.create_dataset(service.environment.bigquery.dataset)
    return declared(service)


def warehouse(service: Service) -> Warehouse:
    return Warehouse(service.environment, service.spec)


def run(service: Service, what: Any = MeasureOperator, **params: Any) -> Any:
    operator = what(
        task_id="measure",
        spec=service.spec,
        environment=service.environment,
        dag=DAG("weights_quality", schedule=None),
    )
    dag_run = DagRun(
        dag_id="weights_quality",
        params=params,
        run_after=datetime(2026, 1, 6, 12, 30, tzinfo=UTC),
    )
    return Task(operator, dag_run, form=quality_form(30)).finish()


def refusal(service: Service, what: Any = MeasureOperator) -> str:
    with pytest.raises(AirflowFailException) as failure:
        run(service, what)
    return str(failure.value)


def test_each_night_and_version_has_its_metric_and_its_counts(measured: Service) -> None:
    house = warehouse(measured)
    house.publish(predicted(FIRST, "v1", a=7.0, b=8.0, c=9.0, d=None, e=float("nan")))
    house.publish(predicted(SECOND, "v1", a=6.0, z=1.0) + predicted(SECOND, "v2", b=5.0))
    house.publish(predicted(FIRST - timedelta(days=40), "v0", a=1.0))
    house.label([("a", 7.0), ("b", 6.0), ("b", 6.0), ("c", None), ("d", 1.0), ("e", 1.0)])
    assert run(measured) == 3
    rows = house.quality()
    of = ("score_date", "model_version", "predictions", "labelled", "unlabelled", "repeated_labels")
    assert [tuple(row[name] for name in of) for row in rows] == [
        (FIRST, "v1", 5, 2, 3, 1),
        (SECOND, "v1", 2, 1, 1, 0),
        (SECOND, "v2", 1, 1, 0, 1),
    ]
    assert [row["value"] for row in rows] == pytest.approx([np.sqrt(2.0), 1.0, 1.0])
    assert {(row["service"], row["source"], row["output"], row["metric"]) for row in rows} == {
        ("weights", "batch", "weight", "rmse")
    }


@pytest.mark.parametrize("metric", ["rmse", "mae", "auc", "log_loss"])
def test_the_metric_is_scikit_learn_s(measured: Service, metric: Any) -> None:
    random = np.random.default_rng(7)
    # Two decimals: many scores are equal, which is what an area under a curve stumbles over; and
    # some are exactly 0 and 1, which is what log loss does.
    scores = np.clip(random.normal(0.5, 0.4, 400).round(2), 0, 1)
    truth = (random.random(400) < scores).astype(float)
    keys = [f"k{number}" for number in range(400)]
    service = declared(measured, metric=metric)
    house = warehouse(service)
    house.publish(predicted(FIRST, "v1", **dict(zip(keys, scores.tolist(), strict=True))))
    house.publish(predicted(SECOND, "v1", k0=0.3, unknown=0.9))
    house.label(dict(zip(keys, truth.tolist(), strict=True)))
    run(service)
    first, second = house.quality()
    assert first["value"] == pytest.approx(measure(metric, truth, scores), rel=1e-12)
    assert first["labelled"] == 400
    assert (second["value"] is None) == (metric == "auc"), "one class has no curve"


def test_measuring_again_changes_nothing_and_late_labels_change_their_night(
    measured: Service,
) -> None:
    house = warehouse(measured)
    house.publish(predicted(FIRST, "v1", a=7.0, b=8.0) + predicted(SECOND, "v1", c=8.0))
    house.label({"a": 6.0})
    assert run(measured) == 2
    before = house.quality()
    assert run(measured) == 0
    assert house.quality() == before
    assert (before[1]["value"], before[1]["unlabelled"]) == (None, 1)
    house.label({"c": 5.0})
    assert run(measured) == 1
    first, second = house.quality()
    assert first == before[0]
    assert (second["value"], second["labelled"]) == (3.0, 1)
    assert second["measured_at"] > before[1]["measured_at"]


def test_a_range_of_nights_can_be_chosen(measured: Service) -> None:
    house = warehouse(measured)
    house.publish(predicted(FIRST, "v1", a=7.0) + predicted(SECOND, "v1", a=8.0))
    house.label({"a": 6.0})
    assert run(measured, from_date="2026-01-04", to_date="2026-01-04") == 1
    assert [row["score_date"] for row in house.quality()] == [FIRST]
    with pytest.raises(AirflowFailException, match=r"before the first.*Remedy: exchange"):
        run(measured, from_date="2026-01-05", to_date="2026-01-04")


def test_labels_that_contradict_each_other_are_named_and_nothing_is_measured(
    measured: Service,
) -> None:
    house = warehouse(measured)
    house.publish(predicted(FIRST, "v1", a=7.0, b=8.0))
    house.label([("a", 6.0), ("a", 7.0), ("b", 5.0), ("other", 1.0), ("other", 2.0)])
    said = refusal(measured)
    assert "'a' of 2026-01-04: 6 and 7" in said
    assert "other" not in said, "no prediction is about it"
    assert "Remedy: keep one label for each key, or name the column of its night" in said
    assert "prediction_quality" not in {
        table.table_id for table in house.client.list_tables(measured.environment.bigquery.dataset)
    }


def test_a_label_of_a_night_is_of_that_night_alone(measured: Service) -> None:
    service = declared(measured, night="of")
    house = warehouse(service)
    house.publish(predicted(FIRST, "v1", a=7.0) + predicted(SECOND, "v1", a=7.0))
    schema = pa.schema([("id", pa.string()), ("truth", pa.float64()), ("of", pa.date32())])
    labels = [{"id": "a", "truth": 6.0, "of": FIRST}, {"id": "a", "truth": 9.0, "of": SECOND}]
    house.load(house.name("truth"), pa.Table.from_pylist(labels, schema))
    run(service)
    assert [row["value"] for row in house.quality()] == [1.0, 2.0]


def test_live_predictions_are_measured_beside_the_nights_each_request_once(
    measured: Service,
) -> None:
    streaming = {"topic": "weights", "subscription": "weights"}
    spec = a_service(labels=measured.spec.labels.model_dump(), streaming=streaming)  # type: ignore[union-attr]
    service = replace(measured, spec=spec)
    house = warehouse(service)
    house.publish(predicted(FIRST, "v1", a=7.0))
    table = table_id(service.environment, "weights_predictions_live")
    created_table(house.client, table, live_predictions_schema(spec))
    standing_view(house.client, live_predictions_view(spec, service.environment))
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    row = {"request_id": "r", "id": "a", "weight": 9.0, "model_version": "v1"}
    rows = [row | {"published_at": at, "scored_at": at + timedelta(seconds=n)} for n in (1, 2)]
    house.load(str(table), pa.Table.from_pylist(rows))
    house.label({"a": 6.0})
    assert run(service) == 2
    found = [(row["source"], row["value"], row["predictions"]) for row in house.quality()]
    assert found == [("batch", 1.0, 1), ("streaming", 3.0, 1)]


def test_labels_that_do_not_fit_the_metric_are_named(measured: Service) -> None:
    service = declared(measured, metric="log_loss")
    house = warehouse(service)
    house.publish(predicted(FIRST, "v1", a=0.5, b=1.5, c=0.1))
    house.label({"a": 2.0, "b": 1.0, "c": 0.0})
    said = refusal(service)
    assert "log_loss wants labels of 0 and 1 and predictions from 0 to 1" in said
    assert "'a' of 2026-01-04: label 2, prediction 0.5; 'b' of 2026-01-04: label 1" in said
    assert "'c'" not in said


UNJOINABLE: list[tuple[dict[str, Any], str]] = [
    ({"table": "nowhere.truth"}, "there is no table .*nowhere.truth. Remedy: create it"),
    ({"label": "weight"}, "has no column weight. Remedy: name one of id, truth, words"),
    ({"key": "name"}, "has no column name. Remedy: .* in labels.key"),
    ({"key": "truth"}, "truth is FLOAT, the input's key id is STRING. Remedy"),
    ({"label": "words"}, "words is STRING, and labels are numbers. Remedy"),
    ({"night": "truth"}, "truth is FLOAT, and nights are DATE. Remedy"),
]


def test_labels_that_cannot_be_joined_say_why_and_what_helps(measured: Service) -> None:
    house = warehouse(measured)
    rows = pa.table({"id": ["a"], "truth": [1.0], "words": ["one"]})
    house.load(house.name("truth"), rows)
    for labels, said in UNJOINABLE:
        with pytest.raises(AirflowFailException, match=said):
            run(declared(measured, **labels))


def test_labels_that_cannot_be_queried_are_told_in_bigquery_s_words(measured: Service) -> None:
    house = warehouse(measured)
    house.publish(predicted(FIRST, "v1", a=7.0))
    house.load(house.name("gone"), pa.table({"id": ["a"], "truth": [1.0]}))
    view = f"CREATE VIEW `{house.name('truth')}` AS SELECT * FROM `{house.name('gone')}`"
    house.client.query(view).result()
    house.client.delete_table(house.name("gone"))
    said = refusal(measured)
    assert "labels and predictions cannot be joined: " in said
    assert "gone" in said
    assert "Remedy: see that the labels can be queried as they are" in said


def test_before_anything_is_published_there_is_nothing_to_measure(measured: Service) -> None:
    warehouse(measured).label({"a": 1.0})
    with pytest.raises(AirflowSkipException, match="nothing was published yet"):
        run(measured)


def test_label_files_are_loaded_and_measured(measured: Service) -> None:
    service = declared(measured, files="truth/*.csv")
    house = warehouse(service)
    house.publish(predicted(FIRST, "v1", a=7.0, b=8.0, c=9.0))
    folder = f"gs://{service.environment.buckets.input}/truth/"
    with pytest.raises(AirflowSkipException, match=r"no file of gs://.*/truth/"):
        run(service, LoadLabelsOperator)
    service.objects.put(f"{folder}one.csv", b"seen,id,truth\nx,a,6\nx,b,\n")
    service.objects.put(f"{folder}two.csv", b"truth,id\n7,c\n")
    service.objects.put(f"{folder}notes.txt", b"no labels")
    assert run(service, LoadLabelsOperator) == 3
    assert run(service, LoadLabelsOperator) == 3, "anew, not once more"
    run(service)
    [row] = house.quality()
    assert (row["labelled"], row["unlabelled"]) == (2, 1)
    assert row["value"] == pytest.approx(np.sqrt(2.5))
