"""What the UI says about the DAG that releases a service's models."""

from __future__ import annotations

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from beam_jobs.spec.release import ReleaseSpec


def model_documentation(spec: ServiceSpec, environment: EnvironmentSpec) -> str:
    """The page of a model DAG, in Markdown."""
    release = spec.model.release
    assert release is not None
    held_out = f"gs://{environment.buckets.input}/{release.held_out.path}"
    return f"""\
# {spec.service}: the champion

{spec.description}

Owner: {spec.owner}. Trigger this DAG to make another version of
`gs://{environment.buckets.models}/{spec.service}` the champion, which the alias
`{spec.model.version}` names: nights score with it from the next one on, and the streaming job
changes over by itself. `action: roll_back` makes the champion before this one the champion again.

| | |
|---|---|
| Compared by | {release.metric} of `{spec.model.compared_output}` with `{release.held_out.label}` |
| Held-out rows | `{held_out}` |
| Accepted if | not worse than the champion by more than {release.tolerance:g} |
| Alias kept in | {_KEPT_IN[spec.model.source]} |
| Endpoint | {_rollout(spec, release)} |

A candidate that is **refused** is a red `compare` that says the figures, and is not tried again.
Every task may be cleared or killed: it goes on where things stand. When a step after `compare`
fails, `withdraw` gives the champion its traffic back and undeploys the candidate.
"""


_KEPT_IN = {
    "gcs": "an object beside the versions",
    "vertex_registry": "the Model Registry of Vertex AI",
}


def _rollout(spec: ServiceSpec, release: ReleaseSpec) -> str:
    if spec.model.endpoint is None:
        return "none: the workers run the model"
    return (
        f"`{spec.model.endpoint.name}`: {release.traffic_percent} % of the traffic until verified, "
        f"then all; the old champion stays deployed for {release.grace_minutes:g} minutes"
    )
