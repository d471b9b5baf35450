"""What is asked of a running job: other workers, or its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from googleapiclient.errors import HttpError

from nightstream.lifecycle.actions import Cancel, Drain, Tune
from nightstream.streaming.actions.cloud import Cloud, Refused

_NOT_TAKEN = (400, 404, 409)
"""What the service answers where a job's state does not allow it, or there is no such job."""


def tune(action: Tune, cloud: Cloud) -> None:
    """Changes between how many workers the job scales. Raises Refused."""
    with _in_its_words():
        cloud.dataflow.tune(action.job_id, action.workers.least, action.workers.most)


def drain(action: Drain, cloud: Cloud) -> None:
    """Asks the job to stop reading and to finish what it has read. Raises Refused."""
    with _in_its_words():
        cloud.dataflow.drain(action.job_id)


def cancel(action: Cancel, cloud: Cloud) -> None:
    """Asks for the job's end, whatever it has under way. Raises Refused."""
    with _in_its_words():
        cloud.dataflow.cancel(action.job_id)


@contextmanager
def _in_its_words() -> Iterator[None]:
    try:
        yield
    except HttpError as error:
        if error.status_code in _NOT_TAKEN:
            raise Refused(error.reason) from error
        raise
