"""A Flex Template that describes no job: `--kind` says how it goes wrong."""

import sys
import time

kind = next(a.removeprefix("--kind=") for a in sys.argv if a.startswith("--kind="))
print(f"started as {kind}", flush=True)
if kind == "waiting":
    time.sleep(3600)
if kind == "failing":
    raise ValueError("there is no such model")
