"""The streaming job under faults and bad input. A package, so that its job ends with its tests."""
