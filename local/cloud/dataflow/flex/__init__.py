"""Flex Templates: container specs, what a launch asks for, and the launcher that runs it."""
