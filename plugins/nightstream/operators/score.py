"""Scores a resolved run: by the job that is at it, by output that is there, or by a new job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from nightstream.operators.base import resolved_run
from nightstream.operators.job_waiting import LOOKS_AFTER_LAUNCH, JobWaitingOperator
from nightstream.runs import ResolvedRun, ScoredRun

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.jobs.job import Job
    from nightstream.jobs.launcher import Launched
    from nightstream.scoring.claims import Claim, Claims
    from nightstream.scoring.decision import Seen


class ScoreOperator(JobWaitingOperator):
    """Returns a ScoredRun: one complete attempt of the run.

    Every turn of the task begins by looking, and remembers nothing but its claim on the job. A
    task that is killed, cleared or retried leaves the job alone, and finds it again.
    """

    ui_color = "#e3f4e6"

    def turn(self, context: Context) -> dict[str, Any]:
        run = resolved_run(context)
        ti = context["ti"]
        claim = self._claims(run).of(ti.dag_id, ti.run_id)
        if claim.job_id and claim.try_number == ti.try_number:
            return self._conclude(run, claim, self.dataflow.get(claim.job_id))
        claim = claim.model_copy(update={"try_number": ti.try_number, "job_id": None})
        return self._settle(run, claim)

    def _settle(self, run: ResolvedRun, claim: Claim) -> dict[str, Any]:
        """Looks, and does the one thing that is to be done."""
        from beam_jobs.runs.layout import RunLayout
        from nightstream.scoring.decision import Adopt, Launch, Reuse, Wait, decide
        from nightstream.scoring.files import mark_used

        mark_used(RunLayout(run.root, run.run_key), self.objects)
        seen = self._look(run)
        match decide(seen, run.force, claim.attempt):
            case Reuse(attempt):
                return self._finish(run, claim, attempt, seen.job_of(attempt), reused=True)
            case Adopt(job):
                return self._follow(run, claim, job)
            case Launch(attempt):
                return self._launch(run, claim, attempt)
            case Wait(job, reason):
                self.log.warning("%s: waiting for it", reason)
                return self.wait_for(job)

    def _look(self, run: ResolvedRun) -> Seen:
        from beam_jobs.runs.layout import RunLayout
        from nightstream.scoring.decision import Seen
        from nightstream.scoring.files import attempts_of
        from nightstream.scoring.jobs import job_name

        jobs = self.dataflow.named(job_name(run.service, run.run_key))
        attempts, complete = attempts_of(RunLayout(run.root, run.run_key), self.objects)
        return Seen(run.run_key, jobs, attempts, complete)

    def _launch(self, run: ResolvedRun, claim: Claim, attempt: int) -> dict[str, Any]:
        from nightstream.scoring.files import reserve_attempt
        from nightstream.scoring.launch import launch_command

        if not reserve_attempt(run, attempt, claim, self.objects):
            self.log.info("Somebody else has just taken attempt %d: looking again", attempt)
            return self._settle(run, claim)
        claim = claim.model_copy(update={"attempt": attempt})
        self._claims(run).put(claim)
        launched = self.launch(launch_command(run, attempt, self.spec, self.environment))
        return self._after_launch(run, claim, attempt, launched)

    def _after_launch(
        self, run: ResolvedRun, claim: Claim, attempt: int, launcher: Launched
    ) -> dict[str, Any]:
        """Looks for the job. However the launcher ended, it is there if the service has it."""
        from nightstream.scoring.decision import Launch, decide

        for _ in range(LOOKS_AFTER_LAUNCH):
            seen = self._look(run)
            launched = seen.job_of(attempt)
            if launched:
                return self._follow(run, claim, launched)
            if not isinstance(decide(seen, run.force, attempt), Launch):
                self.log.info("Another run's job holds the name: it is adopted")
                return self._settle(run, claim)
            self.pause_between_looks()
        message = f"attempt {attempt} was not launched; the launcher's last lines:\n{launcher.tail}"
        if launcher.refused:
            self._claims(run).remove(claim)
            raise AirflowFailException(message)
        raise AirflowException(message)

    def _follow(self, run: ResolvedRun, claim: Claim, job: Job) -> dict[str, Any]:
        from nightstream.scoring.jobs import attempt_of

        claim = claim.model_copy(update={"job_id": job.id, "attempt": attempt_of(job)})
        self._claims(run).put(claim)
        return self._conclude(run, claim, job)

    def _conclude(self, run: ResolvedRun, claim: Claim, job: Job) -> dict[str, Any]:
        """The outcome of a job that this task waits for, once it has one."""
        from nightstream.jobs.job import Phase
        from nightstream.scoring.jobs import attempt_of

        if job.phase is not Phase.ENDED:
            self.wait_for(job)
        self.show(job)
        attempt = attempt_of(job)
        if attempt is not None and attempt in self._look(run).complete:
            return self._finish(run, claim, attempt, job, reused=False)
        self._claims(run).remove(claim)
        raise self._failure(job)

    def _failure(self, job: Job) -> AirflowException:
        from nightstream.scoring.failures import is_final

        if job.state == "CANCELLED":
            return AirflowFailException(
                f"job {job.name} ({job.id}) was cancelled. Remedy: clear this task to score again"
            )
        errors = self.dataflow.errors(job.id)
        text = "\n".join(errors) or "no error message was left"
        message = f"job {job.name} ({job.id}) ended as {job.state} without a manifest:\n{text}"
        return (AirflowFailException if is_final(errors) else AirflowException)(message)

    def _finish(
        self, run: ResolvedRun, claim: Claim, attempt: int, job: Job | None, *, reused: bool
    ) -> dict[str, Any]:
        from beam_jobs.runs.layout import RunLayout
        from nightstream.scoring.jobs import job_name

        if job:
            self.show(job)
        manifest = RunLayout(run.root, run.run_key).attempt(attempt).manifest
        self.log.info("%s: %s", "Already scored, reused" if reused else "Scored", manifest)
        self._claims(run).remove(claim)
        scored = ScoredRun(
            run_key=run.run_key,
            attempt=attempt,
            job_id=job.id if job else None,
            job_name=job_name(run.service, run.run_key),
            manifest_uri=manifest,
            reused=reused,
        )
        return scored.model_dump(mode="json")

    def _claims(self, run: ResolvedRun) -> Claims:
        from nightstream.scoring.claims import Claims, claims_folder

        night = claims_folder(self.environment.buckets.work, run.service, run.score_date)
        return Claims(self.objects, night, run.run_key)
