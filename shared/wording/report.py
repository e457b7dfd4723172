"""The words of an exported backtest report; it shows both languages side by side."""

WORDS: dict[str, tuple[str, str]] = {
    "report.figure": ("지표", "figure"),
    "report.value": ("값", "value"),
    "report.definition": ("정의", "definition"),
    "report.monthly": ("월별 수익률", "monthly returns"),
    "report.trades": ("거래", "trades"),
    "report.no_trades": ("거래가 없습니다", "no trades"),
    "report.equity": ("자산", "equity"),
    "report.hold": ("매수 후 보유", "buy and hold"),
    "report.drawdown": ("낙폭 %", "drawdown %"),
    "report.year": ("연", "year"),
    "report.cut": ("앞의 {count}개 봉은 그리지 않음", "{count} earlier bars left out"),
}
