"""How far rows and predictions are from the training data and from the nights before.

All of it is read from histograms that the jobs counted; no row is looked at again.
"""
