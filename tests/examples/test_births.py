"""The example's births: those that models learn from, and those that models are judged by."""

from __future__ import annotations

from pathlib import Path

from beam_jobs.evaluation.held_out import read_held_out
from beam_jobs.objects import open_objects
from beam_jobs.runs.plan import InputObject
from beam_jobs.spec import load_service
from examples.babyweight.births import births_of_2014, held_out_births, load_births, training_births
from examples.babyweight.held_out import NAME, held_out_file

SERVICE = Path(__file__).parents[2] / "dags" / "services" / "babyweight.yaml"


def test_no_model_learns_from_a_birth_that_it_is_judged_by() -> None:
    learned, judged = set(training_births()["key"]), set(held_out_births()["key"])

    assert not learned & judged
    assert learned | judged == set(load_births()["key"])
    assert (len(learned), len(judged)) == (1175, 274)


def test_the_births_of_2014_keep_the_contract() -> None:
    spec = load_service(SERVICE)
    births = births_of_2014()

    assert list(births.columns) == list(load_births().columns)
    for field in spec.input.features:
        low, high = field.range or (None, None)
        assert low is None or births[field.name].min() >= low
        assert high is None or births[field.name].max() <= high
        assert field.allowed is None or set(births[field.name]) <= set(field.allowed)
    assert births["key"].is_unique


def test_the_held_out_file_is_what_the_spec_names_and_every_row_of_it_proves_something(
    tmp_path: Path,
) -> None:
    spec = load_service(SERVICE)
    release = spec.model.release
    assert release is not None
    assert release.held_out.path == NAME
    file = str(tmp_path / "held_out.csv")
    objects = open_objects(file)
    objects.put(file, held_out_file())
    written = objects.stat(file)
    assert written is not None

    read = read_held_out(
        spec,
        release.held_out,
        InputObject(uri=file, generation=written.generation, size=written.size),
        objects,
    )

    assert len(read.labels) == read.rows.num_rows == 274
    assert read.left_out == 0
