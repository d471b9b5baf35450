"""What a team sees of a release: a better version becomes the champion, a worse one does not."""

from __future__ import annotations

import sys

import pytest

from beam_jobs.prediction.aliases import read_alias
from beam_jobs.prediction.versions import set_alias
from examples.babyweight.held_out import NAME, held_out_file
from tests.support.stack_nights import MODELS, StackNights

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture
def releases(nights: StackNights) -> StackNights:
    """The DAG that releases versions, and a champion that has learned from 40 births only."""
    nights.objects.put(f"gs://nightstream-input/{NAME}", held_out_file())
    command = ["-m", "examples.babyweight.train", "--models", MODELS, "--version", "hasty"]
    trained = nights.stack.run(sys.executable, *command, "--births", "40")
    assert trained.returncode == 0, trained.stderr
    set_alias(MODELS, "champion", "hasty", nights.objects)
    return nights.switched_on("babyweight_model")


def test_the_better_version_is_promoted_and_the_worse_one_refused_with_its_figures(
    releases: StackNights,
) -> None:
    better = releases.airflow.trigger("babyweight_model", {"model_version": "v1"})
    assert releases.finished(better) == ["success"]
    assert read_alias(MODELS, "champion", releases.objects).version == "v1"

    worse = releases.airflow.trigger("babyweight_model", {"model_version": "hasty"})
    assert releases.finished(worse) == ["failed"]
    assert releases.task_states(worse)["compare"] == "failed"
    refusal = releases.log(worse, "compare")
    assert "REFUSED" in refusal
    assert "rmse" in refusal
    assert read_alias(MODELS, "champion", releases.objects).version == "v1"
