"""The Beam side of Nightstream, shared by the nightly batch and the streaming job.

Nothing in this package imports Airflow. `beam_jobs.spec` and `beam_jobs.runs` import neither
Beam nor Arrow, so that a DAG file can read a spec without paying for either.
"""
