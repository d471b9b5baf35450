"""Do the books close? What went in against what came out, across objects, tables and ledgers.

`books`, `nights` and `requests` are pure; `looking` is the border, `report` makes the text.
"""
