"""Dataflow jobs, whatever they score: what they are, with which options, how they are launched."""
