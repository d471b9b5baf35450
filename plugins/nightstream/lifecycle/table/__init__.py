"""The decision table of docs/lifecycle-decisions.md, made by asking `decide` itself."""
