"""Dead letters tried again: which ones, what a replay starts from, and what came of each.

`choice`, `trying` and `outcomes` are pure; `letters` and `exports` are the borders.
"""
