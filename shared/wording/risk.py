"""What the risk page, the history of a rule and its evidence say."""

WORDS: dict[str, tuple[str, str]] = {
    "lack.backtest": ("이 버전의 백테스트", "a backtest of this version"),
    "lack.paper_days": ("시뮬·모의 거래일", "days in SIM or MOCK"),
    "rules.reverted_to": ("버전 {number}(으)로 되돌림", "back to version {number}"),
}
