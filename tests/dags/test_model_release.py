"""The DAG that releases models: what it declares."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from tests.dags.conftest import add_service
from tests.support.release_plans import RELEASE

PROOF = ["candidate", "evaluate", "compare"]
ON_ENDPOINT = [*PROOF, "register", "deploy", "verify", "shift", "promote", "retire"]
OUTPUTS = [{"name": "weight", "type": "float"}]
ENDPOINT = {"kind": "vertex_endpoint", "endpoint": {"name": "heights"}}


def declared(dags: Path, **model: Any) -> DAG:
    add_service(dags, "heights", model={"outputs": OUTPUTS, "release": RELEASE, **model})
    bag = DagBag(dag_folder=str(dags / "model_release.py"))
    assert bag.import_errors == {}
    assert set(bag.dags) == {"heights_model"}, "weights declares no releases"
    return bag.dags["heights_model"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("model", "steps"),
    [
        ({}, [*PROOF, "promote"]),
        ({"source": "vertex_registry"}, [*PROOF, "register", "promote"]),
        (ENDPOINT, ON_ENDPOINT),
    ],
)
def test_a_release_has_the_steps_that_its_service_needs(
    dags: Path, model: dict[str, Any], steps: list[str]
) -> None:
    dag = declared(dags, **model)
    order = {task.task_id: task.downstream_task_ids - {"withdraw"} for task in dag.tasks}
    order.pop("withdraw", None)
    assert order == {
        **{step: {following} for step, following in itertools.pairwise(steps)},
        steps[-1]: set(),
    }


def test_where_a_step_at_the_endpoint_fails_the_candidate_is_withdrawn(dags: Path) -> None:
    withdraw = declared(dags, **ENDPOINT).get_task("withdraw")
    assert withdraw.trigger_rule == "one_failed"
    assert withdraw.upstream_task_ids == {"deploy", "verify", "shift", "promote"}
    assert withdraw.downstream_task_ids == set()


def test_releases_are_asked_for_by_people_and_follow_one_another(dags: Path) -> None:
    dag = declared(dags, **ENDPOINT)
    assert dag.schedule is None
    assert dag.max_active_runs == 1
    assert {task.owner for task in dag.tasks} == {"data"}
    assert {task.retries for task in dag.tasks} == {2}


def test_the_form_releases_the_newest_version_unless_told_otherwise(dags: Path) -> None:
    dag = declared(dags)
    assert dag.params.validate() == {"action": "release", "model_version": None}
    action, version = (dag.params.get_param(name) for name in ("action", "model_version"))
    assert action.resolve("roll_back") == "roll_back"
    assert version.resolve("v2") == "v2"
    for param, refused in ((action, "promote"), (version, "../v1")):
        with pytest.raises(ParamValidationError):
            param.resolve(refused)


def test_it_says_what_a_candidate_has_to_prove(dags: Path) -> None:
    page = declared(dags, **ENDPOINT).doc_md
    for said in (
        "| Compared by | rmse of `weight` with `truth` |",
        "| Held-out rows | `gs://input/weights/held_out.csv` |",
        "| Accepted if | not worse than the champion by more than 0 |",
        "| Endpoint | `heights`: 50 % of the traffic until verified, then all;",
    ):
        assert said in page


def test_it_survives_being_stored(dags: Path) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(declared(dags, **ENDPOINT)))
    assert [*stored.task_ids] == [*ON_ENDPOINT, "withdraw"]
