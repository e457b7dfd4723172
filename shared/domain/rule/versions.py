"""A rule's identity over time: a version is immutable, so equal content has an equal fingerprint."""

from __future__ import annotations

import hashlib
import json

from shared.domain.rule.model import Rule
from shared.domain.rule.write import to_document


def fingerprint(rule: Rule) -> str:
    """Return a SHA-256 over the rule's meaning; comments, key order and YAML or JSON make no difference."""
    canonical = json.dumps(to_document(rule), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
