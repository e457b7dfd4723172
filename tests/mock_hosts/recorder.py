"""Keep masked answers of real hosts as fixtures: what the documents say is one thing, what comes is another."""

from __future__ import annotations

import json
from pathlib import Path

from brokers.contract import CallRecord
from shared.config import ROOT

RECORDED = ROOT / "tests" / "brokers" / "recorded"


class Recorder:
    """Write the first answer of each TR and result code to `folder`; give it to an adapter as its call log."""

    def __init__(self, folder: Path = RECORDED) -> None:
        self._folder = folder
        self.calls: list[CallRecord] = []

    def __call__(self, call: CallRecord) -> None:
        self.calls.append(call)
        file = self._folder / call.broker / f"{call.tr}-{call.code or call.status or 'lost'}.json"
        if file.exists() or call.status is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "tr": call.tr,
            "at": call.at.isoformat(),
            "status": call.status,
            "outcome": call.outcome,
            "request": call.request,
            "response": call.response,
        }
        file.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
