"""Dead letters of a night on the local disk, chosen for a replay."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import open_objects
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import ReplayedSource, ReplayOf, RunPlan, build_plan
from nightstream.replaying.letters import write_letters
from nightstream.replaying.trying import Sorting, payload_format
from tests.support.scored_night import Scored, babyweight

_ORDER = ("source_uri", "source_position", "error_code")


def replay_plan(base: Scored, codes: set[str], **changes: dict[str, Any]) -> RunPlan:
    """The plan of a replay of the letters with those codes, under the spec with those changes."""
    spec = babyweight(**changes)
    tables = [pq.read_table(file.uri) for file in base.manifest.dead_letters]
    rows = pa.concat_tables(tables).sort_by([(name, "ascending") for name in _ORDER]).to_pylist()
    folder = f"{base.plan.root}/letters"
    sorting = Sorting()
    tried, left = write_letters(
        [row | {"chosen": row["error_code"] in codes} for row in rows],
        sorting,
        folder,
        open_objects(folder),
    )
    sources = tuple(
        ReplayedSource(object=source.object, columns=source.columns)
        for source in base.manifest.sources
        if source.object.uri in sorting.sources
    )
    attempt = RunLayout(base.plan.root, base.plan.run_key).attempt(base.manifest.attempt)
    replay = ReplayOf(
        manifest_uri=attempt.manifest,
        tried=tried,
        tried_by_code=dict(sorting.tried),
        left=left,
        format=payload_format(base.plan.spec.input.format, spec.input.format),
        sources=sources,
    )
    pinned = base.plan
    return build_plan(
        spec, pinned.score_date, None, pinned.inputs, pinned.model, pinned.root, replay
    )
