"""What of the work bucket nobody needs any more, and which jobs nobody waits for.

`inventory` is what there is, `decision` what goes and what stays, `report` says why; all three are
pure. `observing` and `sweeping` are the two borders: the one looks, the other removes.
"""
