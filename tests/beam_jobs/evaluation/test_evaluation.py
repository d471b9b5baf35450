"""Candidate and champion on the same held-out rows, from real files and real models."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from beam_jobs.evaluation.main import main
from beam_jobs.objects.files import FileObjects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.runs.plan import InputObject, ModelPin
from beam_jobs.runs.release import Evaluation, ReleasePlan
from tests.support.models import Moody, release
from tests.support.release_plans import HELD_OUT, a_plan

OBJECTS = FileObjects()


def pinned(models: Path, version: str, model: Moody) -> ModelPin:
    folder = models / "weights"
    manifest: ModelManifest = release(str(folder), version, OBJECTS, model=model)
    return ModelPin(
        uri=f"{folder}/{version}", version=version, kind=manifest.kind, sha256=manifest.sha256
    )


def planned(
    tmp_path: Path,
    candidate: Moody,
    champion: Moody | None = None,
    content: str = HELD_OUT,
    **pin: str,
) -> ReleasePlan:
    """A release whose models and rows lie in `tmp_path`; `pin` is what it says of the candidate
    instead."""
    held_out = tmp_path / "held_out.csv"
    held_out.write_text(content)
    info = OBJECTS.stat(str(held_out))
    assert info is not None
    before = pinned(tmp_path / "models", "v1", champion) if champion else None
    after = pinned(tmp_path / "models", "v2", candidate).model_copy(update=pin)
    changes = {
        "candidate": after,
        "champion": before,
        "held_out": InputObject(uri=info.uri, generation=info.generation, size=info.size),
        "root": str(tmp_path / "releases"),
    }
    plan = a_plan("v2", "v1").model_copy(update=changes)
    OBJECTS.put(plan.uri, plan.model_dump_json().encode())
    return plan


def evaluate(plan: ReleasePlan, models: Path) -> int:
    return main(["evaluate", f"--plan={plan.uri}", f"--models={models}"])


def read(plan: ReleasePlan) -> Evaluation:
    return Evaluation.model_validate_json(OBJECTS.read(plan.evaluation_uri))


def test_both_are_judged_by_the_rows_that_keep_the_contract_and_have_a_label(
    tmp_path: Path,
) -> None:
    plan = planned(tmp_path, Moody(per=5), Moody(per=4))
    assert evaluate(plan, tmp_path / "models") == 0
    found = read(plan)
    assert (found.rows, found.left_out, found.compared) == (3, 2, 3)
    assert found.champion is not None
    assert found.candidate.value == 0
    expected = math.sqrt(sum((weeks / 4 - weeks / 5) ** 2 for weeks in (40, 30, 20)) / 3)
    assert found.champion.value == pytest.approx(expected)
    assert found.key == plan.key


def test_rows_that_one_of_them_fails_on_are_counted_and_not_compared(tmp_path: Path) -> None:
    plan = planned(tmp_path, Moody(per=5, most=35), Moody(per=4))
    assert evaluate(plan, tmp_path / "models") == 0
    found = read(plan)
    assert found.champion is not None
    assert (found.compared, found.candidate.failed, found.champion.failed) == (2, 1, 0)


def test_the_same_release_is_evaluated_once(tmp_path: Path) -> None:
    plan = planned(tmp_path, Moody())
    assert evaluate(plan, tmp_path / "models") == 0
    OBJECTS.put(plan.evaluation_uri, b"the first one")
    assert evaluate(plan, tmp_path / "models") == 0
    assert OBJECTS.read(plan.evaluation_uri) == b"the first one"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,weeks,truth\na,40,\n", "none of which keeps the contract and has a truth"),
        ("id,days,truth\na,280,8\n", "lacks the required column 'weeks'"),
        ("id,weeks,truth\na,-1,8\n", "that v2 give a number for"),
    ],
)
def test_rows_that_prove_nothing_are_refused_with_the_remedy(
    tmp_path: Path, content: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(tmp_path, Moody(), content=content)
    assert evaluate(plan, tmp_path / "models") == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Remedy" in error
    assert OBJECTS.stat(plan.evaluation_uri) is None


class Marking(Moody):
    """Leaves a trace wherever it is unpickled."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize(
    ("elsewhere", "pin", "said"),
    [
        ("other", {}, "does not lie below"),
        ("models", {"sha256": "0" * 64}, "was not opened"),
    ],
)
def test_a_pickle_of_another_place_or_checksum_is_never_opened(
    tmp_path: Path,
    elsewhere: str,
    pin: dict[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mark = tmp_path / "opened"
    plan = planned(tmp_path, Marking(mark), **pin)
    assert evaluate(plan, tmp_path / elsewhere) == 2
    assert said in capsys.readouterr().err
    assert not mark.exists()


def test_the_evaluation_imports_neither_beam_nor_airflow() -> None:
    code = (
        "import sys, beam_jobs.evaluation.main as _\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('apache_beam', 'airflow')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
