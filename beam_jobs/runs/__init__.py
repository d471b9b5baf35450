"""What a nightly run is: its plan, its identity, its outputs. Imports neither Beam nor Airflow."""
