"""What the triggerer watches for waiting tasks. Triggers look; they never act."""
