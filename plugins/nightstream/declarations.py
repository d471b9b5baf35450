"""The specs and the environment that a DAG file stands on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from beam_jobs.spec import (
    EnvironmentSpec,
    Problem,
    ServiceSpec,
    SpecError,
    load_environment,
    load_service,
    load_services,
)
from beam_jobs.spec.service import is_service_name

ENVIRONMENT_VARIABLE = "NIGHTSTREAM_ENV"


class BrokenSpecsError(Exception):
    """Specs that cannot be read; their services have no DAG, all others have theirs."""

    def __init__(self, errors: list[SpecError]) -> None:
        services = ", ".join(Path(error.file).stem for error in errors)
        details = "\n".join(str(error) for error in errors)
        super().__init__(f"no DAG for: {services}\n{details}")


def declared_environment(dags: Path, variables: Mapping[str, str] = os.environ) -> EnvironmentSpec:
    """The environment named by NIGHTSTREAM_ENV, from `environments/` of the DAGs folder.

    Raises SpecError, also where the variable is not set.
    """
    folder = dags / "environments"
    name = variables.get(ENVIRONMENT_VARIABLE)
    if not name:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none"
        problem = Problem(
            "",
            "",
            f"the environment variable {ENVIRONMENT_VARIABLE} is not set",
            f"set it, for Airflow's processes too, to one of: {known}",
        )
        raise SpecError(str(folder), [problem])
    return load_environment(folder, name, variables)


def declared_services(dags: Path, dag_id: str | None, suffix: str) -> list[ServiceSpec]:
    """The services declared in `services/` of the DAGs folder, as far as they can be read.

    dag_id: the only DAG that is wanted, `<service><suffix>`, when a task of it is about to run;
        None for all.
    """
    folder = dags / "services"
    if dag_id is None:
        return list(load_services(folder)[0].values())
    if not dag_id.endswith(suffix):
        return []
    return [load_service(folder / f"{dag_id.removesuffix(suffix)}.yaml")]


def declared_streams(
    dags: Path, dag_id: str | None, suffix: str
) -> tuple[list[ServiceSpec], list[SpecError]]:
    """The services with a streaming job, and what is wrong with those of them whose spec cannot be
    read. Parameters as above."""
    if dag_id is None:
        found, errors = load_services(dags / "services")
        broken = [error for error in errors if _declares_a_stream(Path(error.file))]
        return [spec for spec in found.values() if spec.streaming], broken
    try:
        services = declared_services(dags, dag_id, suffix)
    except SpecError as error:
        return [], [error]
    return [spec for spec in services if spec.streaming], []


def _declares_a_stream(spec: Path) -> bool:
    """As far as can be told of a text that may be no YAML, in a file that may be no spec at all."""
    if not is_service_name(spec.stem):
        return False
    try:
        text = spec.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(re.search(r"^streaming:(?!\s*null\s*$)", text, re.MULTILINE))


def check_notifiers(dags: Path, variables: Mapping[str, str] = os.environ) -> None:
    """Raises SpecError with every notifier of the environment that cannot be called."""
    from nightstream.notifiers import notifier_problems

    environment = declared_environment(dags, variables)
    problems = list(notifier_problems(environment.airflow.alerts))
    if problems:
        file = dags / "environments" / f"{variables[ENVIRONMENT_VARIABLE]}.yaml"
        raise SpecError(str(file), problems)


def check_services(dags: Path) -> None:
    """Raises BrokenSpecsError with every problem of every spec that cannot be read."""
    errors = load_services(dags / "services")[1]
    if errors:
        raise BrokenSpecsError(errors)
