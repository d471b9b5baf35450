"""What each action does to the cloud. Each returns at once: what came of it is seen by the next
round. Done twice, it is as if it was done once."""
