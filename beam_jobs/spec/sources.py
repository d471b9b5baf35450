"""How input files are written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field as Constrained
from pydantic import model_validator

from beam_jobs.spec.base import Declared, Minutes, Refusal

Compression = Literal["auto", "none", "gzip"]
"""`auto` takes a name ending in .gz as gzip."""

MaxRecordBytes = Annotated[int, Constrained(ge=1_024, le=64 * 1024 * 1024)]


class CsvFormat(Declared):
    """Comma-separated files (RFC 4180 with the usual liberties)."""

    type: Literal["csv"]
    header: bool = True
    """False: the columns are the contract's fields, in their order."""
    delimiter: str = ","
    quote: str | None = '"'
    """Null: quotes are ordinary characters."""
    newlines_in_values: bool = False
    """True: a quoted value may hold line breaks. Such files are read whole, not split."""
    null_tokens: tuple[str, ...] = ("",)
    true_tokens: tuple[str, ...] = ("true", "True", "TRUE", "1")
    false_tokens: tuple[str, ...] = ("false", "False", "FALSE", "0")
    compression: Compression = "auto"
    max_record_bytes: MaxRecordBytes = 8 * 1024 * 1024
    """A longer line is a dead letter of its own."""
    extra_columns: Literal["ignore", "fail"] = "ignore"

    @model_validator(mode="after")
    def _one_byte_signs(self) -> Self:
        for name, sign in (("delimiter", self.delimiter), ("quote", self.quote)):
            if sign is not None and (len(sign) != 1 or not sign.isascii() or sign in "\r\n"):
                raise Refusal(f"{name} {sign!r} is not one ASCII character", "write one character")
        if self.delimiter == self.quote:
            raise Refusal("delimiter and quote are the same", "choose two characters")
        if self.newlines_in_values and self.quote is None:
            raise Refusal(
                "newlines_in_values needs a quote character",
                "set quote, or drop newlines_in_values",
            )
        return self


class JsonFormat(Declared):
    """Newline-delimited JSON: one object per line."""

    type: Literal["json"]
    compression: Compression = "auto"
    max_record_bytes: MaxRecordBytes = 8 * 1024 * 1024
    extra_columns: Literal["ignore", "fail"] = "ignore"


class ParquetFormat(Declared):
    """Parquet files, columns matched by name."""

    type: Literal["parquet"]
    extra_columns: Literal["ignore", "fail"] = "ignore"


Format = Annotated[CsvFormat | JsonFormat | ParquetFormat, Constrained(discriminator="type")]


class MarkerRule(Declared):
    """The night is complete when an object of this name lies beside its files."""

    rule: Literal["marker"]
    object: str = "_SUCCESS"


class ManifestRule(Declared):
    """The night is complete when a manifest is there and every file it lists is too.

    The manifest is JSON: `{"files": ["a.csv", "sub/b.csv"]}`, names relative to the folder.
    Only listed files are read.
    """

    rule: Literal["manifest"]
    object: str = "manifest.json"


class QuietRule(Declared):
    """The night is complete when files are there and none came for some minutes."""

    rule: Literal["quiet"]
    minutes: Minutes = 15


CompleteRule = Annotated[MarkerRule | ManifestRule | QuietRule, Constrained(discriminator="rule")]
