"""The pure core of streaming control: what is seen goes in, one decision comes out.

`observe` (at the border) makes a Snapshot; `decide` says what to do and why; `record` (ledger.py)
says what the ledger holds afterwards. Nothing in this folder does I/O, knows Airflow or reads a
clock.
"""
