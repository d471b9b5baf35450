"""What the UI says about a service's DAG, from its spec."""

from __future__ import annotations

from beam_jobs.spec import EnvironmentSpec, Field, ServiceSpec


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
