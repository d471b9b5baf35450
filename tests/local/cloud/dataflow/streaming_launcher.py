"""Streaming pipelines for launcher.py's way of submitting them.

Each reads `--source`, a subscription, or `--topic`, and writes to `--target`, a topic.
"""

import time

import apache_beam as beam
import launcher
from apache_beam.coders import BytesCoder
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, TimerSpec, on_timer


class Ends(PipelineOptions):
    @classmethod
    def _add_argparse_args(cls, parser):
        parser.add_argument("--source")
        parser.add_argument("--topic")
        parser.add_argument("--target")
        parser.add_argument("--pace", type=float, default=0.002)


class Answer(beam.DoFn):
    """Passes messages on, with what it was told of them; fails at `poison`, hangs at `hang`."""

    def __init__(self):
        self.seen = Metrics.counter("answer", "seen")
        self.size = Metrics.distribution("answer", "size")

    def process(self, message):
        if message.data.startswith(b"poison"):
            raise ValueError(f"cannot answer {message.data!r}")
        if message.data == b"hang" and message.attributes["until"] > str(time.time()):
            time.sleep(3600)
        self.seen.inc()
        self.size.update(len(message.data))
        told = {"id": message.message_id, "published": message.publish_time.isoformat()}
        yield PubsubMessage(message.data, {**message.attributes, **told})


class Slow(beam.DoFn):
    """Takes its time, in seconds, over each element."""

    def __init__(self, pace):
        self.pace = pace

    def process(self, element):
        time.sleep(self.pace)
        yield element


class Hold(beam.DoFn):
    """Keeps what comes for a second, then passes it on in one piece."""

    BAG = BagStateSpec("bag", BytesCoder())
    TIMER = TimerSpec("timer", TimeDomain.REAL_TIME)

    def process(self, element, bag=beam.DoFn.StateParam(BAG), timer=beam.DoFn.TimerParam(TIMER)):  # noqa: B008
        bag.add(element[1])
        timer.set(time.time() + 1)

    @on_timer(TIMER)
    def release(self, bag=beam.DoFn.StateParam(BAG)):  # noqa: B008
        yield b",".join(sorted(bag.read()))
        bag.clear()


def read(pipeline, with_attributes=False):
    source = pipeline.options.view_as(Ends).source
    return pipeline | beam.io.ReadFromPubSub(subscription=source, with_attributes=with_attributes)


def write(collection, with_attributes=False):
    target = collection.pipeline.options.view_as(Ends).target
    return collection | beam.io.WriteToPubSub(target, with_attributes=with_attributes)


def answer(pipeline, _name):
    answered = read(pipeline, True) | "Answer" >> beam.ParDo(Answer())
    write(answered, True)


def count_by_window(pipeline, _name):
    write(
        read(pipeline)
        | beam.WindowInto(beam.window.FixedWindows(2))
        | beam.combiners.Count.PerElement()
        | beam.MapTuple(lambda word, count: b"%s %d" % (word, count))
    )


def hold(pipeline, _name):
    write(read(pipeline) | beam.WithKeys("all") | "Hold" >> beam.ParDo(Hold()))


def hold_texts(pipeline, _name):
    """As `hold`, with elements of another coder."""
    texts = read(pipeline) | beam.Map(bytes.decode).with_output_types(str)
    write(texts | beam.WithKeys("all") | "Hold" >> beam.ParDo(Hold()))


def hold_loudly(pipeline, _name):
    """As `hold`, with another stateless step, and the stateful one under another name."""
    loud = read(pipeline) | "Loud" >> beam.Map(bytes.upper).with_output_types(bytes)
    write(loud | beam.WithKeys("all") | "Keep" >> beam.ParDo(Hold()))


class TellWhose(beam.DoFn):
    """Answers where the code comes from that it runs."""

    def setup(self):
        import code_of_image

        self.whose = code_of_image.WHOSE.encode()

    def process(self, data):
        yield data + b" " + self.whose


def tell_whose(pipeline, _name):
    write(read(pipeline) | "Tell" >> beam.ParDo(TellWhose()))


def answer_slowly(pipeline, _name):
    write(read(pipeline) | beam.ParDo(Slow(pipeline.options.view_as(Ends).pace)))


def shuffle_and_answer_slowly(pipeline, _name):
    pace = pipeline.options.view_as(Ends).pace
    write(read(pipeline) | beam.Reshuffle() | beam.ParDo(Slow(pace)))


def read_a_topic(pipeline, _name):
    messages = pipeline | beam.io.ReadFromPubSub(topic=pipeline.options.view_as(Ends).topic)
    write(messages | "Check" >> beam.Map(refuse_poison))


def refuse_poison(data):
    if data == b"poison":
        raise ValueError("poison")
    return data


def read_a_topic_bravely(pipeline, _name):
    """As `read_a_topic`, without what is wrong with that."""
    write(pipeline | beam.io.ReadFromPubSub(topic=pipeline.options.view_as(Ends).topic))


if __name__ == "__main__":
    launcher.main(globals())
