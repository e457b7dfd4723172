"""Stream TRs: which keys a registration names, and which channels a share's news goes to (ls.md §5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from brokers.paper.listings import Listing
from brokers.paper.ls_wire.us import KEY_LENGTH, exchange_of
from shared.domain.account import Market

STATUS_TR = "JIF"
VI_TR, VI_ALL = "VI_", "000000"
KR_NOTICES = {"SC0", "SC1", "SC2", "SC3", "SC4"}  # registering any one delivers all
US_NOTICES = {"AS0", "AS1", "AS2", "AS3", "AS4"}
_VENUE_KEY = 10  # U005930 or N005930 and three blanks


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of news and the TR of each place it can be had from."""

    kospi: str
    kosdaq: str
    unified: str
    nxt: str
    us: str = ""

    def channels(self, listing: Listing) -> list[tuple[str, str]]:
        """(TR, key as pushes write it): a code of the other board, or one that NXT does not trade, is silent."""
        if listing.market is Market.US:
            return [(self.us, us_key(listing))] if self.us else []
        code = listing.symbol
        found = [(self.kosdaq if listing.board == "KOSDAQ" else self.kospi, code)]
        found.append((self.unified, f"U{code}".ljust(_VENUE_KEY)))
        if listing.on_nxt:
            found.append((self.nxt, f"N{code}".ljust(_VENUE_KEY)))
        return found

    def trs(self) -> set[str]:
        return {self.kospi, self.kosdaq, self.unified, self.nxt, self.us} - {""}


TRADES = Family("S3_", "K3_", "US3", "NS3", "GSC")
BOOKS = Family("H1_", "HA_", "UH1", "NH1", "GSH")
EXPECTED = Family("YS3", "YK3", "UYS", "NYS")
_WIDTH = {
    **dict.fromkeys(("US3", "NS3", "UH1", "NH1", "UYS", "NYS"), _VENUE_KEY),
    **dict.fromkeys(("GSC", "GSH"), KEY_LENGTH),
}
MARKET_TRS = TRADES.trs() | BOOKS.trs() | EXPECTED.trs() | {STATUS_TR, VI_TR}
KNOWN_TRS = MARKET_TRS | KR_NOTICES | US_NOTICES


def us_key(listing: Listing) -> str:
    return (exchange_of(listing) + listing.symbol).ljust(KEY_LENGTH)


def keys_of(tr: str, tr_key: str) -> list[str]:
    """The keys that one registration names: several may be put together; the last needs no padding."""
    if tr == STATUS_TR:
        return ["0"]
    width = _WIDTH.get(tr, 6)
    pieces = [tr_key[i : i + width] for i in range(0, len(tr_key.rstrip()), width)]
    return [piece.ljust(width) for piece in pieces]
