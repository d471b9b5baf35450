"""Sends a file to a topic as scoring requests, and measures how soon they are answered."""
