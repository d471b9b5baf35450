"""Prediction services: models that run in the worker, and what a model version is."""
