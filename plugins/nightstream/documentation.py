"""What the UI says about a service's DAGs, from its spec."""

from __future__ import annotations

from beam_jobs.spec import EnvironmentSpec, Field, ServiceSpec
from beam_jobs.spec.lifecycle import HealthSpec
from beam_jobs.spec.streaming import FoundIn
from nightstream.forms.streaming import action_rows
from nightstream.streaming.naming import Slot, live_job_name


def batch_documentation(spec: ServiceSpec, environment: EnvironmentSpec) -> str:
    """The page of a batch DAG, in Markdown."""
    dataset = f"{environment.project}.{environment.bigquery.dataset}"
    fields = "\n".join(_field_row(field) for field in spec.input.fields)
    audit = spec.audit
    outputs = ", ".join(f"`{output.name}` ({output.type})" for output in spec.model.outputs)
    return f"""\
# {spec.service}: nightly scoring

{spec.description}

Owner: {spec.owner}. Every night (`{spec.schedule.cron}`, {spec.schedule.timezone}) this DAG waits
for the night's files, pins them and the model, scores them in one Dataflow job, audits the result
and replaces exactly one partition of `{dataset}.{spec.service}_predictions`. Rows that cannot be
scored are in `{dataset}.{spec.service}_dead_letters`, with the reason.

| | |
|---|---|
| Input | `gs://{environment.buckets.input}/{spec.input.path}{spec.input.files}` |
| Complete when | {_completeness(spec)} |
| A night without files | {_WITHOUT_FILES[spec.input.when_missing]} |
| Model | `{spec.model.version}` of `gs://{environment.buckets.models}/{spec.service}` |
| Prediction | {outputs} |
| Published if | at most {audit.max_dead_ratio:.3%} dead rows, at least {audit.min_rows} rows |
| Late after | {spec.schedule.deadline_minutes:g} minutes |

| field | type | needed | rule |
|---|---|---|---|
{fields}

**By hand:** trigger the DAG and fill in the form. **Backfill:** `airflow backfill create --dag-id
{spec.service}_batch --from-date … --to-date …`. A night that is scored again replaces only its own
partition; a night that is published already is left as it is.
"""


def streaming_documentation(spec: ServiceSpec, environment: EnvironmentSpec) -> str:
    """The page of a streaming DAG, in Markdown."""
    streaming = spec.streaming
    assert streaming is not None
    tables = f"{environment.project}.{environment.bigquery.dataset}.{spec.service}"
    topics = f"projects/{environment.project}/topics"
    job = live_job_name(spec.service, Slot.A)
    lifecycle, every = streaming.lifecycle, environment.airflow.reconcile_seconds
    upgrade = lifecycle.upgrade
    answers = f"`{topics}/{streaming.response_topic}`" if streaming.response_topic else "not sent"
    fields = "\n".join(_field_row(field) for field in spec.input.fields)
    return f"""\
# {spec.service}: requests as they arrive

{spec.description}

Owner: {spec.owner}. The Dataflow job `{job}` scores requests as they are published. What should
run is declared; every {every:g} s a round of this DAG looks at what does run, takes at most one
action, and says why in the log of `decide` and its XCom `reasons`. A failed run is a question to a
person, or a round that could not look: the next one looks again. Killing, clearing or retrying a
task stops no job and starts no second one. While this DAG is paused, nobody looks, and the job runs
on.

| | |
|---|---|
| Requests | `{topics}/{streaming.topic}`, read from the subscription `{streaming.subscription}` |
| Payload | {_PAYLOADS[streaming.payload.type]} |
| Request id | {_found_in(streaming.request_id, "the id of the message and the line in it")} |
| Event time | {_found_in(streaming.event_time, "the time of publishing")} |
| Answers | {answers} |
| Model | `{spec.model.version}` of `gs://{environment.buckets.models}/{spec.service}` |
| Should be | {lifecycle.state} |
| Upgrade | `{upgrade.strategy}`; when the alias of the model moves: `{upgrade.model}` |
| Stable | {_stable(lifecycle.health)} |

| to read | what it holds |
|---|---|
| `{tables}_predictions_live_unique` | one prediction for each request |
| `{tables}_dead_letters_live_unique` | the requests that were not scored, and why |
| `{tables}_predictions_live`, `…_dead_letters_live` | every row that was written |

A request counts once within the day on which it was published: filter the views by `publish_date`,
which reads the partitions of those days only.

**By hand:** trigger the DAG and choose an action. It is obeyed by all later rounds, too, until it
is lifted; the ledger (button *Ledger* of a task) says who asked for what, and holds the revisions.

| action | what it does |
|---|---|
{action_rows()}

**Metrics** (namespace `nightstream`) are shown beside the job; the button *Dataflow job* of a task
leads there. `requests` = `scored` + `dead`, `dead_<error code>`, `batches`, `rows_per_batch`,
`model_calls`, `publish_to_scored_ms` with a counter `publish_to_scored_ms_le_<bound>` for each
bound, and `last_event_time_ms`.

| field | type | needed | rule |
|---|---|---|---|
{fields}
"""


_PAYLOADS = {"json": "one JSON object per message", "csv": "CSV lines, any number per message"}
_WITHOUT_FILES = {
    "fail": "fails",
    "skip": "is skipped",
    "empty": "publishes an empty partition",
}


def _completeness(spec: ServiceSpec) -> str:
    rule = spec.input.complete
    match rule.rule:
        case "marker":
            return f"`{rule.object}` lies beside the files"
        case "manifest":
            return f"`{rule.object}` is there with all files that it lists"
        case "quiet":
            return f"no new file came for {rule.minutes:g} minutes"


def _stable(health: HealthSpec) -> str:
    return (
        f"after {health.stabilisation_seconds:g} s of good health, which is at most "
        f"{health.most_dead_share:.1%} dead letters and {health.most_errors} error messages in "
        f"{health.window_seconds:g} s, and no lag over {health.most_lag_seconds:g} s"
    )


def _found_in(place: FoundIn, otherwise: str) -> str:
    places = [
        f"{kind} `{name}`"
        for kind, name in (("attribute", place.attribute), ("field", place.field))
        if name
    ]
    return ", else ".join([*places, otherwise])


def _field_row(field: Field) -> str:
    rules = []
    if field.range is not None:
        rules.append("{} … {}".format(*("" if end is None else end for end in field.range)))
    if field.allowed is not None:
        rules.append("one of " + ", ".join(str(value) for value in field.allowed))
    if field.pattern is not None:
        rules.append("`" + field.pattern.replace("|", "\\|") + "`")
    if field.passthrough:
        rules.append("kept, not fed to the model")
    needed = "yes" if field.required else "no"
    return f"| `{field.name}` | {field.type} | {needed} | {'; '.join(rules)} |"
