"""What is run: the plan of a night or of a streaming job, its identity, its outputs.

Imports neither Beam nor Airflow.
"""
