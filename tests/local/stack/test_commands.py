"""The commands behind the Makefile: what they print and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.stack.__main__ import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTSTREAM_HOME", str(tmp_path))
    return tmp_path


def test_status_of_a_stack_that_is_down_names_its_components_and_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["status"]) == 1
    shown = capsys.readouterr().out
    assert shown.count("stopped") == 8
    assert "triggerer" in shown


def test_down_where_nothing_runs_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down"]) == 0
    assert "Nothing was running" in capsys.readouterr().out


def test_logs_show_one_component(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "scheduler.log").write_text("the scheduler's line\n")
    (home / "logs" / "cloud.log").write_text("the cloud's line\n")
    assert main(["logs", "scheduler"]) == 0
    assert capsys.readouterr().out == "the scheduler's line\n"


def test_logs_of_an_unknown_component_name_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["logs", "webserver"]) == 1
    assert "api-server" in capsys.readouterr().out


def test_a_variable_that_is_wrong_is_an_error_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTSTREAM_AIRFLOW_PORT", "eighty")
    assert main(["up"]) == 1
    assert "NIGHTSTREAM_AIRFLOW_PORT=eighty is not a port" in capsys.readouterr().out
