"""The official samples: quotes, orders and account, every function by its own file of examples_llm."""

import time

from official_orders import kr_change, kr_order, us_change, us_order
from official_setup import ACCOUNT, ENV, SERVER, TODAY, ka, kr, tag, us
from official_stream import stream
from reporting import GIVEN, attempt


def quotes():
    one = {"auth": "", "excd": "NAS", "symb": "MSFT"}
    attempt(tag + "overseas price", lambda: float(us("price", **one, env_dv=ENV)["last"].iloc[0]))
    attempt(
        tag + "overseas dailyprice",
        lambda: float(us("dailyprice", **one, gubn="0", bymd="", modp="1", env_dv=ENV)[1]["clos"].iloc[0]),
    )
    chart = {"fid_cond_mrkt_div_code": "N", "fid_input_iscd": "MSFT", "fid_input_date_1": GIVEN["since"]}
    attempt(
        tag + "overseas inquire_daily_chartprice",
        lambda: float(
            us("inquire_daily_chartprice", **chart, fid_input_date_2=TODAY, fid_period_div_code="D", env_dv=ENV)[1][
                "ovrs_nmix_prpr"
            ].iloc[0]
        ),
    )
    kr_one = {"env_dv": ENV, "fid_cond_mrkt_div_code": "J", "fid_input_iscd": "000660"}
    attempt(tag + "domestic inquire_price", lambda: int(kr("inquire_price", **kr_one)["stck_prpr"].iloc[0]))
    attempt(
        tag + "domestic inquire_asking_price_exp_ccn",
        lambda: int(kr("inquire_asking_price_exp_ccn", **kr_one)[1]["stck_prpr"].iloc[0]),
    )
    attempt(tag + "domestic inquire_ccnl", lambda: int(kr("inquire_ccnl", **kr_one)["stck_prpr"].iloc[0]))
    attempt(
        tag + "domestic inquire_daily_price",
        lambda: int(
            kr("inquire_daily_price", **kr_one, fid_period_div_code="D", fid_org_adj_prc="1")["stck_clpr"].iloc[0]
        ),
    )
    attempt(
        tag + "domestic inquire_daily_itemchartprice",
        lambda: int(
            kr(
                "inquire_daily_itemchartprice",
                **kr_one,
                fid_input_date_1=GIVEN["since"],
                fid_input_date_2=TODAY,
                fid_period_div_code="D",
                fid_org_adj_prc="0",
            )[1]["stck_clpr"].iloc[0]
        ),
    )
    attempt(
        tag + "domestic inquire_time_itemchartprice",
        lambda: int(
            kr("inquire_time_itemchartprice", **kr_one, fid_input_hour_1=GIVEN["hour"], fid_pw_data_incu_yn="N")[0][
                "stck_prpr"
            ].iloc[0]
        ),
    )


def live_quotes():
    one = {"auth": "", "excd": "NAS", "symb": "MSFT"}
    attempt("overseas price_detail", lambda: float(us("price_detail", **one)["last"].iloc[0]))
    attempt("overseas inquire_asking_price", lambda: float(us("inquire_asking_price", **one)[0]["last"].iloc[0]))
    attempt(
        "overseas quot_inquire_ccnl",
        lambda: float(us("quot_inquire_ccnl", excd="NAS", tday="1", symb="MSFT")["last"].iloc[0]),
    )
    attempt(
        "overseas inquire_time_itemchartprice",
        lambda: float(
            us("inquire_time_itemchartprice", **one, nmin="1", pinc="1", next="", nrec="120", fill="", keyb="")[1][
                "last"
            ].iloc[0]
        ),
    )
    blank = {
        f"co_{k}_{n}": ""
        for k in ("yn", "st", "en")
        for n in ("pricecur", "rate", "valx", "shar", "volume", "amt", "eps", "per")
    }
    asked = {**blank, "co_yn_pricecur": "1", "co_st_pricecur": "430", "co_en_pricecur": "430"}
    attempt(
        "overseas inquire_search", lambda: list(us("inquire_search", auth="", excd="NAS", keyb="", **asked)[1]["symb"])
    )
    attempt("overseas search_info", lambda: us("search_info", prdt_type_cd="512", pdno="MSFT")["prdt_eng_name"].iloc[0])
    attempt(
        "overseas countries_holiday",
        lambda: sorted(us("countries_holiday", trad_dt="20260709")["acpl_sttl_dt"].unique()),
    )
    past = {"fid_cond_mrkt_div_code": "J", "fid_input_iscd": "000660", "fid_input_hour_1": "150000"}
    attempt(
        "domestic inquire_time_dailychartprice",
        lambda: len(kr("inquire_time_dailychartprice", **past, fid_input_date_1=GIVEN["yesterday"])[1]),
    )
    attempt(
        "domestic chk_holiday",
        lambda: kr("chk_holiday", bass_dt="20260709")[["bass_dt", "opnd_yn"]].values.tolist()[:3],
    )
    attempt("domestic search_info", lambda: kr("search_info", pdno="000660", prdt_type_cd="300")["shtn_pdno"].iloc[0])
    attempt(
        "domestic search_stock_info",
        lambda: int(kr("search_stock_info", prdt_type_cd="300", pdno="000660")["thdt_clpr"].iloc[0]),
    )


def american():
    buy, sell = {"ord_dv": "buy", "env_dv": ENV}, {"ord_dv": "sell", "env_dv": ENV}
    number = attempt(tag + "overseas order (limit buy, resting)", lambda: us_order(buy, 4, "180.00"))
    attempt(
        tag + "overseas inquire_nccs",
        lambda: us("inquire_nccs", **ACCOUNT, ovrs_excg_cd="NASD", sort_sqn="DS", FK200="", NK200="", env_dv=ENV)[
            ["odno", "nccs_qty"]
        ].values.tolist(),
    )
    number = attempt(tag + "overseas order_rvsecncl (amend)", lambda: us_change(number, "01", 4, "181.00"))
    attempt(tag + "overseas order_rvsecncl (cancel)", lambda: us_change(number, "02", 4, "0"))
    attempt(tag + "overseas order (limit buy)", lambda: us_order(buy, 5, "230.00"))
    time.sleep(GIVEN["settle_s"])
    attempt(tag + "overseas order (limit sell)", lambda: us_order(sell, 2, "190.00"))
    time.sleep(GIVEN["settle_s"])
    attempt(
        tag + "overseas inquire_balance",
        lambda: rows(
            us("inquire_balance", **ACCOUNT, ovrs_excg_cd="NASD", tr_crcy_cd="USD", env_dv=ENV)[0],
            "ovrs_pdno",
            "ovrs_cblc_qty",
        ),
    )
    attempt(
        tag + "overseas inquire_present_balance",
        lambda: rows(
            us(
                "inquire_present_balance",
                **ACCOUNT,
                wcrc_frcr_dvsn_cd="02",
                natn_cd="840",
                tr_mket_cd="00",
                inqr_dvsn_cd="00",
                env_dv=ENV,
            )[0],
            "pdno",
            "ccld_qty_smtl1",
        ),
    )
    attempt(
        tag + "overseas inquire_psamount",
        lambda: float(
            us("inquire_psamount", **ACCOUNT, ovrs_excg_cd="NASD", ovrs_ord_unpr="200", item_cd="AAPL", env_dv=ENV)[
                "ord_psbl_frcr_amt"
            ].iloc[0]
        ),
    )
    attempt(
        tag + "overseas inquire_ccnl",
        lambda: fills(
            us(
                "inquire_ccnl",
                **ACCOUNT,
                pdno="%" if not tag else "",
                ord_strt_dt=GIVEN["since"],
                ord_end_dt=TODAY,
                sll_buy_dvsn="00",
                ccld_nccs_dvsn="00",
                sort_sqn="DS",
                ord_dt="",
                ord_gno_brno="",
                odno="",
                ovrs_excg_cd="NASD" if not tag else "",
                env_dv=ENV,
            ),
            "ft_ccld_qty",
        ),
    )


def american_live():
    span = {"inqr_strt_dt": GIVEN["since"], "inqr_end_dt": TODAY}
    attempt(
        "overseas inquire_period_profit",
        lambda: rows(
            us(
                "inquire_period_profit",
                **ACCOUNT,
                ovrs_excg_cd="NASD",
                natn_cd="",
                crcy_cd="USD",
                pdno="",
                **span,
                wcrc_frcr_dvsn_cd="01",
                FK200="",
                NK200="",
            )[0],
            "ovrs_pdno",
            "slcl_qty",
        ),
    )
    attempt(
        "overseas inquire_period_trans",
        lambda: int(
            us(
                "inquire_period_trans",
                **ACCOUNT,
                erlm_strt_dt=GIVEN["since"],
                erlm_end_dt=TODAY,
                ovrs_excg_cd="NASD",
                pdno="",
                sll_buy_dvsn_cd="00",
                loan_dvsn_cd="",
                FK100="",
                NK100="",
            )[0]["ccld_qty"]
            .astype(int)
            .sum()
        ),
    )
    attempt(
        "overseas inquire_paymt_stdr_balance",
        lambda: rows(
            us("inquire_paymt_stdr_balance", **ACCOUNT, bass_dt=TODAY, wcrc_frcr_dvsn_cd="02", inqr_dvsn_cd="00")[0],
            "pdno",
            "ord_psbl_qty1",
        ),
    )
    attempt("overseas foreign_margin", lambda: float(us("foreign_margin", **ACCOUNT)["frcr_ord_psbl_amt1"].iloc[0]))
    attempt("overseas algo_ordno", lambda: len(us("algo_ordno", **ACCOUNT, trad_dt=TODAY)))
    number = attempt("overseas daytime_order", lambda: us_order({"order_dv": "buy"}, 3, "180.00", name="daytime_order"))
    attempt(
        "overseas daytime_order_rvsecncl (cancel)",
        lambda: us(
            "daytime_order_rvsecncl",
            **ACCOUNT,
            ovrs_excg_cd="NASD",
            pdno="AAPL",
            orgn_odno=number,
            rvse_cncl_dvsn_cd="02",
            ord_qty="3",
            ovrs_ord_unpr="0",
            ctac_tlno="",
            mgco_aptm_odno="",
            ord_svr_dvsn_cd="0",
        )["ODNO"].iloc[0],
    )
    reserved = attempt(
        "overseas order_resv",
        lambda: us(
            "order_resv",
            env_dv=ENV,
            ord_dv="usBuy",
            **ACCOUNT,
            pdno="AAPL",
            ovrs_excg_cd="NASD",
            ft_ord_qty="2",
            ft_ord_unpr3="180.00",
            ord_svr_dvsn_cd="0",
            ord_dvsn="00",
        )["ODNO"].iloc[0],
    )
    listed = {"nat_dv": "us", **ACCOUNT, **span, "inqr_dvsn_cd": "00", "ovrs_excg_cd": "NASD"}
    attempt(
        "overseas order_resv_list",
        lambda: us("order_resv_list", **listed)[["ovrs_rsvn_odno", "ft_ord_qty"]].values.tolist(),
    )
    attempt(
        "overseas order_resv_ccnl",
        lambda: us(
            "order_resv_ccnl",
            env_dv=ENV,
            nat_dv="us",
            **ACCOUNT,
            rsvn_ord_rcit_dt=GIVEN["today_kst"],
            ovrs_rsvn_odno=reserved,
        )["OVRS_RSVN_ODNO"].iloc[0],
    )
    attempt("overseas order_resv_list after the cancel", lambda: list(us("order_resv_list", **listed)["cncl_yn"]))


def rows(frame, name, quantity):
    return {} if frame.empty else {s: int(float(q)) for s, q in zip(frame[name], frame[quantity], strict=True)}


def fills(frame, quantity):
    return sorted([n, int(q)] for n, q in zip(frame["odno"], frame[quantity], strict=True) if int(q))


def korean():
    number = attempt(tag + "domestic order_cash (limit buy, resting)", lambda: kr_order("buy", 4, "60000", "00"))
    if not tag:
        attempt(
            "domestic inquire_psbl_rvsecncl",
            lambda: kr("inquire_psbl_rvsecncl", **ACCOUNT, inqr_dvsn_1="0", inqr_dvsn_2="0")[
                ["odno", "psbl_qty"]
            ].values.tolist(),
        )
    number = attempt(tag + "domestic order_rvsecncl (amend)", lambda: kr_change(number, "01", "61000"))
    attempt(tag + "domestic order_rvsecncl (cancel)", lambda: kr_change(number, "02", "0"))
    attempt(tag + "domestic order_cash (market buy)", lambda: kr_order("buy", 5, "0", "01"))
    time.sleep(GIVEN["settle_s"])
    attempt(tag + "domestic order_cash (market sell)", lambda: kr_order("sell", 2, "0", "01"))
    time.sleep(GIVEN["settle_s"])
    if not tag:
        attempt("domestic order_cash (SOR limit buy)", lambda: kr_order("buy", 1, "60000", "00", "SOR"))
    attempt(
        tag + "domestic inquire_balance",
        lambda: rows(
            kr(
                "inquire_balance",
                env_dv=ENV,
                **ACCOUNT,
                afhr_flpr_yn="N",
                inqr_dvsn="01",
                unpr_dvsn="01",
                fund_sttl_icld_yn="N",
                fncg_amt_auto_rdpt_yn="N",
                prcs_dvsn="00",
            )[0],
            "pdno",
            "hldg_qty",
        ),
    )
    attempt(
        tag + "domestic inquire_psbl_order",
        lambda: int(
            kr(
                "inquire_psbl_order",
                env_dv=ENV,
                **ACCOUNT,
                pdno="005930",
                ord_unpr="60000",
                ord_dvsn="00",
                cma_evlu_amt_icld_yn="N",
                ovrs_icld_yn="N",
            )["ord_psbl_cash"].iloc[0]
        ),
    )
    attempt(
        tag + "domestic inquire_daily_ccld",
        lambda: fills(
            kr(
                "inquire_daily_ccld",
                env_dv=ENV,
                pd_dv="inner",
                **ACCOUNT,
                inqr_strt_dt=GIVEN["since"],
                inqr_end_dt=GIVEN["today_kst"],
                sll_buy_dvsn_cd="00",
                ccld_dvsn="00",
                inqr_dvsn="00",
                inqr_dvsn_3="00",
            )[0],
            "tot_ccld_qty",
        ),
    )
    if not tag:
        attempt(
            "domestic inquire_psbl_sell",
            lambda: int(kr("inquire_psbl_sell", **ACCOUNT, pdno="005930")["ord_psbl_qty"].iloc[0]),
        )
        attempt(
            "domestic inquire_period_trade_profit",
            lambda: rows(
                kr(
                    "inquire_period_trade_profit",
                    **ACCOUNT,
                    sort_dvsn="00",
                    inqr_strt_dt=GIVEN["since"],
                    inqr_end_dt=GIVEN["today_kst"],
                    cblc_dvsn="00",
                )[0],
                "pdno",
                "sll_qty",
            ),
        )


attempt(tag + "kis_auth.auth", lambda: ka.auth(svr=SERVER) or len(ka._base_headers["authorization"]) > len("Bearer "))
quotes()
if not tag:
    live_quotes()
american()
if not tag:
    american_live()
korean()
attempt(tag + "KISWebSocket domestic", lambda: stream("KRX"))
attempt(tag + "KISWebSocket overseas", lambda: stream("US"))
