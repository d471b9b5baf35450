"""Several publishers of one night: cut off anywhere, stalled, woken up late."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nightstream.publishing.ledger import Lease
from nightstream.publishing.loads import LoadState
from nightstream.publishing.publisher import LEASE, LoadFailedError, NightHeldError
from tests.support.publishing_world import Actor, Work, World

A = Work("a", rows_scored=10, rows_dead=1)
B = Work("b", rows_scored=20, rows_dead=0)
LEASE_SECONDS = LEASE.total_seconds()


def test_a_free_night_is_published_with_dead_letters_first() -> None:
    world = World()
    actor = world.finish(world.spawn("one", 1, A))
    assert actor.result is not None
    assert not actor.result.skipped
    assert world.commits == ["a/dead.parquet", "a/predictions.parquet"]
    assert world.holds_exactly(A)
    assert world.ledger.published == actor.result.publication
    assert world.ledger.lease is None
    assert world.ledger.intent is None


def test_the_same_work_is_not_loaded_again() -> None:
    world = World()
    first = world.finish(world.spawn("one", 1, A))
    second = world.finish(world.spawn("two", 1, A))
    assert second.result is not None
    assert second.result.skipped
    assert first.result is not None
    assert second.result.publication == first.result.publication
    assert len(world.commits) == 2


def test_forced_work_is_loaded_again_but_once_for_a_dag_run() -> None:
    world = World()
    world.finish(world.spawn("one", 1, A))
    world.finish(world.spawn("two", 1, A, force=True))
    retried = world.finish(world.spawn("two", 2, A, force=True))
    assert len(world.commits) == 4
    assert retried.result is not None
    assert not retried.result.skipped
    assert retried.result.publication.intent.sequence == 2


def test_going_back_to_older_work_publishes_it_again() -> None:
    world = World()
    sequences = []
    for dag_run, try_number, work in (("one", 1, A), ("two", 1, B), ("one", 2, A)):
        actor = world.finish(world.spawn(dag_run, try_number, work))
        assert actor.result is not None
        assert not actor.result.skipped
        sequences.append(actor.result.publication.intent.sequence)
    assert sequences == [1, 2, 3]
    assert world.holds_exactly(A)
    assert len(world.jobs) == 6


def steps_of_one_publication() -> int:
    world, steps = World(), 0
    actor = world.spawn("one", 1, A)
    while actor.alive:
        world.step(actor)
        steps += 1
        for name in world.running():
            world.end_job(name)
    return steps


@pytest.mark.parametrize("cut", range(steps_of_one_publication()))
def test_a_publisher_cut_off_after_any_step_is_finished_by_its_retry(cut: int) -> None:
    world = World()
    killed = world.spawn("one", 1, A)
    for _ in range(cut):
        world.step(killed)
        for name in world.running():
            world.end_job(name)
    if cut:
        world.kill(killed)
    retry = world.finish(world.spawn("one", 2, A))
    assert retry.result is not None
    assert not retry.result.skipped
    assert world.commits == ["a/dead.parquet", "a/predictions.parquet"]
    assert world.ledger.published is not None
    assert world.ledger.published.run_key == "a"


@pytest.mark.parametrize("cut", range(1, steps_of_one_publication()))
def test_a_successor_waits_for_the_lease_then_settles_whatever_was_begun(cut: int) -> None:
    world = World()
    stalled = world.spawn("one", 1, A)
    for _ in range(cut):
        world.step(stalled)
    begun = world.ledger.lease is not None
    other = world.spawn("two", 1, B)
    if begun:
        while other.alive:
            world.step(other)
        assert isinstance(other.error, NightHeldError)
        assert "demo_batch run one" in str(other.error)
        world.pass_time(LEASE_SECONDS)
        other = world.spawn("two", 2, B)
    world.finish(other)
    assert other.result is not None
    assert not other.result.skipped
    assert world.holds_exactly(B)
    world.finish(stalled)
    assert stalled.result is not None or isinstance(stalled.error, LoadFailedError)
    published = world.ledger.published
    assert published is not None
    assert world.holds_exactly(world.works[published.run_key])


def test_a_load_that_its_predecessor_never_started_is_made_impossible() -> None:
    world = World()
    stalled = world.spawn("one", 1, A)
    while not world.ledger.intent:
        world.step(stalled)
    world.pass_time(LEASE_SECONDS)
    world.finish(world.spawn("two", 1, B))
    kinds = [job.kind for job in world.jobs.values()]
    assert kinds == ["query", "query", "load", "load"]
    world.pass_time(LEASE_SECONDS)
    world.kill(stalled)
    assert world.holds_exactly(B)


def test_a_stalled_publisher_whose_load_was_made_impossible_begins_again() -> None:
    world = World()
    stalled = world.spawn("one", 1, A)
    while world.stored is None or world.stored[1] < 2:
        world.step(stalled)
    world.pass_time(LEASE_SECONDS)
    world.finish(world.spawn("two", 1, B))
    world.finish(stalled)
    assert stalled.result is not None
    assert stalled.result.publication.intent.sequence == 3
    assert world.holds_exactly(A)


def test_a_running_load_of_a_predecessor_is_cancelled() -> None:
    world = World()
    stalled = world.spawn("one", 1, A)
    while not world.running():
        world.step(stalled)
    [begun] = world.running()
    world.pass_time(LEASE_SECONDS)
    successor = world.spawn("two", 1, B)
    for _ in range(20):
        world.step(successor)
    assert world.jobs[begun].cancelled
    world.finish(successor)
    assert world.jobs[begun].state is LoadState.FAILED
    assert world.commits == ["b/dead.parquet", "b/predictions.parquet"]


def test_a_predecessor_that_had_committed_is_recorded_before_anything_else_starts() -> None:
    world = World()
    killed = world.spawn("one", 1, A)
    while len(world.commits) < 2:
        world.step(killed)
        for name in world.running():
            world.end_job(name)
    world.kill(killed)
    assert world.ledger.published is None
    world.pass_time(LEASE_SECONDS)
    same_work = world.finish(world.spawn("two", 1, A))
    assert same_work.result is not None
    assert same_work.result.skipped
    assert same_work.result.publication.intent.publisher.run_id == "one"
    assert len(world.commits) == 2


@pytest.mark.parametrize("how", ["failed", "short"])
@pytest.mark.parametrize("part", ["dead", "predictions"])
def test_a_failed_load_is_never_adopted(part: str, how: str) -> None:
    world = World()
    first = world.spawn("one", 1, A)
    while first.alive:
        world.step(first)
        for name in world.running():
            load = world.jobs[name].load
            assert load is not None
            world.end_job(name, how if load.table.table == part else "ok")
    assert isinstance(first.error, LoadFailedError)
    assert world.ledger.published is None
    retry = world.finish(world.spawn("one", 2, A))
    assert retry.result is not None
    intent = retry.result.publication.intent
    assert (intent.sequence, intent.attempt) == (1, 2)
    assert world.holds_exactly(A)


def test_after_torn_partitions_the_work_that_stood_before_is_loaded_again() -> None:
    world = World()
    world.finish(world.spawn("one", 1, A))
    killed = world.spawn("two", 1, B)
    while len(world.commits) < 3:
        world.step(killed)
        for name in world.running():
            world.end_job(name)
    world.kill(killed)
    assert world.partitions["dead"] == ("b", 0)
    world.pass_time(LEASE_SECONDS)
    again = world.finish(world.spawn("three", 1, A))
    assert again.result is not None
    assert not again.result.skipped
    assert world.holds_exactly(A)


def test_an_earlier_try_that_wakes_up_leaves_the_night_to_the_later_one() -> None:
    world = World()
    zombie = world.spawn("one", 1, A)
    while not world.running():
        world.step(zombie)
    later = world.spawn("one", 2, A)
    while world.ledger.lease != Lease(holder=later.me, expires_at=world.now + LEASE):
        world.step(later)
    world.pass_time(LEASE_SECONDS - 30)
    while zombie.alive:
        world.step(zombie)
    assert isinstance(zombie.error, NightHeldError)
    world.finish(later)
    assert world.commits == ["a/dead.parquet", "a/predictions.parquet"]


def test_a_publisher_that_lost_its_lease_starts_no_load() -> None:
    world = World()
    stalled = world.spawn("one", 1, A)
    while not world.ledger.intent:
        world.step(stalled)
    world.pass_time(LEASE_SECONDS)
    successor = world.spawn("two", 1, B)
    while world.ledger.lease != Lease(holder=successor.me, expires_at=world.now + LEASE):
        world.step(successor)
    while stalled.alive:
        world.step(stalled)
    assert isinstance(stalled.error, NightHeldError)
    assert world.jobs == {}


def test_whoever_committed_records_it_though_the_lease_is_lost() -> None:
    world = World()
    slow = world.spawn("one", 1, A)
    while len(world.commits) < 2:
        for name in world.running():
            world.end_job(name)
        world.step(slow)
    world.pass_time(LEASE_SECONDS)
    successor = world.spawn("two", 1, B)
    while world.ledger.lease != Lease(holder=successor.me, expires_at=world.now + LEASE):
        world.step(successor)
    world.kill(successor)
    world.finish(slow)
    assert slow.result is not None
    assert world.ledger.published == slow.result.publication


def test_a_lease_is_renewed_while_a_load_takes_its_time() -> None:
    world = World()
    slow = world.spawn("one", 1, A)
    while not world.running():
        world.step(slow)
    for _ in range(20):
        world.pass_time(LEASE_SECONDS / 4)
        for _ in range(3):
            world.step(slow)
        other = world.spawn("two", 1, B)
        while other.alive:
            world.step(other)
        assert isinstance(other.error, NightHeldError)
    world.finish(slow)
    assert world.holds_exactly(A)


class Publishers(RuleBasedStateMachine):
    """Three DAG runs, two of them with the same work, in any order of steps, crashes, stalls."""

    WORK = {"one": A, "two": B, "three": A}

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.actors: list[Actor] = []
        self.tries = dict.fromkeys(self.WORK, 0)

    @rule(dag_run=st.sampled_from(sorted(WORK)), force=st.booleans())
    def start_a_try(self, dag_run: str, force: bool) -> None:
        self.tries[dag_run] += 1
        work = self.WORK[dag_run]
        self.actors.append(self.world.spawn(dag_run, self.tries[dag_run], work, force))

    def living(self) -> list[Actor]:
        return [actor for actor in self.actors if actor.alive]

    @precondition(lambda self: self.living())
    @rule(data=st.data(), steps=st.integers(1, 14))
    def let_one_go_on(self, data: st.DataObject, steps: int) -> None:
        actor = data.draw(st.sampled_from(range(len(self.living()))))
        chosen = self.living()[actor]
        for _ in range(steps):
            if chosen.alive:
                self.world.step(chosen)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def let_one_finish(self, data: st.DataObject) -> None:
        actor = data.draw(st.sampled_from(range(len(self.living()))))
        self.world.finish(self.living()[actor])

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def kill_one(self, data: st.DataObject) -> None:
        actor = data.draw(st.sampled_from(range(len(self.living()))))
        self.world.kill(self.living()[actor])

    @rule(seconds=st.sampled_from([5, 50, LEASE_SECONDS, 1_000]))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @precondition(lambda self: self.world.running())
    @rule(how=st.sampled_from(["ok", "ok", "ok", "failed", "short"]))
    def end_a_load(self, how: str) -> None:
        self.world.end_job(self.world.running()[0], how)

    @invariant()
    def without_an_intent_the_partitions_are_what_the_record_says(self) -> None:
        ledger = self.world.ledger
        if ledger.intent is None and ledger.published is None:
            assert self.world.partitions == {}
        elif ledger.intent is None:
            assert ledger.published is not None
            assert self.world.holds_exactly(self.world.works[ledger.published.run_key])

    @invariant()
    def every_publisher_that_says_done_has_committed(self) -> None:
        for actor in self.actors:
            if actor.result is not None:
                job = actor.result.publication.intent.predictions_job
                assert self.world.jobs[job].state is LoadState.DONE

    def teardown(self) -> None:
        """Everybody who is still alive wakes up; whoever is not done tries again."""
        world = self.world
        for actor in self.living():
            world.pass_time(1_000)
            world.finish(actor)
        for dag_run in sorted(self.WORK):
            world.pass_time(1_000)
            last = world.finish(world.spawn(dag_run, self.tries[dag_run] + 1, self.WORK[dag_run]))
            if isinstance(last.error, LoadFailedError):
                last = world.finish(
                    world.spawn(dag_run, self.tries[dag_run] + 2, self.WORK[dag_run])
                )
            assert last.result is not None
            assert world.holds_exactly(self.WORK[dag_run])
            assert world.ledger.published is not None
            assert world.ledger.published.run_key == self.WORK[dag_run].run_key


TestPublishers = Publishers.TestCase
TestPublishers.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


@pytest.mark.long
class TestManyHistories(Publishers.TestCase):
    """The same, over histories for which the daily suite has no time."""

    settings = settings(max_examples=5_000, stateful_step_count=60, deadline=None)
