"""Streaming inserts into BigQuery: whole micro-batches, and no row lost or blocked by another.

Beam's own WriteToBigQuery is a step of its own behind a shuffle, so it commits, and with it
acknowledges, before the rows are in the table; why else it is not used: docs/streaming-sink.md.
"""
