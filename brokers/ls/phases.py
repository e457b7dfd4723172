"""JIF: what LS pushes when a market changes its phase (ls.md §5.4). Told at the change only, never on asking."""

from __future__ import annotations

from datetime import datetime

from brokers.contract import MarketPhase
from brokers.ls.codec import Row, required
from shared.domain.account import Market

_BOARDS = {
    "1": (Market.KRX, "코스피", "KOSPI"),
    "2": (Market.KRX, "코스닥", "KOSDAQ"),
    "6": (Market.KRX, "넥스트레이드", "NXT"),
    "9": (Market.US, "미국", "US"),
}
_PHASES = {
    "11": ("장전 동시호가 시작", "opening auction"),
    "21": ("장 시작", "market open"),
    "31": ("장 마감 동시호가 시작", "closing auction"),
    "41": ("장 마감", "market closed"),
    "51": ("시간외 종가매매 시작", "after-hours close trading"),
    "52": ("시간외 종가매매 종료, 단일가 시작", "after-hours single price"),
    "54": ("시간외 단일가 종료", "after-hours trading ended"),
    "55": ("프리마켓 시작", "pre-market open"),
    "56": ("애프터마켓 시작", "after-market open"),
    "57": ("프리마켓 마감", "pre-market closed"),
    "58": ("애프터마켓 마감", "after-market closed"),
}
_BRAKES = {
    "61": ("서킷브레이커 1단계 발동", "circuit breaker step 1"),
    "62": ("서킷브레이커 1단계 해제, 호가 접수", "circuit breaker step 1 released, orders accepted"),
    "63": ("서킷브레이커 1단계 동시호가 종료", "circuit breaker step 1, auction ended"),
    "64": ("사이드카 매도 발동", "sidecar on sells"),
    "65": ("사이드카 매도 해제", "sidecar on sells released"),
    "66": ("사이드카 매수 발동", "sidecar on buys"),
    "67": ("사이드카 매수 해제", "sidecar on buys released"),
    "68": ("서킷브레이커 2단계 발동", "circuit breaker step 2"),
    "69": ("서킷브레이커 3단계, 장 종료", "circuit breaker step 3, the day ends"),
    "70": ("서킷브레이커 2단계 해제, 호가 접수", "circuit breaker step 2 released, orders accepted"),
    "71": ("서킷브레이커 2단계 동시호가 종료", "circuit breaker step 2, auction ended"),
}


def decode_phase(market: Market, body: Row, at: datetime) -> MarketPhase | None:
    """None for a market that is not the account's, and for the countdowns before a change."""
    board, status = _BOARDS.get(required(body, "jangubun")), required(body, "jstatus")
    words = _BRAKES.get(status) or _PHASES.get(status)
    if board is None or board[0] is not market or words is None:
        return None
    return MarketPhase(at, f"{board[1]} {words[0]} / {board[2]} {words[1]}", brake=status in _BRAKES)
