"""What the job refuses, what it survives, and what it says."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.code import code_version
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest
from examples.babyweight.births import FEATURES, TARGET, load_births
from examples.babyweight.nights import HEADER
from tests.support.scored_night import NightFolder, run

ROW = b"7.5,True,30,Single(1),39,one\n"


def write_rows(night: NightFolder, rows: bytes = ROW, name: str = "a.csv") -> Path:
    return night.write(name, HEADER.encode() + b"\n" + rows)


def test_a_missing_column_fails_the_run_and_names_file_and_column(night: NightFolder) -> None:
    path = night.write("a.csv", b"weight_pounds,is_male,plurality,gestation_weeks,key\n")
    plan = night.plan()

    with pytest.raises(Exception, match="mother_age") as failure:
        run(plan)

    assert str(path) in str(failure.value)
    assert not Path(RunLayout(plan.root, plan.run_key).attempt(1).manifest).exists()


def test_an_object_overwritten_since_the_plan_fails_the_run_and_is_named(
    night: NightFolder,
) -> None:
    path = write_rows(night)
    plan = night.plan()
    write_rows(night, ROW * 2)
    os.utime(path, ns=(0, plan.inputs[0].generation + 1))

    with pytest.raises(Exception, match=f"{path} changed since the run was resolved"):
        run(plan)


def test_workers_of_another_release_fail_the_run_and_both_versions_are_named(
    night: NightFolder,
) -> None:
    write_rows(night)
    plan = night.plan().model_copy(update={"code_version": "0123456789ab"})

    with pytest.raises(Exception, match=f"version 0123456789ab, here runs {code_version()}"):
        run(plan)

    assert not Path(RunLayout(plan.root, plan.run_key).attempt(1).manifest).exists()


def test_an_artifact_of_another_checksum_is_not_opened(night: NightFolder) -> None:
    write_rows(night)
    plan = night.plan()
    (night.model_folder / "model.joblib").write_bytes(b"another model")

    with pytest.raises(Exception, match=r"model\.joblib has sha256 \w+, pinned is"):
        run(plan)


def test_a_model_replaced_since_the_plan_is_refused_before_anything_runs(
    night: NightFolder,
) -> None:
    write_rows(night)
    plan = night.plan()
    changed = night.trained[0].model_copy(update={"sha256": "0" * 64})
    (night.model_folder / "model.json").write_text(changed.model_dump_json())

    with pytest.raises(ModelError, match="changed since the run was resolved"):
        run(plan)


def test_a_model_of_other_columns_is_refused_before_anything_runs(night: NightFolder) -> None:
    write_rows(night)
    spec = {"outputs": [{"name": "ounces", "type": "float"}]}

    with pytest.raises(ModelError, match="ounces"):
        night.score(model=spec)


def test_a_row_that_the_model_refuses_is_a_dead_letter(night: NightFolder) -> None:
    births = load_births()
    columns = ["plurality"]
    strict = make_pipeline(
        ColumnTransformer([("known", OneHotEncoder(handle_unknown="error"), columns)]), Ridge()
    ).fit(births[FEATURES], births[TARGET])
    artifact = _dumped(strict)
    picky = NightFolder(night.root, (_described_as(night, artifact), artifact))
    write_rows(picky, ROW + b"7.5,True,30,Quintuplets(5),30,two\n" + ROW)

    scored = picky.score()

    (dead,) = scored.dead_letters.to_dict("records")
    assert (dead["stage"], dead["error_code"]) == ("predict", "prediction_failed")
    assert dead["payload"] == b"7.5,True,30,Quintuplets(5),30,two"
    assert dead["source_position"] == len(HEADER) + 1 + len(ROW)
    assert "Quintuplets(5)" in dead["error_message"]
    assert scored.predictions["source_position"].tolist() == [
        len(HEADER) + 1,
        len(HEADER) + 1 + len(ROW) + len(dead["payload"]) + 1,
    ]
    assert (scored.manifest.rows_in, scored.manifest.rows_dead) == (3, 1)


def test_a_manifest_that_is_there_stands(night: NightFolder) -> None:
    write_rows(night)
    plan = night.plan()

    first, second = run(plan), run(plan)

    assert second.manifest == first.manifest
    assert run(plan, attempt=2).manifest.attempt == 2


def test_the_manifest_of_other_work_in_the_attempts_folder_fails_the_job(
    night: NightFolder,
) -> None:
    write_rows(night)
    scored = night.score()
    path = Path(RunLayout(scored.plan.root, scored.plan.run_key).attempt(1).manifest)
    other = scored.manifest.model_copy(update={"run_key": "f" * 40})
    path.write_text(other.model_dump_json())

    with pytest.raises(Exception, match="Remedy: start another attempt"):
        run(scored.plan)

    assert RunManifest.model_validate_json(path.read_text()) == other


def _dumped(model: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _described_as(night: NightFolder, artifact: bytes) -> Any:
    digest = hashlib.sha256(artifact).hexdigest()
    return night.trained[0].model_copy(update={"sha256": digest})
