"""The forms of manual triggers: what a person may choose for one run."""
