"""From a resolved run to a finished job: names, claims, the decision, the launch."""
