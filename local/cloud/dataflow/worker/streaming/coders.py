"""How a pipeline's elements and state are encoded, so that two pipelines can be compared."""

from __future__ import annotations

import base64
import bz2
import pickletools
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apache_beam.portability import common_urns, python_urns
from apache_beam.portability.api import beam_runner_api_pb2, schema_pb2
from google.protobuf.wrappers_pb2 import BytesValue

_PICKLED = python_urns.PICKLED_CODER
_ROW = common_urns.coders.ROW.urn
_WITHOUT_MEANING = ("PROTO", "FRAME", "MEMOIZE")
_RANDOM_ID = re.compile(r"[0-9a-f]{32}")
"""What cloudpickle gives to a class of the main module, anew in each process."""

Rename = Callable[[str], str]


@dataclass(frozen=True)
class Coder:
    """What decides how a value is encoded; equal ones encode alike."""

    urn: str
    content: Any
    parts: tuple[Coder, ...] = ()

    def __str__(self) -> str:
        name = self.content[0] if self.urn == _PICKLED else self.urn.split(":")[2]
        return f"{name}({', '.join(map(str, self.parts))})" if self.parts else str(name)

    def can_read(self, old: Coder) -> bool:
        """Whether this is the same coder, or one of rows whose schema has only been widened."""
        if (self.urn, len(self.parts)) != (old.urn, len(old.parts)):
            return False
        if self.urn == _ROW:
            return _widens(old.content, self.content)
        alike = self.content == old.content
        pairs = zip(self.parts, old.parts, strict=True)
        return alike and all(new.can_read(part) for new, part in pairs)


def coder_of(
    coders: Mapping[str, beam_runner_api_pb2.Coder], coder_id: str, rename: Rename
) -> Coder:
    """The coder of that id; `rename` gives the names of steps, which may stand in it, as they are
    to be compared."""
    coder = coders[coder_id]
    parts = tuple(coder_of(coders, part, rename) for part in coder.component_coder_ids)
    content: Any = coder.spec.payload
    if coder.spec.urn == _PICKLED:
        content = _pickled(content, rename)
    elif coder.spec.urn == _ROW:
        content = _fields(schema_pb2.Schema.FromString(content))
    return Coder(coder.spec.urn, content, parts)


def _pickled(payload: bytes, rename: Rename) -> tuple[str, Any]:
    """The class of a pickled coder and what makes it what it is."""
    name, _, encoded = BytesValue.FromString(payload).value.partition(b"$")
    packed = base64.b64decode(encoded)
    unpack = bz2.decompress if packed.startswith(b"BZh") else zlib.decompress
    operations = tuple(
        (operation.name, _meaning(argument, rename))
        for operation, argument, _ in pickletools.genops(unpack(packed))
        if operation.name not in _WITHOUT_MEANING
    )
    return name.decode(), operations


def _meaning(argument: Any, rename: Rename) -> Any:
    if not isinstance(argument, str):
        return argument
    return "" if _RANDOM_ID.fullmatch(argument) else rename(argument)


def _fields(schema: schema_pb2.Schema) -> dict[str, Any]:
    """The fields of a row, without the id that a schema is given anew in each process."""
    return {field.name: _type(field.type) for field in schema.fields}


def _type(field: schema_pb2.FieldType) -> tuple[bool, str, Any]:
    """Whether it may be null, its kind, and the rest."""
    kind = str(field.WhichOneof("type_info"))
    value = getattr(field, kind)
    if kind == "row_type":
        return field.nullable, kind, _fields(value.schema)
    if kind in ("array_type", "iterable_type"):
        return field.nullable, kind, _type(value.element_type)
    if kind == "map_type":
        return field.nullable, kind, (_type(value.key_type), _type(value.value_type))
    if kind == "logical_type":
        return field.nullable, kind, (value.urn, _type(value.representation), value.argument)
    return field.nullable, kind, value


def _widens(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether fields were only added, or may only be null now."""
    return all(name in new and _type_widens(old[name], new[name]) for name in old)


def _type_widens(old: tuple[bool, str, Any], new: tuple[bool, str, Any]) -> bool:
    if old[1] != new[1] or (old[0] and not new[0]):
        return False
    return _widens(old[2], new[2]) if old[1] == "row_type" else bool(old[2] == new[2])
