"""The steps from a candidate folder to the champion."""
