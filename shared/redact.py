"""Make text safe to show: what looks like a key, a token, a password or a whole account number becomes ***."""

from __future__ import annotations

import re

_SURE = (
    r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}"  # a Telegram bot's token
    r"|\blt_[A-Za-z0-9_-]{20,}"  # our own API tokens
    r"|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*"  # a JWT: brokers' access tokens, Supabase keys
    r"|(?<=://)[^/\s:@\"]+:[^@\s\"]+(?=@)"  # user:password of an address
    r"|\bPS[A-Za-z0-9]{12,}"  # KIS app keys
    r"|\b\d{8}-\d{2,3}\b"  # an account number as people write it
    r"|(?<=[Bb]earer )[\w.~+/=-]{16,}"
)
_SECRETS = re.compile(_SURE)
_DOUBTFUL = re.compile(_SURE + r"|\b\d{8}-?\d{2,3}\b|[A-Za-z0-9+/=_-]{60,}")


def masked(text: str, *, strict: bool = False) -> str:
    """`text` without secrets. `strict` also takes what only might be one: long runs of signs, 10 and 11 digits."""
    return (_DOUBTFUL if strict else _SECRETS).sub("***", text)
