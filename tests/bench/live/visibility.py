"""When rows become visible to those who query the table."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime

import numpy as np
from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

from tests.bench.live.service import BenchService

_LOOK_S = 0.05
_PATIENCE_S = 60


class Probes:
    """Requests picked by a digest of their names, hence at random places among the others.

    share: a hexadecimal prefix of the digest; "" picks all, "0" one in sixteen.
    """

    def __init__(self, prefix: str, count: int, share: str) -> None:
        names = (f"{prefix}{number}" for number in range(count))
        self.share = share
        self.numbers = {
            name: number
            for number, name in enumerate(names)
            if hashlib.md5(name.encode()).hexdigest().startswith(share)
        }


def latencies_ms(service: BenchService, probes: Probes, began: float, rate: float) -> np.ndarray:
    """For each probe, from the moment it was due to the answer of the first query that shows it, in
    the order in which they appeared.

    A query looks twenty times a second for probes published since the oldest one that is missing:
    that reads a few hundred rows of the table's last partition. Up to a twentieth of a second of
    each latency is therefore the wait for the next query. Raises RuntimeError for probes that do
    not appear.
    """
    table = f"{service.dataset}.{service.plan.tables.predictions}"
    sql = (
        f"SELECT request_id FROM `{table}` WHERE published_at >= @since "
        "AND STARTS_WITH(TO_HEX(MD5(request_id)), @share)"
    )
    missing = dict(probes.numbers)
    found: list[float] = []
    last_due = began + max(missing.values()) / rate
    while missing:
        look = time.time()
        oldest_due = began + next(iter(missing.values())) / rate
        parameters = [
            ScalarQueryParameter("since", "TIMESTAMP", datetime.fromtimestamp(oldest_due, UTC)),
            ScalarQueryParameter("share", "STRING", probes.share),
        ]
        config = QueryJobConfig(query_parameters=parameters)
        shown = [row[0] for row in service.client.query_and_wait(sql, job_config=config)]
        now = time.time()
        for name in shown:
            number = missing.pop(name, None)
            if number is not None:
                found.append((now - began - number / rate) * 1e3)
        if now > last_due + _PATIENCE_S:
            raise RuntimeError(f"{len(missing)} requests never became visible:\n{service.log}")
        time.sleep(max(0.0, look + _LOOK_S - time.time()))
    return np.array(found)
