"""One page for each audited night: what was scored, how far it drifts, what died and why.

The page is a single HTML file that needs no network and runs no script.
"""
