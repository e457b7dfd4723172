"""Every answer has the fields the documents show, no more and no fewer, each of the same kind (kis.md §3, §4)."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.paper.kis_wire.gateway import TRS
from tests.brokers.paper.kis_wire.desk import LIVE, Desk
from tests.brokers.paper.kis_wire.documented import RESPONSES, shape

DOCUMENTED = sorted(tr_id for tr_id in TRS if tr_id in RESPONSES and TRS[tr_id].env in (None, LIVE))
# kis.md §4.8 omits these for space and says to emit all ten.
TEN = {f"{side}_rsqn_icdc{n}": "str" for side in ("askp", "bidp") for n in range(2, 11)}
NEEDED = {"OVRS_ORD_UNPR": "100.00", "ORD_UNPR": "60000"}


async def reserve(desk: Desk) -> str:
    answer = await desk.client().call("TTTT3014U", {"FT_ORD_UNPR3": "190.00"})
    return str(answer.json()["output"]["ODNO"])


async def prepare(desk: Desk, tr_id: str) -> dict[str, Any]:
    """Bring about what the TR needs to have rows, and return the fields that name it."""
    client = desk.client()
    if tr_id in ("TTTS3018R", "TTTS3035R"):
        await client.buy()
    elif tr_id in ("TTTC0084R", "TTTC0081R"):
        await client.buy("005930")
    elif tr_id in ("TTTS3012R", "CTRP6504R"):
        await client.fill("AAPL", 3)
    elif tr_id == "TTTC8434R":
        await client.fill("005930", 3)
    elif tr_id in ("TTTS3039R", "CTOS4001R"):
        await client.fill("AAPL", 3)
        await client.sell("AAPL", 2, Decimal("100.00"))
        desk.pass_time(10)
        return {"ERLM_END_DT": "20260709"} if tr_id == "CTOS4001R" else {}
    elif tr_id == "TTTC8715R":
        await client.fill("005930", 3)
        await client.sell("005930", 2, Decimal("0"), ORD_DVSN="01")
        desk.pass_time(10)
    elif tr_id == "TTTC8408R":
        await client.fill("005930", 3)
    elif tr_id == "TTTT3039R":
        await reserve(desk)
    elif tr_id == "TTTT3017U":
        return {"OVRS_RSVN_ODNO": await reserve(desk)}
    elif tr_id == "TTTS6038U":
        number = (await client.call("TTTS6036U", {"OVRS_ORD_UNPR": "190.00"})).json()["output"]["ODNO"]
        return {"ORGN_ODNO": number, "ORD_QTY": "0"}
    elif tr_id in ("TTTS6036U", "TTTT3014U"):
        return {"OVRS_ORD_UNPR": "190.00"} if tr_id == "TTTS6036U" else {"FT_ORD_UNPR3": "190.00"}
    elif tr_id == "TTTT1004U":
        return {"ORGN_ODNO": await client.buy()}
    elif tr_id == "TTTC0013U":
        return {"ORGN_ODNO": await client.buy("005930")}
    elif tr_id == "TTTT1002U":
        return {"OVRS_ORD_UNPR": "190.00"}
    elif tr_id == "TTTC0012U":
        return {"ORD_UNPR": "64000"}
    elif tr_id == "HHDFS76410000":
        return {"CO_YN_PRICECUR": ""}
    return {}


@pytest.mark.parametrize("tr_id", DOCUMENTED)
async def test_the_answer_has_the_documented_shape(desk: Desk, tr_id: str) -> None:
    answer = await desk.client().call(tr_id, await prepare(desk, tr_id))
    expected = shape(RESPONSES[tr_id])
    if tr_id == "FHKST01010200":
        expected["output1"] |= TEN
    assert answer.status_code == 200
    assert shape(answer.json()) == expected
    assert answer.json()["rt_cd"] == "0"


async def test_a_list_of_documented_rows_is_never_compared_empty(desk: Desk) -> None:
    """Guards the test above: each prepared answer really has rows."""
    for tr_id in DOCUMENTED:
        answer = (await desk.client().call(tr_id, await prepare(desk, tr_id))).json()
        for name, value in RESPONSES[tr_id].items():
            if isinstance(value, list) and value:
                assert answer[name], f"{tr_id} {name} has no rows"
