"""The prediction server: a model version behind Vertex AI's contract for custom containers.

Run as `python -m beam_jobs.prediction.server serve`; `… predict --instances FILE` answers once.
It needs neither Beam nor Airflow.
"""
