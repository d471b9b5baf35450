"""How long a test waits for what must come."""

PATIENCE_S = 120.0
"""Many times what anything takes on an idle machine: whoever waits so long waits in vain."""
