"""Predictions of requests as they arrive: small calls merged, calls that hang given up."""
