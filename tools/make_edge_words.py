"""Write the words that the Edge Function says: the alerts' sentences and the words of their parameters, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from console.telegram.messages import MARKS, ONE, TEMPLATES
from shared.config import ROOT
from shared.wording.alerts import ADVICE, TEXTS
from shared.words import WORDS

FILE = ROOT / "supabase" / "functions" / "_shared" / "words.json"
PARAMETERS = ("side.", "limit.", "level.", "reason.")  # parameters of alerts whose values are words of the desk


def document() -> str:
    """The file's text; the notifier reads the same tables, so both say the same."""
    words = {key: both for key, both in WORDS.items() if key.startswith(PARAMETERS)}
    found = {"marks": MARKS, "one": ONE, "templates": {k: v for k, v in TEMPLATES.items() if v != ONE}}
    return json.dumps({**found, "texts": TEXTS, "advice": ADVICE, "words": words}, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
