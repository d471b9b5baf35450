"""The whole stack. A package, so that the stack is brought down with the last of its tests."""
