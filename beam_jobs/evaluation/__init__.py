"""How good a model version is: on held-out rows, and on the endpoint it is deployed on.

A process of its own, since to open a model is to run what it holds. It imports no Beam.
"""
