"""The container spec of a Flex Template, as `gcloud dataflow flex-template build` writes it.

The image is stood in for by an interpreter, and the template's name is the Python module that it
runs: the one thing that a real image says in an environment variable of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from local.cloud.http import ApiError, unsupported

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_VIOLATIONS = "type.googleapis.com/google.dataflow.v1beta3.InvalidTemplateParameters"


class Parameter(BaseModel):
    """One parameter of a template; `regexes` match its whole value, each of them."""

    name: str
    optional: bool = Field(False, alias="isOptional")
    regexes: list[str] = []


class Metadata(BaseModel):
    """What a template tells about itself; without `parameters` it takes any."""

    name: str = ""
    parameters: list[Parameter] | None = None
    streaming: bool = False


class SdkInfo(BaseModel):
    language: str


class ContainerSpec(BaseModel):
    """A template: its image, what it tells about itself, defaults for a launch's environment."""

    image: str
    sdk: SdkInfo = Field(alias="sdkInfo")
    metadata: Metadata = Metadata()
    environment: dict[str, Any] = Field({}, alias="defaultEnvironment")

    @property
    def module(self) -> str:
        """The Python module to run. Raises ApiError 501 where the spec names none."""
        if self.sdk.language != "PYTHON":
            raise unsupported(f"Flex Templates in {self.sdk.language}")
        if not _MODULE.fullmatch(self.metadata.name):
            raise unsupported(
                f"the Flex Template {self.metadata.name!r}: metadata.name has to be the Python "
                "module to run, e.g. 'pipelines.words'"
            )
        return self.metadata.name


def read_spec(text: str | bytes, source: str) -> ContainerSpec:
    """Raises ApiError 400 naming the `source` and what is wrong with it."""
    try:
        return ContainerSpec.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'spec'}: {e['msg']}" for e in error.errors()
        )
        raise ApiError(400, f"Invalid template file {source}: {problems}") from error


def check_parameters(
    spec: ContainerSpec, given: Mapping[str, str], pipeline_options: Iterable[str]
) -> None:
    """Whether a launch may give these parameters; `pipeline_options` are those that any template
    takes. Raises ApiError 400, telling all that is wrong."""
    if spec.metadata.parameters is None:
        return
    known = {parameter.name: parameter for parameter in spec.metadata.parameters}
    violations = [
        (name, "Missing required parameter")
        for name, parameter in known.items()
        if not parameter.optional and name not in given
    ]
    for name, value in given.items():
        if name in known:
            violations += [(name, words) for words in _mismatches(known[name], value)]
        elif name not in set(pipeline_options):
            violations.append((name, "Unrecognized parameter"))
    if violations:
        raise _invalid(violations)


def _mismatches(parameter: Parameter, value: str) -> list[str]:
    return [
        f"Parameter didn't match regex '{regex}'"
        for regex in parameter.regexes
        if not re.fullmatch(regex, value)
    ]


def _invalid(violations: list[tuple[str, str]]) -> ApiError:
    said = "".join(f"\n{name}: {words}" for name, words in violations)
    return ApiError(
        400,
        f"The template parameters are invalid. Details: {said}",
        "badRequest",
        details=[
            {
                "@type": _VIOLATIONS,
                "parameterViolations": [
                    {"parameter": name, "description": words} for name, words in violations
                ],
            }
        ],
    )
