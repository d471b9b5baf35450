"""Faults on demand: errors, latency, hangs, resets, crashes, stale reads.

Nothing is injected unless asked for; each injection is counted and logged. `fault` says what can be
asked for, `points` where in the code it may strike, `armed` decides, `injection` strikes requests,
`in_jobs` Dataflow jobs, and `api` takes the orders.
"""
