"""What the desk says on Telegram: one template per event, as Telegram HTML, never longer than a message may be."""

from __future__ import annotations

import html
from collections.abc import Sequence

from shared.domain.account import Market
from shared.domain.trading_days import ZONES
from shared.models import Alert
from shared.wording.alerts import ADVICE, TEXTS
from shared.words import alert_advice, alert_text

LONGEST = 4096  # characters after entities are parsed; counted before, which is the stricter reading
CAPTION = 1024
MARKS = {"critical": "🔴", "warning": "🟠", "info": "⚪"}
ONE = "{mark} {account}{text}{count}{advice}"
TEMPLATES: dict[str, str] = dict.fromkeys(TEXTS, ONE)  # the sentence of each event is in shared/wording/alerts.py
TEMPLATES["FILL"] = "✅ {account}{text}{count}{advice}"
TEMPLATES["KILL_RAISED"] = "🛑 {account}{text}{count}{advice}"
TEMPLATES["ORDER_UNKNOWN"] = "❓ {account}{text}{count}{advice}"
DIGEST = {"ko": "🗂 알림 {n}건", "en": "🗂 {n} alerts"}
MORE = {"ko": "… 외 {n}건은 알림 화면에 있습니다", "en": "… {n} more on the alerts page"}


def one(alert: Alert, account: str, lang: str) -> str:
    """An alert as a message of its own; everything that came from outside is escaped."""
    said = clip(alert_text(alert.kind, lang, alert.params), 2500)
    advice = clip(alert_advice(alert.kind, lang), 600) if alert.kind in ADVICE else ""
    return TEMPLATES.get(alert.kind, ONE).format(
        mark=MARKS.get(alert.severity, "⚪"),
        account=f"<b>{clip(account, 200)}</b>\n" if account else "",
        text=said,
        count=f" ×{alert.count}" if alert.count > 1 else "",
        advice=f"\n{advice}" if advice else "",
    )


def digest(alerts: Sequence[tuple[Alert, str]], lang: str) -> str:
    """Many alerts in one message, oldest first; what does not fit is counted."""
    head = DIGEST[lang].format(n=len(alerts))
    lines, used = [head], len(head)
    for shown, (alert, account) in enumerate(alerts):
        at = alert.last_at.astimezone(ZONES[Market.KRX]).strftime("%H:%M")
        name = f"<b>{clip(account, 60)}</b> " if account else ""
        line = f"{MARKS.get(alert.severity, '⚪')} {at} {name}{clip(alert_text(alert.kind, lang, alert.params), 300)}"
        if used + len(line) + 80 > LONGEST:
            lines.append(MORE[lang].format(n=len(alerts) - shown))
            break
        lines.append(line)
        used += len(line) + 1
    return "\n".join(lines)


def clip(text: str, most: int) -> str:
    """Escape `text` and keep at most `most` characters of it; an entity is never cut in two."""
    pieces, used = [], 0
    for sign in text:
        piece = html.escape(sign)
        if used + len(piece) > most - 1:
            return "".join(pieces) + "…"
        pieces.append(piece)
        used += len(piece)
    return "".join(pieces)


def fitting(lines: Sequence[str], most: int = LONGEST) -> str:
    """Whole lines, already escaped, up to a message's length."""
    kept, used = [], 0
    for line in lines:
        if used + len(line) + 1 > most - 4:
            return "\n".join([*kept, "…"])
        kept.append(line)
        used += len(line) + 1
    return "\n".join(kept)
