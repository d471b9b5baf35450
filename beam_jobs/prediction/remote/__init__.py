"""Predictions of a model that is deployed on a Vertex AI endpoint."""
