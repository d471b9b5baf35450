"""Which of the chosen letters can be tried, and how a replay is planned. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from beam_jobs.runs.dead_letter import REDACTED, ErrorCode
from beam_jobs.runs.plan import RunPlan, derive_run_key
from beam_jobs.spec.sources import CsvFormat, Format, JsonFormat, ParquetFormat


class PlannedFormat(BaseModel):
    """What is read of the plan of a publication, which another release may have made."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    class _Replay(BaseModel):
        model_config = ConfigDict(extra="ignore", frozen=True)
        format: Format

    class _Spec(BaseModel):
        class _Input(BaseModel):
            model_config = ConfigDict(extra="ignore", frozen=True)
            format: Format

        model_config = ConfigDict(extra="ignore", frozen=True)
        input: _Input

    code_version: str
    spec: _Spec
    replay: _Replay | None = None

    @property
    def of_payloads(self) -> Format:
        """How the payloads of the publication's dead letters are written."""
        return self.replay.format if self.replay else self.spec.input.format


def payload_format(written: Format, now: Format) -> CsvFormat | JsonFormat:
    """How payloads are read: as the spec says now, where it speaks of the same kind of file.

    The payloads of Parquet rows are JSON.
    """
    if isinstance(written, ParquetFormat):
        return now if isinstance(now, JsonFormat) else JsonFormat(type="json")
    return now if type(now) is type(written) else written


def work_of(plan: RunPlan) -> str:
    """Equal for plans under which a letter fares alike: same model, contract and code."""
    shared = {"inputs": (), "interval": None, "score_date": date.min, "replay": None}
    return derive_run_key(plan.model_copy(update=shared))


@dataclass
class Sorting:
    """Sorts letters into those that are tried and those that are left, and counts both."""

    tried_before: Callable[[str], bool] = lambda _: False
    """Whether the run of that key was a replay that this one would only repeat."""
    tried: Counter[str] = field(default_factory=Counter)
    """By error code."""
    sources: set[str] = field(default_factory=set)
    """Input objects that tried letters came from."""
    left: int = 0
    """Letters that nobody chose."""
    impossible: Counter[str] = field(default_factory=Counter)
    """Chosen letters that are left all the same, by reason."""

    def takes(self, letter: Mapping[str, Any], chosen: bool) -> bool:
        """Whether the letter is tried. letter: by column of the dead-letter table."""
        if not chosen:
            self.left += 1
            return False
        reason = self._why_not(letter)
        if reason:
            self.impossible[reason] += 1
            return False
        self.tried[letter["error_code"]] += 1
        self.sources.add(letter["source_uri"])
        return True

    def _why_not(self, letter: Mapping[str, Any]) -> str:
        if self.tried_before(letter["run_key"]):
            return "a replay with this very model, contract and code has tried it already"
        return unreplayable(letter["error_code"], letter["payload"])


def unreplayable(code: str, payload: bytes | None) -> str:
    """Why a letter cannot be tried again whatever the contract; empty where it can be."""
    if not payload:
        return "its payload is empty"
    if REDACTED.encode() in payload:
        return "its payload is redacted"
    if code == ErrorCode.RECORD_TOO_LARGE:
        return "only the beginning of its payload was kept"
    return ""


def explained(sorting: Sorting) -> str:
    """What is tried and what is not, for the task's log."""
    tried = ", ".join(f"{rows:,} {code}" for code, rows in sorting.tried.most_common())
    lines = [f"{sorting.tried.total():,} dead letters are tried again: {tried or 'none'}"]
    lines += [f"{rows:,} are left: {why}" for why, rows in sorting.impossible.most_common()]
    lines.append(f"{sorting.left:,} are left, since nobody chose them")
    return "\n".join(lines)


def digest(parts: Iterable[object], length: int = 16) -> str:
    """A short name for what the parts say."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:length]
