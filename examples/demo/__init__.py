"""The guided show of `make demo`: real nights, scored on the local stack, checked to the row."""
