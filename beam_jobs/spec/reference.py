"""The reference of every key that a spec may hold, as Markdown, from the models themselves.

python -m beam_jobs.spec.reference > docs/spec.md
"""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from beam_jobs.spec.base import Declared
from beam_jobs.spec.environment import EnvironmentSpec
from beam_jobs.spec.service import ServiceSpec

_INTRODUCTION = """# What a spec may say

Made from the code by `python -m beam_jobs.spec.reference`. A service is declared in
`dags/services/<service>.yaml`, an environment in `dags/environments/<name>.yaml`; the environment
variable `NIGHTSTREAM_ENV` chooses the environment. Unknown keys are refused. In an environment,
`${NAME}` stands for the environment variable of that name.
"""


def reference() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for title, model in (("A service", ServiceSpec), ("An environment", EnvironmentSpec)):
        parts.append(f"\n## {title}\n")
        parts += [_section(part) for part in _declared(model, set())]
    return "\n".join(parts)


def _declared(model: type[Declared], seen: set[type]) -> Iterator[type[Declared]]:
    """The model and every declared object below it, each once, outermost first."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            yield from _declared(inner, seen)


def _models(annotation: Any) -> Iterator[type[Declared]]:
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _section(model: type[Declared]) -> str:
    lines = [
        f"### {model.__name__}\n",
        f"{inspect.cleandoc(model.__doc__)}\n" if model.__doc__ else "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
        *(_row(name, field) for name, field in model.model_fields.items()),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    return f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_cell(meaning)} |"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " \\| ".join(f"`{argument}`" for argument in arguments)
    if origin in (Union, types.UnionType):
        return " \\| ".join(dict.fromkeys(_type(argument) for argument in arguments))
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"list of {_type(arguments[0])}"
        return f"[{', '.join(_type(argument) for argument in arguments)}]"
    if origin is dict:
        return f"mapping of {_type(arguments[0])} to {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return "null" if annotation is type(None) else annotation.__name__


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or isinstance(field.default, Declared):
        return "as below"
    return f"`{_cell(json.dumps(field.default, default=_plain, ensure_ascii=False))}`"


def _plain(declared: Declared) -> dict[str, Any]:
    return declared.model_dump(mode="json", exclude_defaults=True)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
