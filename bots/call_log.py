"""Every REST call as one JSON line beside the journal: reads in a file that rotates, order calls in one that is kept.

An order's line carries its client order id (`correlation_id`), the same that its row in `orders` has. Bodies and headers
come masked and cut to size by the door (brokers/http.py).
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

import orjson

from brokers.contract import CallRecord

READS, ORDERS = "calls.jsonl", "order-calls.jsonl"
READ_BYTES, READ_FILES = 5_000_000, 2


class FileCallLog:
    """Write each call to the account's folder. A disk that is full loses lines, never an order (logging's own manners)."""

    def __init__(self, folder: Path) -> None:
        self._reads = RotatingFileHandler(folder / READS, maxBytes=READ_BYTES, backupCount=READ_FILES, delay=True)
        self._orders = logging.FileHandler(folder / ORDERS, delay=True)

    def __call__(self, call: CallRecord) -> None:
        line = orjson.dumps(
            {
                "at": call.at,
                "broker": call.broker,
                "tr": call.tr,
                "outcome": call.outcome,
                "status": call.status,
                "code": call.code,
                "latency_ms": round(call.latency_ms, 1),
                "rate_used": call.rate_used,
                "rate_limit": call.rate_limit,
                "correlation_id": call.correlation_id,
                "headers": call.headers,
                "request": call.request,
                "response": call.response,
            }
        ).decode()
        handler = self._reads if call.correlation_id is None else self._orders
        handler.emit(logging.LogRecord("calls", logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        self._reads.close()
        self._orders.close()
