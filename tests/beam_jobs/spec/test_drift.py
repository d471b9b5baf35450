"""What a spec may say of drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from beam_jobs.spec import SpecError, load_service
from beam_jobs.spec.drift import DriftSpec
from tests.support.specs import a_service


def refusal(folder: Path, drift: dict[str, Any]) -> str:
    spec = a_service().model_dump(mode="json", exclude_defaults=True) | {"drift": drift}
    path = folder / "weights.yaml"
    path.write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError) as error:
        load_service(path)
    return str(error.value)


def test_a_service_that_says_nothing_of_drift_has_no_limits() -> None:
    assert a_service().drift == DriftSpec()
    assert a_service().drift.reference.psi is None
    assert a_service().drift.trailing_nights == 7


@pytest.mark.parametrize(
    ("drift", "field", "said"),
    [
        (
            {"reference": {"psi": {"warn": 0.3, "stop": 0.2}}},
            "drift.reference.psi",
            "warn is 0.3, but stop 0.2",
        ),
        ({"trailing": {"js": {"warn": 1.5}}}, "drift.trailing.js", "at most 1"),
        ({"null_rate": {"stop": 5}}, "drift.null_rate", "write a number from 0 to 1"),
        ({"reference": {"psi": {"stop": -1}}}, "drift.reference.psi.stop", "equal to 0"),
        ({"columns": {"weekz": {}}}, "", "'weekz', which is neither a feature nor an output"),
        ({"columns": {"id": {}}}, "", "'id', which is only passed through"),
        (
            {"columns": {"weeks": {"unseen_rate": {"warn": 0.2, "stop": 0.1}}}},
            "drift.columns.weeks.unseen_rate",
            "let warn be at most stop",
        ),
        ({"trailing_nights": 0}, "drift.trailing_nights", "equal to 1"),
        ({"references": {}}, "drift.references", "did you mean 'reference'?"),
        ({"live": {"hours": 0}}, "drift.live.hours", "equal to 1"),
    ],
)
def test_what_could_never_be_meant_is_refused_with_its_remedy(
    tmp_path: Path, drift: dict[str, Any], field: str, said: str
) -> None:
    message = refusal(tmp_path, drift)
    assert f"weights.yaml: {field}" in message
    assert said in message
    assert "Remedy: " in message
