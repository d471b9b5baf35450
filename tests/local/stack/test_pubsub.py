"""The Pub/Sub emulator as a part of the stack, and a stack where it is not installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from rich.console import Console

from local.stack import Stack, StackError
from local.stack.__main__ import main
from local.stack.cloud_sdk import sdk_folder
from local.stack.environment import shell_environment
from local.stack.report import Lines
from tests.support.patience import PATIENCE_S
from tests.support.stack import kill, stack_in

PUBSUB = ("pubsub",)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Stack]:
    stack = stack_in(tmp_path / "home")
    yield stack
    stack.down()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def subscriptions(stack: Stack) -> set[str]:
    project = f"http://{stack.settings.pubsub_host}/v1/projects/{stack.settings.names.project}"
    found = requests.get(f"{project}/subscriptions", timeout=PATIENCE_S).json()
    return {subscription["name"] for subscription in found.get("subscriptions", ())}


def state(stack: Stack) -> str:
    return next(status.state for status in stack.status() if status.name == "pubsub")


def test_up_gives_the_services_their_subscriptions_again_after_a_crash(small: Stack) -> None:
    expected = f"projects/{small.settings.names.project}/subscriptions/babyweight-scoring"
    small.up(PUBSUB)
    assert expected in subscriptions(small)
    kill(small, "pubsub")
    assert state(small) == "dead"
    small.up(PUBSUB)
    assert state(small) == "ready"
    assert expected in subscriptions(small)


def test_gcloud_and_python_talk_to_it(small: Stack) -> None:
    small.up(PUBSUB)
    listed = subprocess.run(
        ["gcloud", "pubsub", "topics", "list", "--format=value(name)"],
        env=shell_environment(small.settings, os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/topics/babyweight-requests\n" in listed.stdout
    assert small.env["PUBSUB_EMULATOR_HOST"] == small.settings.pubsub_host


@pytest.mark.usefixtures("programs")
def test_without_the_sdk_the_stack_comes_up_and_says_what_is_missing(
    small: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(small.settings, Lines(Console()))
    stack.components = tuple(c for c in stack.components if c.name in ("cloud", "pubsub"))
    stack.up()
    told = capsys.readouterr().out
    assert "Without pubsub: the Google Cloud SDK is not installed" in told
    assert {status.name: status.state for status in stack.status()} == {
        "cloud": "ready",
        "pubsub": "missing",
    }


@pytest.mark.usefixtures("programs")
def test_status_names_the_remedy_of_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTSTREAM_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "240")
    assert main(["status"]) == 1
    shown = capsys.readouterr().out
    assert "missing" in shown
    assert "`gcloud components install pubsub-emulator`" in shown


@pytest.mark.usefixtures("programs")
def test_what_is_asked_for_by_name_and_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="Google Cloud SDK is not installed"):
        stack_in(tmp_path / "home").up(PUBSUB)


def test_an_sdk_without_the_emulator_is_told_how_to_install_it(
    tmp_path: Path, programs: Path
) -> None:
    gcloud = tmp_path / "sdk" / "bin" / "gcloud"
    gcloud.parent.mkdir(parents=True)
    gcloud.touch(mode=0o755)
    (programs / "gcloud").symlink_to(gcloud)
    with pytest.raises(StackError, match="lacks the Pub/Sub emulator") as refusal:
        stack_in(tmp_path / "home").up(PUBSUB)
    assert "gcloud components install pubsub-emulator" in refusal.value.remedy
    assert "apt-get install google-cloud-cli-pubsub-emulator" in refusal.value.remedy


def test_an_emulator_without_java_is_told_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = sdk_folder()
    assert sdk is not None
    monkeypatch.setenv("PATH", str(sdk / "bin"))
    with pytest.raises(StackError, match="needs Java") as refusal:
        stack_in(tmp_path / "home").up(PUBSUB)
    assert "apt-get install openjdk-17-jre-headless" in refusal.value.remedy
