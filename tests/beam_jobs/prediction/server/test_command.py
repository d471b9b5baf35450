"""`predict` on the command line, and what the commands do not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from beam_jobs.prediction.server.main import main
from tests.support.local_cloud import ROOT

GOOD = {"is_male": "True", "mother_age": 30, "plurality": "Single(1)", "gestation_weeks": 39.0}


def predict(folder: str, path: Path, *instances: object) -> int:
    path.write_text(json.dumps({"instances": instances}))
    return main(["predict", "--model", folder, "--instances", str(path)])


def test_a_file_is_answered_as_a_request_is(
    sklearn_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(sklearn_folder, tmp_path / "file.json", GOOD, GOOD) == 0
    answer = json.loads(capsys.readouterr().out)
    first, second = answer["predictions"]
    assert first == second
    assert 6 < first["predicted_weight_pounds"] < 9
    assert answer["model"]["version"] == "v1"


def test_bad_instances_are_told_and_end_in_exit_code_1(
    sklearn_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(sklearn_folder, tmp_path / "file.json", GOOD, {**GOOD, "mother_age": "x"}) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("instances[1].mother_age: the string 'x' is no float. Remedy: ")


def test_a_folder_without_a_model_or_a_missing_file_is_told(
    sklearn_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(str(tmp_path), tmp_path / "file.json", GOOD) == 1
    assert "model.json does not exist. Remedy: " in capsys.readouterr().err
    missing = str(tmp_path / "missing.json")
    assert main(["predict", "--model", sklearn_folder, "--instances", missing]) == 1
    assert "missing.json" in capsys.readouterr().err


def test_the_server_needs_neither_beam_nor_airflow(sklearn_folder: str, tmp_path: Path) -> None:
    request = tmp_path / "file.json"
    request.write_text(json.dumps({"instances": [GOOD]}))
    program = (
        "import sys; from beam_jobs.prediction.server.main import main; "
        f"assert main(['predict', '--model', {sklearn_folder!r}, "
        f"'--instances', {str(request)!r}]) == 0; "
        "assert not {'apache_beam', 'airflow'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
