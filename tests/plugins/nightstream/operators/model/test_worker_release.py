"""A version on its way to the champion of a service whose workers run the model."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from beam_jobs.prediction.versions import set_alias
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.release_plans import released_service
from tests.support.releases import Releases


@pytest.fixture
def releases(service: Service) -> Releases:
    """Version v1 is there, and nothing has been released."""
    found = Releases(service.environment, service.objects, released_service())
    found.upload("v1", per=5.5)
    return found


@pytest.fixture
def released(releases: Releases) -> Releases:
    """v1 is the champion."""
    run = releases.run()
    releases.evaluate(run)
    releases.finish(run, "compare", "promote")
    return releases


def test_the_evaluation_is_a_process_of_its_own_and_the_first_version_needs_to_beat_nobody(
    releases: Releases,
) -> None:
    run = releases.run()
    figures = releases.finish(run, "candidate", "evaluate")
    assert figures["rows"] == 3
    assert figures["champion"] is None
    assert "there is no champion yet" in releases.finish(run, "compare")
    releases.finish(run, "promote")
    assert releases.champion == "v1"


def test_a_better_version_becomes_the_champion_and_is_there_once_however_often_it_is_tried(
    released: Releases,
) -> None:
    released.upload("v2")
    run = released.run()
    released.evaluate(run)
    released.finish(run, "evaluate", "compare", "promote")
    assert released.champion == "v2"
    before = released.champions
    assert [(c.version, c.previous) for c in before.crowned] == [("v1", None), ("v2", "v1")]
    released.finish(run, "promote")
    assert released.champions == before
    with pytest.raises(AirflowSkipException, match="v2 is the champion already"):
        released.finish(released.run(), "candidate")


def test_a_worse_version_is_refused_with_the_figures_and_the_champion_stays(
    released: Releases,
) -> None:
    released.upload("v2", per=4)
    run = released.run()
    released.evaluate(run)
    with pytest.raises(AirflowFailException, match=r"REFUSED: rmse over 3 of 3 .*worse by"):
        released.finish(run, "compare")
    assert released.champion == "v1"


def test_killed_between_alias_and_ledger_a_promotion_is_finished_by_the_next_try(
    released: Releases,
) -> None:
    released.upload("v2")
    run = released.run()
    released.evaluate(run)
    set_alias(released.models, "champion", "v2", released.objects)
    released.finish(run, "promote")
    assert released.champions.before("v2") == "v1"


def test_an_alias_that_somebody_moved_meanwhile_is_left_alone(released: Releases) -> None:
    released.upload("v2")
    released.upload("v3", per=4)
    run = released.run(model_version="v2")
    released.evaluate(run)
    set_alias(released.models, "champion", "v3", released.objects)
    with pytest.raises(AirflowFailException, match=r"names v3 by now.*Remedy"):
        released.finish(run, "promote")
    assert released.champion == "v3"
    assert released.champions.before("v2") is None


def test_one_click_goes_back_and_the_version_gone_back_from_is_no_candidate_by_chance(
    released: Releases,
) -> None:
    released.upload("v2")
    run = released.run()
    released.evaluate(run)
    released.finish(run, "promote")

    released.finish(released.run(action="roll_back"), "candidate", "evaluate", "compare", "promote")

    assert released.champion == "v1"
    with pytest.raises(AirflowFailException, match=r"rolled back from it.*Remedy"):
        released.finish(released.run(), "candidate")
    with pytest.raises(AirflowFailException, match=r"not known which champion.*Remedy"):
        released.finish(released.run(action="roll_back"), "candidate")


def test_what_is_no_sound_version_is_refused_before_anything_is_opened(
    releases: Releases,
) -> None:
    objects, models = releases.objects, releases.models
    with pytest.raises(AirflowFailException, match=r"'v9'.*Remedy"):
        releases.finish(releases.run(model_version="v9"), "candidate")
    objects.put(f"{models}/v1/model.joblib", b"another artifact")
    with pytest.raises(AirflowFailException, match=r"is not the model that was released"):
        releases.finish(releases.run(), "candidate")
    releases.spec = released_service({"outputs": [{"name": "height"}]})
    with pytest.raises(AirflowFailException, match=r"lacks the model's output 'weight'"):
        releases.finish(releases.run(), "candidate")


def test_without_held_out_rows_nothing_is_released(releases: Releases) -> None:
    releases.spec = released_service(held_out={"path": "nowhere.csv", "label": "truth"})
    with pytest.raises(AirflowFailException, match=r"nowhere.csv does not exist. Remedy"):
        releases.finish(releases.run(), "candidate")


def test_a_spec_that_names_a_version_itself_has_no_alias_to_move(releases: Releases) -> None:
    releases.spec = released_service({"version": "v1"})
    with pytest.raises(AirflowFailException, match=r"set model.version to an alias"):
        releases.finish(releases.run(), "candidate")


def test_the_ledger_says_when_and_by_which_release(released: Releases) -> None:
    (crowned,) = released.champions.crowned
    assert crowned.at <= datetime.now(UTC)
    assert released.objects.stat(f"{released.root}/{crowned.release}/plan.json")
