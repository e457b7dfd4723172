"""Numbers, times and states as safe HTML. Unknown is a dash, never zero."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from zoneinfo import ZoneInfo

from shared.domain.account import Environment
from shared.domain.money import Currency, Money
from shared.words import say

KST = ZoneInfo("Asia/Seoul")
UNKNOWN = "—"
TOKEN_SHORT_S = 3600
_SIGNS = {"KRW": "₩", "USD": "$"}


class Html(str):
    """Markup made here from escaped parts; every other string is escaped where it is drawn."""

    __slots__ = ()


def safe(value: object) -> Html:
    return value if isinstance(value, Html) else Html(escape(str(value), quote=True))


def span(css: str, value: object, title: str = "") -> Html:
    hint = f' title="{escape(title, quote=True)}"' if title else ""
    return Html(f'<span class="{css}"{hint}>{safe(value)}</span>')


def join(*parts: object) -> Html:
    return Html("".join(safe(part) for part in parts))


def amount(value: Decimal | None, currency: str) -> str:
    """₩1,234 or $1,234.56, rounded for the eye only."""
    if value is None:
        return UNKNOWN
    places = Currency(currency).decimals if currency in _SIGNS else 2
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{_SIGNS.get(currency, '')}{abs(rounded):,}"


def money(value: Money | None) -> str:
    return UNKNOWN if value is None else amount(value.amount, value.currency.value)


def price(value: Decimal | None, currency: str) -> str:
    """A price to the digit it was given in; at least the currency's decimals."""
    if value is None:
        return UNKNOWN
    shown = f"{value:f}"
    decimals = len(shown.partition(".")[2])
    places = max(decimals, Currency(currency).decimals if currency in _SIGNS else 0)
    return f"{_SIGNS.get(currency, '')}{value:,.{places}f}"


def moved(value: Decimal | None, shown: str) -> Html:
    """A signed figure in the Korean habit: up red, down blue, with an arrow for those who see no colour."""
    if value is None:
        return span("lt-unknown", UNKNOWN)
    if value == 0:
        return span("lt-flat", shown)
    up = value > 0
    return span("lt-up" if up else "lt-down", f"{'▲' if up else '▼'} {shown.lstrip('-')}")


def moved_money(value: Money | None) -> Html:
    return moved(None if value is None else value.amount, money(value))


def percent(value: Decimal | None) -> str:
    return UNKNOWN if value is None else f"{value:+.2f}%"


def part_told(value: Decimal | None) -> Html:
    """A part of one as a signed per cent, coloured; 0.045 is 4.5 %."""
    return span("lt-unknown", UNKNOWN) if value is None else moved(value, percent(value * 100).lstrip("+"))


def ago(seconds: float | None, lang: str) -> str:
    """ "3초 전"; the dash when it never happened."""
    return UNKNOWN if seconds is None else say("ago", lang, length=length(seconds, lang))


def length(seconds: float, lang: str) -> str:
    """A span of time in its largest unit."""
    for limit, unit, size in ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600)):
        if seconds < limit:
            return say(f"length.{unit}", lang, n=int(seconds // size))
    return say("length.d", lang, n=int(seconds // 86400))


def age(at: datetime | None, now: datetime, lang: str) -> str:
    return ago(None if at is None else max(0.0, (now - at).total_seconds()), lang)


def clock(at: datetime | None) -> str:
    """HH:MM:SS in Korea."""
    return UNKNOWN if at is None else at.astimezone(KST).strftime("%H:%M:%S")


def moment(at: datetime | None) -> str:
    return UNKNOWN if at is None else at.astimezone(KST).strftime("%m-%d %H:%M:%S")


def environment_badge(environment: str, lang: str) -> Html:
    css = {Environment.LIVE: "live", Environment.MOCK: "mock"}.get(Environment(environment), "sim")
    return span(f"lt-env lt-{css}", say(f"env.{environment}", lang))


def mark(tone: str, word: str, title: str = "") -> Html:
    """A state as sign and word; `tone` is act, watch, fine or off."""
    sign = {"act": "■", "watch": "▲", "fine": "●", "off": "○"}[tone]
    return Html(
        f'<span class="lt-mark lt-{tone}" title="{escape(title, quote=True)}"><i>{sign}</i> {safe(word)}</span>'
    )


def token_left(expires_at: datetime | None, now: datetime, lang: str) -> Html:
    """How long a broker token still lives; a warning from one hour on."""
    if expires_at is None:
        return span("lt-unknown", UNKNOWN)
    left = (expires_at - now).total_seconds()
    if left <= 0:
        return mark("watch", say("token.over", lang))
    told = say("token.left", lang, left=length(left, lang))
    return mark("watch", told) if left < TOKEN_SHORT_S else span("lt-soft", told)
