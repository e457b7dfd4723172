"""Orders of the official samples."""

from official_setup import ACCOUNT, ENV, kr, us


def us_order(side, quantity, price, dvsn="00", name="order", **more):
    made = us(name, **ACCOUNT, ovrs_excg_cd="NASD", pdno="AAPL", ord_qty=str(quantity), ovrs_ord_unpr=price,
              ctac_tlno="", mgco_aptm_odno="", ord_svr_dvsn_cd="0", ord_dvsn=dvsn, **{**side, **more})  # fmt: skip
    return made["ODNO"].iloc[0]


def us_change(number, kind, quantity, price):
    made = us("order_rvsecncl", **ACCOUNT, ovrs_excg_cd="NASD", pdno="AAPL", orgn_odno=number, rvse_cncl_dvsn_cd=kind,
              ord_qty=str(quantity), ovrs_ord_unpr=price, mgco_aptm_odno="", ord_svr_dvsn_cd="0", env_dv=ENV)  # fmt: skip
    return made["ODNO"].iloc[0]


def kr_order(side, quantity, price, dvsn, venue="KRX"):
    made = kr("order_cash", env_dv=ENV, ord_dv=side, **ACCOUNT, pdno="005930", ord_dvsn=dvsn, ord_qty=str(quantity), ord_unpr=price,
              excg_id_dvsn_cd=venue)  # fmt: skip
    return made["ODNO"].iloc[0]


def kr_change(number, kind, price):
    made = kr("order_rvsecncl", env_dv=ENV, **ACCOUNT, krx_fwdg_ord_orgno="91252", orgn_odno=number, ord_dvsn="00",
              rvse_cncl_dvsn_cd=kind, ord_qty="4", ord_unpr=price, qty_all_ord_yn="Y", excg_id_dvsn_cd="KRX")  # fmt: skip
    return made["ODNO"].iloc[0]
