"""A spec that is made invalid while its job runs."""

from __future__ import annotations

import pytest

from nightstream.lifecycle.ledger import Outcome
from tests.end_to_end.lifecycle.conftest import NewService
from tests.support.lifecycle.stories import STORIES, serving

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(1_800)]


def test_the_job_goes_on_and_airflow_says_what_is_wrong_until_the_spec_is_mended(
    new_service: NewService,
) -> None:
    service = new_service("story_invalid")
    STORIES["upgraded"].prepare(service)
    with service.life() as life:
        STORIES["upgraded"].begin(service)
        job = serving(service, life)
        sound = service.spec_file.read_text()

        service.write(sound.replace("strategy: update", "strategy: by_hand"))
        said = service.eventually("waited for an import error", service.import_error)
        assert "story_invalid.yaml: streaming.lifecycle.upgrade.strategy" in said
        assert "(found 'by_hand'). Remedy:" in said
        failed = "nobody looks after it"
        service.eventually("waited for a round", lambda: service.logs.said("observe", failed))
        service.release("v2")
        service.await_request(life.load.await_next())
        assert life.watch.standing() == [job]

        service.write(sound)
        service.eventually("waited for no error", lambda: service.import_error() is None)
        service.await_outcome("v2", Outcome.STABLE)

    assert not service.account(life).dead
    updated, _ = life.watch.jobs
    assert (updated, updated.state) == (job, "UPDATED")
    assert service.logs.alerts() == []
