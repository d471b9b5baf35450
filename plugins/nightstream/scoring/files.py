"""What the files of a run tell of its attempts, how they are kept from being removed, and how a new
attempt is taken."""

from __future__ import annotations

from beam_jobs.objects import ObjectExistsError, Objects
from beam_jobs.runs.layout import RunLayout
from nightstream.runs import ResolvedRun
from nightstream.scoring.claims import Claim


def attempts_of(layout: RunLayout, objects: Objects) -> tuple[set[int], set[int]]:
    """The attempts that have a folder, and those of them whose output is there, all of it."""
    names = [
        item.uri.removeprefix(layout.folder + "/") for item in objects.list(layout.folder + "/")
    ]
    parts = [name.split("/", 1) for name in names]
    attempts = {int(part[0]) for part in parts if part[0].isdecimal() and len(part) == 2}
    written = {number for number in attempts if f"{number}/manifest.json" in names}
    return attempts, {number for number in written if f"{number}/removed.json" not in names}


def mark_used(layout: RunLayout, objects: Objects) -> None:
    """Keeps the clean-up from the run's files, from now on.

    Whoever relies on them marks first and looks then: either the clean-up sees the mark and leaves
    the files alone, or they are seen to be removed.
    """
    objects.put(layout.last_used, b"")


def reserve_attempt(run: ResolvedRun, attempt: int, claim: Claim, objects: Objects) -> bool:
    """Takes an attempt's folder for one launch; False where somebody has it already.

    No two jobs ever write into one folder, even where the service forgot the earlier one.
    """
    folder = RunLayout(run.root, run.run_key).attempt(attempt).folder
    try:
        objects.create(f"{folder}/launched_by.json", claim.model_dump_json().encode())
    except ObjectExistsError:
        return False
    return True
