"""Submits pipelines with the unmodified DataflowRunner, as a user's script would.

Reads a JSON list of [kind, job name, pipeline options] from its argument, prints a line of JSON per
submission, then the metrics that Beam reads from the service of each job named on standard input;
a line of JSON there is another submission.
"""

import json
import sys
import time

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions

BUCKET = "gs://nightly"
GREETING = "hello"


class CountWords(beam.DoFn):
    def __init__(self):
        self.words = Metrics.counter("text", "words")
        self.length = Metrics.distribution("text", "length")
        self.latest = Metrics.gauge("text", "latest")
        self.spelled = Metrics.string_set("text", "spelled")

    def process(self, line):
        for word in line.split():
            self.words.inc()
            self.length.update(len(word))
            self.latest.set(len(word))
            self.spelled.add(word)
            yield word, 1


class Work(beam.DoFn):
    """Takes its time over each row; counts them."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.rows = Metrics.counter("work", "rows")

    def process(self, row):
        time.sleep(self.seconds)
        self.rows.inc()
        yield row % 2, 1


def fail(row):
    raise ValueError(f"row {row} cannot be scored")


def greet(name):
    """Needs the main session, the staged package and the extra one."""
    import extra_words
    import staged_words

    return f"{GREETING} {name}{staged_words.MARK}{extra_words.MARK}"


def find_modules(_):
    for name in ("code_of_image", "beam_jobs"):
        yield f"{name} {whose(name)}"


def whose(module):
    """Where that module comes from, as it says itself."""
    import importlib

    try:
        return importlib.import_module(module).WHOSE
    except ModuleNotFoundError:
        return "nobody"


def read_and_count(pipeline, name):
    (
        pipeline
        | beam.io.ReadFromText(f"{BUCKET}/in/words.txt")
        | "CountWords" >> beam.ParDo(CountWords())
        | beam.CombinePerKey(sum)
        | beam.MapTuple(lambda word, count: f"{word} {count}")
        | beam.io.WriteToText(f"{BUCKET}/{name}/out")
    )


def raise_in_user_code(pipeline, _name):
    pipeline | beam.Create([1, 2, 3], reshuffle=False) | beam.Map(fail)


def work_slowly(pipeline, name, seconds=0.3, rows=20):
    (
        pipeline
        | beam.Create(range(rows))
        | beam.Reshuffle()
        | "Work" >> beam.ParDo(Work(seconds))
        | beam.CombinePerKey(sum)
        | beam.Map(str)
        | beam.io.WriteToText(f"{BUCKET}/{name}/out")
    )


def work_for_ever(pipeline, name):
    work_slowly(pipeline, name, seconds=0.2, rows=10_000)


def work_slowly_and_look_around(pipeline, name):
    look_around(pipeline, name)
    work_slowly(pipeline, name)


def use_staged_code(pipeline, name):
    look_around(pipeline, name)
    (
        pipeline
        | beam.Create(["Ada"], reshuffle=False)
        | beam.Map(greet)
        | beam.io.WriteToText(f"{BUCKET}/{name}/out")
    )


def look_around(pipeline, name):
    (
        pipeline
        | "Start" >> beam.Create([None], reshuffle=False)
        | "Look" >> beam.FlatMap(find_modules)
        | "Tell" >> beam.io.WriteToText(f"{BUCKET}/{name}/modules")
    )


def submit(kinds, kind, name, options):
    pipeline = beam.Pipeline(options=PipelineOptions([*options, f"--job_name={name}"]))
    kinds[kind](pipeline, name)
    try:
        return pipeline.run(), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def told(metrics):
    shown = metrics.query()
    return {
        "counters": {m.key.step + "/" + m.key.metric.name: m.attempted for m in shown["counters"]},
        "distributions": {
            m.key.step + "/" + m.key.metric.name: [m.committed.count, m.committed.sum]
            for m in shown["distributions"]
        },
        "all": sorted({m.key.metric.name for m in metrics.all_metrics()}),
    }


def main(kinds):
    results = {}

    def launch(kind, name, options):
        result, error = submit(kinds, kind, name, options)
        if result:
            results[name] = result
        answer = {"name": name, "id": result and result.job_id(), "error": error}
        print(json.dumps(answer), flush=True)

    for job in json.loads(sys.argv[1]):
        launch(*job)
    for line in sys.stdin:
        if line.startswith("["):
            launch(*json.loads(line))
            continue
        result = results[line.strip()]
        print(json.dumps({"state": result.state, **told(result.metrics())}), flush=True)


if __name__ == "__main__":
    main(globals())
