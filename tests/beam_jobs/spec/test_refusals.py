"""A wrong spec names file, field, value and remedy, and leaves the others alone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from beam_jobs.spec import SpecError, load_environment, load_service, load_services

GOOD: dict[str, Any] = {
    "service": "births",
    "input": {
        "path": "births/{score_date}/",
        "format": {"type": "csv"},
        "key": "id",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "age", "type": "integer", "range": [10, 60]},
        ],
    },
    "model": {"outputs": [{"name": "weight"}]},
    "schedule": {"cron": "0 2 * * *", "start": "2026-01-01"},
}


def write(folder: Path, spec: dict[str, Any] | str, name: str = "births") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(spec if isinstance(spec, str) else yaml.safe_dump(spec))
    return path


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good spec with one value set; a key of None is removed."""
    spec: Any = copy.deepcopy(GOOD)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target = spec
    for part in parents:
        target = target.setdefault(part, {}) if isinstance(target, dict) else target[part]
    if value is None:
        del target[last]
    elif isinstance(target, list):
        target.append(value)
    else:
        target[last] = value
    return spec


def test_a_good_spec_is_read(tmp_path: Path) -> None:
    spec = load_service(write(tmp_path, GOOD))
    assert spec.service == "births"
    assert [field.required for field in spec.input.fields] == [True, True]
    assert spec.input.fields[1].range == (10, 60)


@pytest.mark.parametrize(
    ("path", "value", "field", "message", "remedy"),
    [
        ("modle", {}, "modle", "not a known key", "did you mean 'model'?"),
        ("input.fields.1.rnage", [1, 2], "input.fields[1].rnage", "not a known key", "'range'"),
        ("input.format.type", "xml", "input.format", "xml", "a value that fits"),
        ("input.format.delimiter", ",,", "input.format.csv", "not one ASCII", "one character"),
        ("input.format.quote", ",", "input.format.csv", "the same", "choose two"),
        ("input.path", "births/", "input", "same folder", "put {score_date} into the path"),
        ("input.key", "nobody", "input", "key 'nobody' is no field", "name one of id, age"),
        ("input.fields.2", {"name": "id", "type": "date"}, "input", "twice", "drop or rename"),
        ("input.fields.2", {"name": "ID", "type": "date"}, "input", "twice", "drop or rename"),
        ("input.fields.1.name", "a-b", "input.fields[1].name", "'a-b'", "use letters"),
        ("input.fields.1.name", "run_key", "input.fields[1].name", "adds itself", "rename it"),
        ("input.fields.1.type", "int", "input.fields[1].type", "'integer'", "a value that fits"),
        ("input.fields.1.range", [9, 1], "input.fields[1]", "9.0 is above 1.0", "swap"),
        ("input.fields.1.range", [float("nan"), 1], "input.fields[1].range", "finite", "fits"),
        ("model.outputs.0.range", [9, 1], "model.outputs[0].range", "9.0 is above 1.0", "swap"),
        ("input.fields.0.range", [1, 2], "input.fields[0]", "'id' is a string", "drop the range"),
        ("input.fields.1.pattern", "a", "input.fields[1]", "is a integer", "drop the pattern"),
        ("input.fields.0.pattern", "(", "input.fields[0]", "regular expression", "mend the"),
        ("input.fields.0.pattern", "a(?!b)", "input.fields[0]", "'(?!'", "without look-around"),
        ("input.fields.0.pattern", r"(a)\1", "input.fields[0]", r"\1", "back-references"),
        ("input.fields.1.default", "x", "input.fields[1]", "'x' is not a integer", "write a"),
        ("input.fields.1.allowed", [1, 2.5], "input.fields[1]", "2.5 is not a integer", "write a"),
        (
            "input.fields.2",
            {"name": "day", "type": "date", "default": "soon"},
            "input.fields[2]",
            "'soon' is not a date",
            "in ISO form",
        ),
        ("model.outputs", [{"name": "Age"}], "", "which is an input field", "predicted_Age"),
        ("schedule.cron", "*/5 * * * *", "schedule.cron", "more than once a day", "one minute"),
        ("schedule.cron", "0 2,14 * * *", "schedule.cron", "more than once", "one hour"),
        ("schedule.cron", "@daily", "schedule.cron", "five fields", "minute hour day"),
        ("schedule.cron", "0 2 99 * *", "schedule.cron", "out of range", "day (1-31)"),
        ("schedule.cron", "0 2 31 2 *", "schedule.cron", "never fires", "day (1-31)"),
        ("schedule.cron", "0 2 * * someday", "schedule.cron", "never fires", "weekday"),
        ("schedule.deadline_minutes", float("inf"), "schedule.deadline", "527040", "fits"),
        ("schedule.timezone", "America", "schedule.timezone", "not a timezone", "IANA"),
        ("schedule.timezone", "Mars/Base", "schedule.timezone", "not a timezone", "IANA"),
        ("schedule.start", None, "schedule.start", "is missing", "add it"),
        ("audit.max_dead_ratio", 2, "audit.max_dead_ratio", "less than or equal to 1", "fits"),
        ("job.split_bytes", 10, "job.split_bytes", "65536", "fits"),
        ("owner", "o" * 101, "owner", "100 characters", "fits"),
        ("service", "Births", "service", "'Births' is not a service name", "lower-case"),
    ],
)
def test_a_refusal_names_file_field_value_and_remedy(
    tmp_path: Path, path: str, value: Any, field: str, message: str, remedy: str
) -> None:
    file = write(tmp_path, changed(path, value))
    with pytest.raises(SpecError) as raised:
        load_service(file)
    [problem] = raised.value.problems
    assert raised.value.file == str(file)
    assert str(file) in str(raised.value)
    assert problem.field.startswith(field)
    assert message in str(problem)
    assert remedy in problem.remedy
    assert f"Remedy: {problem.remedy}" in str(raised.value)


STREAMING = {"topic": "requests", "subscription": "requests-sub"}


@pytest.mark.parametrize(
    ("section", "values", "message", "remedy"),
    [
        ("", {"state": "stopped"}, "'suspended'", "fits"),
        ("upgrade", {"strategy": "restart"}, "'parallel'", "fits"),
        ("upgrade", {"generation": 0}, "greater than or equal to 1", "fits"),
        (
            "upgrade",
            {"strategy": "parallel", "transform_names": {"Old": "New"}},
            "no job takes over the steps of another",
            "drop transform_names",
        ),
        (
            "upgrade",
            {"transform_names": {"Predict": "Predict"}},
            "renames 'Predict' to 'Predict'",
            "the old name of the step",
        ),
        (
            "upgrade",
            {"transform_names": {"A": "C", "B": "C"}},
            "two steps to 'C'",
            "a name of its own",
        ),
        ("drain", {"after_deadline": "cancel"}, "'cancel_and_seek'", "fits"),
        ("drain", {"seek_margin_seconds": 0}, "greater than 0", "fits"),
        (
            "health",
            {"window_seconds": 300, "stabilisation_seconds": 200},
            "stabilisation_seconds 200 is shorter than window_seconds 300",
            "lengthen stabilisation_seconds",
        ),
        ("health", {"most_dead_share": 5}, "less than or equal to 1", "fits"),
        (
            "restarts",
            {"longest_wait_seconds": 10},
            "longest_wait_seconds 10 is shorter than first_wait_seconds 30",
            "lengthen longest_wait_seconds",
        ),
        ("restarts", {"most": -1}, "greater than or equal to 0", "fits"),
    ],
)
def test_a_lifecycle_that_contradicts_itself_is_refused_with_the_remedy(
    tmp_path: Path, section: str, values: dict[str, Any], message: str, remedy: str
) -> None:
    lifecycle = {section: values} if section else values
    file = write(tmp_path, changed("streaming", {**STREAMING, "lifecycle": lifecycle}))
    with pytest.raises(SpecError) as raised:
        load_service(file)
    [problem] = raised.value.problems
    where = f"streaming.lifecycle.{section}" if section else "streaming.lifecycle.state"
    assert problem.field.startswith(where)
    assert message in str(problem)
    assert remedy in problem.remedy


def test_a_lifecycle_need_not_be_declared(tmp_path: Path) -> None:
    streaming = load_service(write(tmp_path, changed("streaming", STREAMING))).streaming
    assert streaming
    assert streaming.lifecycle.state == "running"
    assert streaming.lifecycle.upgrade.strategy == "update"


def test_steps_may_be_renamed_and_dropped_in_an_update(tmp_path: Path) -> None:
    names = {"Old": "New", "Gone": "", "Gone too": ""}
    lifecycle = {"upgrade": {"transform_names": names}}
    spec = changed("streaming", {**STREAMING, "lifecycle": lifecycle})
    streaming = load_service(write(tmp_path, spec)).streaming
    assert streaming
    assert streaming.lifecycle.upgrade.transform_names == names


def test_the_offending_value_is_shown_and_shortened(tmp_path: Path) -> None:
    file = write(tmp_path, changed("input.fields.1.type", "integer" * 100))
    with pytest.raises(SpecError) as raised:
        load_service(file)
    assert raised.value.problems[0].value.startswith("'integerinteger")
    assert len(raised.value.problems[0].value) <= 120


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    spec = changed("schedule.timezone", "Mars/Base")
    spec["model"]["outputs"] = []
    spec["extra"] = 1
    with pytest.raises(SpecError) as raised:
        load_service(write(tmp_path, spec))
    assert {problem.field for problem in raised.value.problems} == {
        "schedule.timezone",
        "model.outputs",
        "extra",
    }


def test_a_service_is_declared_in_a_file_of_its_name(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"deaths\.yaml: service: .*rename the file to births"):
        load_service(write(tmp_path, GOOD, "deaths"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no mapping"),
        ("- a\n", "holds no mapping"),
        ("a: [", "not readable as YAML"),
        ("service: a\nservice: b\n", "'service' is written twice"),
        ("start: 2026-02-30\n", "day is out of range for month"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=rf"births\.yaml: .*{message}"):
        load_service(write(tmp_path, text))


def test_a_broken_spec_leaves_the_others_standing(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, changed("input.key", "nobody") | {"service": "broken"}, "broken")
    write(tmp_path, "a: [", "garbled")
    services, errors = load_services(tmp_path)
    assert list(services) == ["births"]
    assert [Path(error.file).name for error in errors] == ["broken.yaml", "garbled.yaml"]


ENVIRONMENT = {
    "project": "${PROJECT}",
    "buckets": {"input": "i", "work": "w", "models": "m"},
    "bigquery": {"dataset": "d", "location": "US"},
    "dataflow": {"region": "us-central1"},
}


def test_an_environment_takes_variables(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, "prod")
    assert load_environment(tmp_path, "prod", {"PROJECT": "mine"}).project == "mine"


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, "prod")
    with pytest.raises(
        SpecError, match=r"stage\.yaml: .*'stage'.*set NIGHTSTREAM_ENV to one of: prod"
    ):
        load_environment(tmp_path, "stage", {})


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, "prod")
    with pytest.raises(SpecError, match=r"prod\.yaml: project: .*PROJECT is not set.*Remedy"):
        load_environment(tmp_path, "prod", {})


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"Team": "science"}, r"'Team' is no key .*Remedy: use at most 63 .* first a letter"),
        ({"1team": "science"}, "'1team' is no key"),
        ({"": "science"}, "'' is no key"),
        ({"t" * 64: "science"}, "is no key"),
        ({"team": "Data Science"}, r"'Data Science' is no value .*Remedy: use at most 63"),
        ({"team": "s" * 64}, "is no value"),
    ],
)
def test_a_label_that_dataflow_refuses_is_refused_at_parse(
    tmp_path: Path, labels: dict[str, str], message: str
) -> None:
    dataflow = {"region": "us-central1", "labels": labels}
    write(tmp_path, ENVIRONMENT | {"dataflow": dataflow}, "prod")

    with pytest.raises(SpecError, match=rf"prod\.yaml: dataflow\.labels.*{message}"):
        load_environment(tmp_path, "prod", {"PROJECT": "mine"})


def test_labels_that_dataflow_takes_stand(tmp_path: Path) -> None:
    labels = {"team": "data_science-2", "t" * 63: "2026", "empty": ""}
    dataflow = {"region": "us-central1", "labels": labels}
    write(tmp_path, ENVIRONMENT | {"dataflow": dataflow}, "prod")

    assert load_environment(tmp_path, "prod", {"PROJECT": "mine"}).dataflow.labels == labels


@pytest.mark.parametrize(
    ("airflow", "message"),
    [
        ({"alerts": [{"notifier": "slack"}]}, r"alerts\[0\]\.notifier: 'slack' is no import path"),
        ({"alerts": [{"notifier": "a.B", "argument": {}}]}, "did you mean 'arguments'"),
        ({"reconcile_seconds": 1}, r"reconcile_seconds: .*greater than or equal to 5"),
    ],
)
def test_rounds_and_alerts_that_cannot_be_are_refused_at_parse(
    tmp_path: Path, airflow: dict[str, object], message: str
) -> None:
    write(tmp_path, ENVIRONMENT | {"airflow": airflow}, "prod")

    with pytest.raises(SpecError, match=rf"prod\.yaml: airflow\..*{message}"):
        load_environment(tmp_path, "prod", {"PROJECT": "mine"})


def test_an_environment_that_names_no_notifier_has_its_alerts_in_the_log(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, "prod")

    [alerts] = load_environment(tmp_path, "prod", {"PROJECT": "mine"}).airflow.alerts

    assert alerts.notifier == "nightstream.notifiers.LogNotifier"


def test_the_declared_services_and_environments_are_good() -> None:
    dags = Path(__file__).parents[3] / "dags"
    services, errors = load_services(dags / "services")
    assert errors == []
    assert "babyweight" in services
    variables = {"NIGHTSTREAM_DATAFLOW_ENDPOINT": "http://localhost:1"}
    for path in (dags / "environments").glob("*.yaml"):
        assert load_environment(dags / "environments", path.stem, variables).project
