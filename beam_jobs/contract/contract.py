"""The compiled contract of a service's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.contract.casting import BooleanTokens, cast
from beam_jobs.contract.types import arrow_schema, arrow_type
from beam_jobs.spec.fields import Field, Scalar
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat


@dataclass(frozen=True)
class FieldRules:
    """What one column must hold, ready to be applied to Arrow arrays."""

    field: Field
    default: pa.Scalar | None
    allowed: pa.Array | None
    pattern: str | None
    """RE2 expression anchored at both ends."""

    @classmethod
    def of(cls, field: Field) -> Self:
        """Raises ValueError naming field, value and remedy."""
        allowed = None if field.allowed is None else _typed(field, list(field.allowed))
        pattern = None if field.pattern is None else rf"\A(?:{field.pattern})\z"
        if pattern is not None:
            try:
                pc.match_substring_regex(pa.array([""]), pattern)
            except pa.ArrowInvalid as error:
                raise ValueError(
                    f"field {field.name}: pattern {field.pattern!r} is not an RE2 expression "
                    f"({error}). Remedy: see https://github.com/google/re2/wiki/Syntax"
                ) from error
        default = None if field.default is None else _typed(field, [field.default])[0]
        return cls(field, default, allowed, pattern)


@dataclass(frozen=True)
class Contract:
    """All fields' rules; compiled once, applied to every block."""

    rules: tuple[FieldRules, ...]
    schema: pa.Schema
    """Of rows that keep the contract."""
    tokens: BooleanTokens

    @classmethod
    def of(cls, input_: InputSpec) -> Self:
        """Raises ValueError where a declared value cannot be used."""
        format_ = input_.format
        tokens = (
            BooleanTokens(format_.true_tokens, format_.false_tokens)
            if isinstance(format_, CsvFormat)
            else BooleanTokens()
        )
        return cls(
            rules=tuple(FieldRules.of(field) for field in input_.fields),
            schema=arrow_schema(input_.fields),
            tokens=tokens,
        )


def _typed(field: Field, values: list[Scalar]) -> pa.Array:
    array = pa.array(values)
    if field.type == "float":
        return array.cast(pa.float64(), safe=False)
    typed, failed = cast(array, field.type, BooleanTokens())
    if failed is not None:
        wrong = array.filter(pa.array(failed))[0].as_py()
        raise ValueError(
            f"field {field.name}: {wrong!r} is not a {field.type}. "
            f"Remedy: write an ISO {field.type} in default and allowed"
        )
    return typed.cast(arrow_type(field.type))
