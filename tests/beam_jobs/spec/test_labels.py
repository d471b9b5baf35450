"""What a spec may say of labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from beam_jobs.spec import SpecError, load_service
from tests.support.specs import a_service

LABELS = {"table": "warehouse.births", "label": "weighed", "metric": "rmse"}


def loaded(folder: Path, labels: dict[str, Any], outputs: list[dict[str, str]]) -> Any:
    spec = a_service(model={"outputs": outputs}).model_dump(mode="json", exclude_defaults=True)
    path = folder / "weights.yaml"
    path.write_text(yaml.safe_dump(spec | {"labels": labels}))
    return load_service(path).labels


ONE = [{"name": "weight", "type": "float"}]
TWO = [*ONE, {"name": "size", "type": "string"}]


def test_labels_come_for_thirty_days_unless_told_otherwise(tmp_path: Path) -> None:
    labels = loaded(tmp_path, LABELS, ONE)
    assert (labels.days, labels.key, labels.night, labels.output) == (30, None, None, None)
    assert loaded(tmp_path, LABELS | {"output": "weight"}, TWO).output == "weight"


@pytest.mark.parametrize("table", ["a.b", "project-1.data_set.table", "x.y.some-table"])
def test_a_table_may_lie_in_another_project(tmp_path: Path, table: str) -> None:
    assert loaded(tmp_path, LABELS | {"table": table}, ONE).table == table


@pytest.mark.parametrize(
    ("changes", "outputs", "said"),
    [
        ({"files": "truth/*.csv"}, ONE, "both table and files are given"),
        ({"table": None}, ONE, "neither table nor files is given"),
        ({"table": "births"}, ONE, "'births' names no table"),
        ({"table": "a.b`; DROP TABLE c"}, ONE, "names no table"),
        ({"table": None, "files": "gs://b/*.csv"}, ONE, "does not name CSV or Parquet files"),
        ({"table": None, "files": "truth/*"}, ONE, "does not name CSV or Parquet files"),
        ({"label": "a b"}, ONE, "'a b' is not a column name"),
        ({"metric": "accuracy"}, ONE, "labels.metric"),
        ({"days": 0}, ONE, "labels.days"),
        ({}, TWO, "the model has several outputs, and labels.output is missing"),
        ({"output": "size"}, TWO, "labels measure an output that is none, or has no numbers"),
        ({"output": "length"}, ONE, "labels measure an output that is none"),
    ],
)
def test_what_could_never_be_measured_is_refused_with_its_remedy(
    tmp_path: Path, changes: dict[str, Any], outputs: list[dict[str, str]], said: str
) -> None:
    with pytest.raises(SpecError) as error:
        loaded(tmp_path, LABELS | changes, outputs)
    assert said in str(error.value)
    assert "Remedy: " in str(error.value)
