"""Alerts: each notifier is called once, and knows what it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from beam_jobs.spec import NotifierSpec
from nightstream.alerts import Alert, night_is_late, send

ALERT = Alert("a drain hangs", "two\nlines", "weights", "warning")


def a_file(path: Path, text: str) -> NotifierSpec:
    arguments = {"path": str(path), "text": text}
    return NotifierSpec(notifier="tests.support.notifiers.FileNotifier", arguments=arguments)


def test_an_alert_is_one_error_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    send(ALERT, [NotifierSpec(notifier="nightstream.notifiers.LogNotifier")], {})

    [record] = caplog.records
    assert record.levelname == "ERROR"
    line = "NIGHTSTREAM ALERT warning weights: a drain hangs: two lines"
    assert record.getMessage() == line


def test_arguments_of_a_notifier_may_speak_of_the_alert_and_of_the_run(tmp_path: Path) -> None:
    file = tmp_path / "told"
    text = "{{ run }} {{ alert.service }} {{ alert.severity }} {{ alert.title }}"

    send(ALERT, [a_file(file, text), a_file(file, "again")], {"run": "manual__1"})

    assert file.read_text() == "manual__1 weights warning a drain hangs\nagain\n"


@pytest.mark.parametrize("name", ["tests.support.notifiers.BrokenNotifier", "nowhere.Notifier"])
def test_a_notifier_that_fails_is_logged_and_the_others_are_called(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    file = tmp_path / "told"

    send(ALERT, [NotifierSpec(notifier=name), a_file(file, "{{ alert.title }}")], {})

    assert file.read_text() == "a drain hangs\n"
    assert f"{name} could not be told: two" in caplog.text


def test_a_late_night_is_told_to_the_environment_s_notifiers(tmp_path: Path) -> None:
    file = tmp_path / "told"
    notifier = a_file(file, "{{ alert.severity }} {{ alert.title }}: {{ alert.text }}")
    context = {"dag_run": {"dag_run_id": "scheduled__1"}}

    night_is_late("weights", 240, [notifier.model_dump(mode="json")], context)

    assert file.read_text() == (
        "error NIGHT LATE: run scheduled__1 of weights was not done 240 minutes after it was "
        "queued. Remedy: see which of its tasks waits or fails in the grid of weights_batch\n"
    )
