"""Which subscriptions are made for a job that reads topics, and which go with it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import JobFolder, Plan, Status, TopicSubscription
from local.cloud.dataflow.topic_subscriptions import subscriptions_for, unneeded
from local.cloud.supervised import now

TOPIC, OTHER = "projects/a/topics/requests", "projects/a/topics/other"
JOB = {"id": "2026-01-01_1", "projectId": "p"}
OLD = TopicSubscription("Read", TOPIC, "projects/p/subscriptions/requests.subscription-7", "h:1")


def folder(root: Path, job_id: str, replaces: str | None, *names: str) -> JobFolder:
    job = {"id": job_id, **({"replaceJobId": replaces} if replaces else {})}
    status = Status(states.PENDING, now())
    made = JobFolder.create(root / job_id, job, Plan(sys.executable, (), 1), status)
    made.write_subscriptions([replace(OLD, name=name) for name in names])
    return made


def same(name: str) -> str:
    return name


def test_each_read_has_a_subscription_of_its_own_that_later_processes_find_again() -> None:
    reads = {"Read": TOPIC, "Again": TOPIC}
    made = subscriptions_for(reads, JOB, "h:1", (), same)
    assert [(s.step, s.topic, s.host) for s in made] == [
        ("Read", TOPIC, "h:1"),
        ("Again", TOPIC, "h:1"),
    ]
    assert len({s.name for s in made}) == 2
    assert all(s.name.startswith("projects/p/subscriptions/requests.subscription-") for s in made)
    assert subscriptions_for(reads, JOB, "h:1", (), same) == made
    other_job = subscriptions_for(reads, {**JOB, "id": "2026-01-01_2"}, "h:1", (), same)
    assert not {s.name for s in made} & {s.name for s in other_job}


def test_an_update_takes_over_the_subscription_of_the_same_step_and_topic() -> None:
    [same_step] = subscriptions_for({"Read": TOPIC}, JOB, "h:1", [OLD], same)
    [renamed] = subscriptions_for({"New": TOPIC}, JOB, "h:1", [OLD], {"Read": "New"}.__getitem__)
    [other_topic] = subscriptions_for({"Read": OTHER}, JOB, "h:1", [OLD], same)
    assert same_step == OLD
    assert renamed.name == OLD.name
    assert other_topic.name != OLD.name


@pytest.mark.parametrize(
    ("ready", "alive", "taken"),
    [(True, True, True), (False, True, False), (True, False, False)],
    ids=["taken", "not ready", "ready, then gone"],
)
def test_what_the_other_job_of_an_update_reads_is_not_deleted(
    tmp_path: Path, ready: bool, alive: bool, taken: bool
) -> None:
    old = folder(tmp_path, "old", None, "shared", "only-old")
    new = folder(tmp_path, "new", "old", "shared", "only-new")
    lock = new.hold()
    if ready:
        old.replace_by("new")
    if not alive:
        os.close(lock)
    ended_old, ended_new = ({s.name for s in unneeded(job)} for job in (old, new))
    assert ended_old == ({"only-old"} if taken else {"shared", "only-old"})
    assert ended_new == ({"shared", "only-new"} if taken else {"only-new"})
    if alive:
        os.close(lock)
