"""The revision that should run: what spec, environment, code and model alias say by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.api_core.exceptions import Forbidden, RetryError, ServerError, TooManyRequests
from requests.exceptions import RequestException

from beam_jobs.prediction.versions import ModelError
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.streaming.revisions import declared_plan

if TYPE_CHECKING:
    from beam_jobs.objects import Objects
    from beam_jobs.runs.streaming import StreamingPlan
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec


def declared(
    spec: ServiceSpec, environment: EnvironmentSpec, objects: Objects
) -> tuple[Revision | None, str]:
    """The revision, and an empty text; or None, and what keeps it from being told, with the
    remedy."""
    try:
        return revision_of_plan(declared_plan(spec, environment, objects)), ""
    except ModelError as error:
        return None, str(error)
    except Forbidden as error:
        return None, (
            f"the model cannot be read: {error}. Remedy: let the account of the connection "
            f"{environment.airflow.gcp_conn_id} read the bucket {environment.buckets.models}"
        )
    except (ServerError, TooManyRequests, RetryError, RequestException) as error:
        return None, f"the model cannot be told now: {error}. Remedy: none, the next round asks"


def declared_place(spec: ServiceSpec, environment: EnvironmentSpec) -> Place:
    """Where the job should run, whatever its model."""
    streaming = spec.streaming
    assert streaming is not None
    return Place(
        project=environment.project,
        region=environment.dataflow.region,
        topic=streaming.topic,
        subscription=f"projects/{environment.project}/subscriptions/{streaming.subscription}",
    )


def revision_of_plan(plan: StreamingPlan) -> Revision:
    """What the lifecycle has to know of a plan."""
    streaming = plan.streaming
    return Revision(
        id=plan.revision,
        model_version=plan.model.version,
        place=Place(
            project=plan.project,
            region=plan.region,
            topic=streaming.topic,
            subscription=plan.subscription,
        ),
        topology=str(streaming.lifecycle.upgrade.generation),
        base=plan.base,
        refreshes=plan.refreshes,
        workers=Workers(
            least=streaming.workers, most=max(streaming.workers, streaming.max_workers)
        ),
    )
