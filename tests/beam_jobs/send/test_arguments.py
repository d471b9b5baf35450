"""The sender's command line says what fits together."""

from __future__ import annotations

import pytest

from beam_jobs.send.arguments import Arguments, parse_arguments
from beam_jobs.send.payloads import Format
from beam_jobs.send.sending import Waiting

WHERE = ("--topic", "requests", "--project", "p")


@pytest.fixture(autouse=True)
def no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)


def parsed(*options: str, file: str = "requests.csv") -> Arguments:
    return parse_arguments([*WHERE, "--file", file, *options])


def test_messages_hold_what_the_file_holds_unless_asked_otherwise() -> None:
    assert parsed().format is Format.CSV
    assert parsed("--format", "json").format is Format.JSON
    assert parsed(file="requests.JSONL").format is Format.JSON


def test_names_get_their_project() -> None:
    found = parsed("--wait", "--responses", "answers", "--timeout", "5")
    assert found.topic == "projects/p/topics/requests"
    assert found.waiting == Waiting("projects/p/topics/answers", 5)


def test_a_project_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "mine")
    arguments = ["--topic", "requests", "--file", "requests.csv"]
    assert parse_arguments(arguments).topic == "projects/mine/topics/requests"


def test_full_paths_are_taken_as_they_are() -> None:
    subscription = "projects/other/subscriptions/answers"
    found = parsed("--wait", "--responses", subscription)
    assert found.waiting == Waiting(subscription, 60)


def test_two_calls_send_other_requests_unless_their_prefix_is_given() -> None:
    assert parsed().id_prefix != parsed().id_prefix
    assert parsed("--id-prefix", "run1-").id_prefix == "run1-"
    assert parsed("--id-prefix", "").id_prefix == ""
    assert parsed("--no-ids").id_prefix is None


@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        ("requests.parquet", (), "must end in .csv, .json"),
        ("requests.json", ("--format", "csv"), "sent as JSON only"),
        ("requests.json", ("--no-header",), "--no-header is for CSV"),
        ("requests.csv", ("--format", "json", "--no-header"), "needs the header"),
        ("requests.json", ("--lines-per-message", "2"), "is one object"),
        ("requests.csv", ("--wait",), "--wait needs --responses"),
        ("requests.csv", ("--wait", "--responses", "a", "--no-ids"), "--wait needs ids"),
        ("requests.csv", ("--wait", "--responses", "a", "--lines-per-message", "2"), "one request"),
        ("requests.csv", ("--wait", "--responses", "topics/a"), "--responses topics/a"),
        ("requests.csv", ("--topic", "projects/p/subscriptions/s"), "--topic projects/p"),
        ("requests.csv", ("--rate", "0"), "positive number"),
        ("requests.csv", ("--rate", "inf"), "positive number"),
        ("requests.csv", ("--count", "-1"), "positive integer"),
        ("requests.csv", ("--count", "1", "--repeat", "2"), "not allowed with"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    file: str, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        parsed(*options, file=file)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_a_name_without_a_project_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--topic", "requests", "--file", "requests.csv"])
    assert "say --project" in capsys.readouterr().err
