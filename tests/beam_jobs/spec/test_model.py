"""A model runs in the workers or on an endpoint, and the spec says just one of the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from beam_jobs.spec import SpecError, load_service
from tests.support.specs import a_service


def problem(folder: Path, **model: Any) -> str:
    """What loading says of a service with those keys in its model section."""
    spec = a_service().model_dump(mode="json", exclude_none=True)
    spec["model"] |= model
    file = folder / "weights.yaml"
    file.write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError) as refused:
        load_service(file)
    return str(refused.value)


def test_a_model_runs_in_the_workers_unless_told_otherwise() -> None:
    assert a_service().model.kind == "in_worker"


def test_an_endpoint_takes_requests_as_large_as_vertex_ai_does() -> None:
    model = {"kind": "vertex_endpoint", "endpoint": {"name": "weights"}}
    endpoint = a_service(model=model).model.endpoint
    assert endpoint is not None
    assert endpoint.most_bytes == 1_500_000


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"kind": "vertex_endpoint"}, "Remedy: name the endpoint"),
        ({"endpoint": {"name": "weights"}}, "Remedy: set model.kind: vertex_endpoint, or drop"),
        ({"kind": "vertex_endpoint", "endpoint": {"name": "a/b"}}, "Remedy: write the number"),
        ({"kind": "vertex_endpoint", "endpoint": {"name": "w", "most_bytes": 2_000_000}}, "most_b"),
        ({"kind": "vertex_endpoint", "endpoint": {"name": "w", "retires": 3}}, "retires"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(
    tmp_path: Path, model: dict[str, Any], said: str
) -> None:
    assert said in problem(tmp_path, **model)


def test_no_output_may_be_called_as_the_column_of_the_deployed_model(tmp_path: Path) -> None:
    said = problem(tmp_path, outputs=[{"name": "deployed_model_id"}])
    assert "Nightstream adds itself" in said
