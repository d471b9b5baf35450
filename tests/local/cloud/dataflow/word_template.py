"""The pipelines of a Flex Template, as its image would have them: `--kind` says which.

`counting` writes how many words the input has, `answering` answers Pub/Sub messages.
"""

import logging

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


class Options(PipelineOptions):
    @classmethod
    def _add_argparse_args(cls, parser):
        parser.add_argument("--kind", default="counting")
        parser.add_argument("--source")
        parser.add_argument("--target")
        parser.add_argument("--step", default="Answer")


def count(pipeline, options):
    (
        pipeline
        | beam.io.ReadFromText(options.source)
        | beam.FlatMap(str.split)
        | beam.combiners.Count.Globally()
        | beam.io.WriteToText(options.target, num_shards=1)
    )


def answer(pipeline, options):
    (
        pipeline
        | beam.io.ReadFromPubSub(subscription=options.source)
        | options.step >> beam.Map(lambda data: b"answered " + data)
        | beam.io.WriteToPubSub(options.target)
    )


def main():
    options = PipelineOptions()
    ours = options.view_as(Options)
    with beam.Pipeline(options=options) as pipeline:
        {"counting": count, "answering": answer}[ours.kind](pipeline, ours)


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.INFO)
    main()
