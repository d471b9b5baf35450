"""Whether a streaming pipeline can take over the state of the one that it replaces.

Of each step that keeps something, the service looks for a step of the same name in the new
pipeline, or of the name that the transform name mapping gives it, which keeps the same in the same
coders. Here nothing is carried over; what would be lost in the cloud is refused all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.cloud.dataflow.worker.streaming.coders import Rename
from local.cloud.dataflow.worker.streaming.kept_state import Pipeline, Step, steps_of

_START_ANEW = "or drain the old job and start a new one"


@dataclass(frozen=True)
class Problem:
    """Why a step of the old pipeline cannot go on in the new one, and how to mend it."""

    step: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


def check(old: Pipeline, new: Pipeline, mapping: Mapping[str, str]) -> list[Problem]:
    """What keeps `new` from taking the place of `old`; `mapping` is from prefixes of the names of
    old steps to those of new ones."""

    rename = renaming(mapping)
    successors = {step.name: step for step in steps_of(new)}
    predecessors = list(steps_of(old, rename))
    problems = list(_mapping_problems(old, new, mapping))
    targets = Counter(rename(step.name) for step in predecessors if step.stateful)
    for step in predecessors:
        name = rename(step.name)
        if step.stateful and targets[name] > 1:
            problems.append(_taken(step, name))
        elif successor := successors.get(name):
            problems += _changes(step, successor)
        elif step.stateful:
            problems.append(_missing(step))
    return problems


def explain(old_id: str, problems: list[Problem]) -> str:
    """The refusal of an update, in the service's words."""
    head = f"The new job is not compatible with {old_id}. The original job has not been aborted."
    return ", ".join([head, *map(str, problems)])


def renaming(mapping: Mapping[str, str]) -> Rename:
    """What the mapping makes of the name of an old step: the longest prefix counts."""

    def renamed(name: str) -> str:
        prefix = max((p for p in mapping if _within(name, p)), key=len, default=None)
        return name if prefix is None else mapping[prefix] + name[len(prefix) :]

    return renamed


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + "/")


def _mapping_problems(
    old: Pipeline, new: Pipeline, mapping: Mapping[str, str]
) -> Iterator[Problem]:
    known = {
        "old": {transform.unique_name for transform in old.components.transforms.values()},
        "new": {transform.unique_name for transform in new.components.transforms.values()},
    }
    uses = Counter(filter(None, mapping.values()))
    for source, target in mapping.items():
        for job, name in (("old", source), ("new", target)):
            deleted = job == "new" and not name
            if name not in known[job] and not deleted:
                what = f"The transform name mapping names a step {name!r}, which the {job} job does"
                yield Problem(name, f"{what} not have.", "Correct the mapping.")
        if uses[target] > 1:
            what = f"The transform name mapping gives the name {target} to several steps."
            yield Problem(source, what, "Map each step to a step of its own.")


def _missing(step: Step) -> Problem:
    return Problem(
        step.name,
        f"The new job is missing steps {step.name}. If these steps have been renamed or deleted, "
        "please specify them with the update command.",
        f"(A {step.kind} keeps state: name its new name in the transform name mapping, "
        f"{_START_ANEW}.)",
    )


def _taken(step: Step, name: str) -> Problem:
    return Problem(
        step.name,
        f"Several stateful steps of the old job would become the step {name} of the new one.",
        "Map each step to a step of its own.",
    )


def _changes(old: Step, new: Step) -> Iterator[Problem]:
    if old.kind != new.kind:
        what = f"The Coder or type for step {new.name} has changed."
        remedy = f"(It was a {old.kind} and is a {new.kind}: give the new one another name"
        yield Problem(new.name, what, f"{remedy}{f', {_START_ANEW}' if old.stateful else ''}.)")
        return
    for name in sorted(old.kept.keys() | new.kept.keys()):
        before, after = old.kept.get(name), new.kept.get(name)
        if before is None or after is None:
            verb = "added to" if before is None else "removed from"
            what = f"The {name} has been {verb} step {new.name}."
            yield Problem(new.name, what, f"(Undo it, give the step another name, {_START_ANEW}.)")
        elif not after.can_read(before):
            what = f"The Coder or type for step {new.name} has changed."
            how = f"(Its {name}: {before} became {after}. Keep the old one, {_START_ANEW}.)"
            yield Problem(new.name, what, how)
