"""Reads declarative files; every error names file, field, value and remedy."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from beam_jobs.spec.base import Declared, Refusal
from beam_jobs.spec.environment import EnvironmentSpec
from beam_jobs.spec.errors import Problem, SpecError
from beam_jobs.spec.service import ServiceSpec

_Yaml = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Spec = TypeVar("_Spec", bound=Declared)


class _UniqueKeys(_Yaml):  # type: ignore[misc, valid-type]
    """A YAML loader that refuses a key written twice, where YAML's own keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is written twice", node.start_mark
                )
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def load_service(path: Path) -> ServiceSpec:
    """The service declared in a file. Raises SpecError."""
    spec = _load(path, ServiceSpec, _read_yaml(path))
    if spec.service != path.stem:
        raise SpecError(
            str(path),
            [
                Problem(
                    "service",
                    repr(spec.service),
                    f"a service is declared in a file of its own name, this is {path.name}",
                    f"rename the file to {spec.service}.yaml, or the service to {path.stem}",
                )
            ],
        )
    return spec


def load_services(folder: Path) -> tuple[dict[str, ServiceSpec], list[SpecError]]:
    """All services of a folder by name, and the errors of those that cannot be read."""
    services: dict[str, ServiceSpec] = {}
    errors: list[SpecError] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            services[path.stem] = load_service(path)
        except SpecError as error:
            errors.append(error)
    return services, errors


def load_environment(
    folder: Path, name: str, variables: Mapping[str, str] = os.environ
) -> EnvironmentSpec:
    """The environment of that name. `${NAME}` in a value is taken from the variables."""
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise SpecError(
            str(path),
            [
                Problem(
                    "",
                    repr(name),
                    "there is no such environment",
                    f"set NIGHTSTREAM_ENV to one of: {known}; or write the file",
                )
            ],
        )
    return _load(path, EnvironmentSpec, _expand(_read_yaml(path), variables, path, ""))


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (yaml.YAMLError, ValueError, OSError) as error:  # ValueError: a day that is none
        raise SpecError(
            str(path), [Problem("", "", f"not readable as YAML: {error}", "mend the syntax")]
        ) from error


def _expand(value: Any, variables: Mapping[str, str], path: Path, where: str) -> Any:
    if isinstance(value, dict):
        return {k: _expand(v, variables, path, f"{where}.{k}".strip(".")) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, variables, path, f"{where}[{i}]") for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def lookup(match: re.Match[str]) -> str:
        name = match[1]
        if name not in variables:
            raise SpecError(
                str(path),
                [
                    Problem(
                        where,
                        repr(value),
                        f"the environment variable {name} is not set",
                        f"set {name} (the local stack's variables: `source .local/stack.env`)",
                    )
                ],
            )
        return variables[name]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", lookup, value)


def _load(path: Path, model: type[_Spec], data: Any) -> _Spec:
    if not isinstance(data, dict):
        found = "nothing" if data is None else type(data).__name__
        raise SpecError(
            str(path), [Problem("", found, "the file holds no mapping", "write key: value lines")]
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors()
        raise SpecError(
            str(path),
            [_problem(detail, model) for detail in details if not _follows(detail, details)],
        ) from error


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Whether a list is too short only because pydantic left out the items that are wrong."""
    loc = detail["loc"]
    items = (other["loc"] for other in details if len(other["loc"]) > len(loc))
    return detail["type"] == "too_short" and any(item[: len(loc)] == loc for item in items)


def _problem(detail: ErrorDetails, model: type[Declared]) -> Problem:
    refusal = detail.get("ctx", {}).get("error")
    kind = detail["type"]
    field, value = _field_path(detail["loc"]), _short(detail["input"])
    if isinstance(refusal, Refusal):
        return Problem(field, value, refusal.message, refusal.remedy)
    if kind == "missing":
        return Problem(field, "", "is missing", "add it")
    if kind == "extra_forbidden":
        return Problem(field, value, "is not a known key", _spelling(detail["loc"], model))
    return Problem(field, value, detail["msg"], "write a value that fits")


def _field_path(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def _short(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _spelling(loc: tuple[int | str, ...], model: type[Declared]) -> str:
    """The nearest known key, looked up in every declared object of the model."""
    known = sorted(_known_keys(model.model_json_schema()))
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f"did you mean {near[0]!r}? Otherwise remove it" if near else "remove it"


def _known_keys(schema: Mapping[str, Any]) -> set[str]:
    objects = [schema, *schema.get("$defs", {}).values()]
    return {key for part in objects for key in part.get("properties", {})}
