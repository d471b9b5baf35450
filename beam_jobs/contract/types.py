"""Arrow types of the contract's types."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from beam_jobs.spec.fields import Field, FieldType

_ARROW: dict[FieldType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
}


def arrow_type(type_: FieldType) -> pa.DataType:
    """The Arrow type in which values of a field type travel."""
    return _ARROW[type_]


def arrow_schema(fields: Iterable[Field]) -> pa.Schema:
    """One column per field, in order."""
    return pa.schema([(field.name, arrow_type(field.type)) for field in fields])


def can_become(found: pa.DataType, type_: FieldType) -> bool:
    """Whether a column of that Arrow type may hold a field of that type.

    Single values may still not fit (300 digits as text, a fraction where an integer is due); that
    is for `cast` to say. Wider decimals become floats, finer timestamps lose their nanoseconds.
    """
    if pa.types.is_dictionary(found):
        return can_become(found.value_type, type_)
    if pa.types.is_null(found) or is_text(found):
        return True
    match type_:
        case "integer":
            return pa.types.is_integer(found) or pa.types.is_floating(found)
        case "float":
            return (
                pa.types.is_integer(found)
                or pa.types.is_floating(found)
                or pa.types.is_decimal(found)
            )
        case "boolean":
            return pa.types.is_boolean(found)
        case "date":
            return pa.types.is_date(found)
        case "timestamp":
            return pa.types.is_timestamp(found) or pa.types.is_date(found)
        case _:
            return False


def is_text(found: pa.DataType) -> bool:
    return (
        pa.types.is_string(found)
        or pa.types.is_large_string(found)
        or pa.types.is_string_view(found)
    )
