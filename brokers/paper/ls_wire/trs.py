"""The TR table: where each TR lives, what serves it, how often, and what 모의투자 answers instead (ls.md §1.6, §3.0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brokers.paper.ls_wire import (
    account,
    charts,
    history,
    journal,
    masters,
    orders,
    quotes,
    ticks,
    us_account,
    us_charts,
    us_orders,
    us_quotes,
)
from brokers.paper.ls_wire.call import Call, Reply, no_data
from brokers.paper.ls_wire.refusals import Refusal, business, gateway


@dataclass(frozen=True, slots=True)
class Tr:
    path: str
    serve: Callable[[Call], Reply]
    per_s: int  # the personal limit
    in_mock: Refusal | Reply | None = None  # what 모의투자 answers; None: the same as live
    may_be_empty: bool = False  # the probe sends {} or null

    @property
    def is_order(self) -> bool:
        return self.path.endswith("/order")

    def run(self, call: Call) -> Reply:
        """Raises Refusal and RefusedOrder."""
        if call.mock and self.in_mock is not None:
            if isinstance(self.in_mock, Refusal):
                raise self.in_mock.again()
            return self.in_mock
        return self.serve(call)


_DATA, _CHART, _ORDER, _ACCOUNT, _ETC = (f"/stock/{name}" for name in ("market-data", "chart", "order", "accno", "etc"))
_US_DATA, _US_CHART, _US_ORDER, _US_ACCOUNT = (
    f"/overseas-stock/{name}" for name in ("market-data", "chart", "order", "accno")
)
_NOT_OFFERED = business("01900")
_EMPTY = Refusal("00707", "조회할 내역이 없습니다.")
_BARE = Reply(text="조회가 완료되었습니다.")

TRS: dict[str, Tr] = {
    "t1101": Tr(_DATA, quotes.t1101, 10),
    "t1102": Tr(_DATA, quotes.t1102, 10),
    "t8450": Tr(_DATA, quotes.t8450, 10),
    "t8407": Tr(_DATA, quotes.t8407, 5),
    "t1301": Tr(_DATA, ticks.t1301, 2),
    "t8454": Tr(_DATA, ticks.t8454, 1),
    "t1302": Tr(_DATA, ticks.t1302, 1),
    "t1305": Tr(_DATA, ticks.t1305, 1),
    "t9945": Tr(_DATA, masters.t9945, 2),
    "t8410": Tr(_CHART, charts.t8410, 1),
    "t8451": Tr(_CHART, charts.t8451, 1),
    "t8412": Tr(_CHART, charts.t8412, 1),
    "t8452": Tr(_CHART, charts.t8452, 1),
    "t8436": Tr(_ETC, masters.t8436, 2),
    "t8430": Tr(_ETC, masters.t8430, 2),
    "t0167": Tr("/etc/time-search", masters.t0167, 10),
    "CSPAT00601": Tr(_ORDER, orders.new_order, 10),
    "CSPAT00701": Tr(_ORDER, orders.amend_order, 3),
    "CSPAT00801": Tr(_ORDER, orders.cancel_order, 3),
    "t0424": Tr(_ACCOUNT, account.t0424, 2),
    "t0425": Tr(_ACCOUNT, history.t0425, 2),
    "CSPAQ12200": Tr(_ACCOUNT, account.cspaq12200, 1),
    "CSPAQ22200": Tr(_ACCOUNT, account.cspaq22200, 1),
    "CSPAQ12300": Tr(_ACCOUNT, account.cspaq12300, 1),
    "CSPAQ13700": Tr(_ACCOUNT, history.cspaq13700, 1, in_mock=_EMPTY),
    "CSPBQ00200": Tr(_ACCOUNT, account.cspbq00200, 1),
    "t0150": Tr(_ACCOUNT, journal.t0150, 1, in_mock=_BARE),
    "t0151": Tr(_ACCOUNT, journal.t0151, 1, in_mock=_BARE),
    "FOCCQ33600": Tr(_ACCOUNT, account.foccq33600, 1, in_mock=_NOT_OFFERED, may_be_empty=True),
    # 모의투자 has no US. What its COSAT and g32xx say is not on record: as their neighbours do.
    "COSAT00301": Tr(_US_ORDER, us_orders.cosat00301, 10, in_mock=_NOT_OFFERED),
    "COSAT00311": Tr(_US_ORDER, us_orders.cosat00311, 10, in_mock=_NOT_OFFERED),
    "COSOQ00201": Tr(_US_ACCOUNT, us_account.cosoq00201, 1, in_mock=gateway("IGW40014")),
    "COSOQ02701": Tr(_US_ACCOUNT, us_account.cosoq02701, 1, in_mock=_NOT_OFFERED),
    "COSAQ00102": Tr(_US_ACCOUNT, us_account.cosaq00102, 1, in_mock=_NOT_OFFERED),
    "g3101": Tr(_US_DATA, us_quotes.g3101, 10, in_mock=_EMPTY),
    "g3102": Tr(_US_DATA, us_quotes.g3102, 10, in_mock=_EMPTY),
    "g3104": Tr(_US_DATA, us_quotes.g3104, 10, in_mock=_EMPTY),
    "g3106": Tr(_US_DATA, us_quotes.g3106, 10, in_mock=_EMPTY),
    "g3190": Tr(_US_DATA, us_quotes.g3190, 10, in_mock=_EMPTY),
    "g3103": Tr(_US_CHART, us_charts.g3103, 1, in_mock=no_data()),
    "g3202": Tr(_US_CHART, us_charts.g3202, 1, in_mock=_EMPTY),
    "g3203": Tr(_US_CHART, us_charts.g3203, 1, in_mock=_EMPTY),
    "g3204": Tr(_US_CHART, us_charts.g3204, 1, in_mock=_EMPTY),
}
