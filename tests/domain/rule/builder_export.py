"""What the official builder can export: its indicators, candle patterns and operators, and the shape of its file.

Names, parameters and defaults are facts of koreainvestment/open-trading-api (strategy_builder); the texts are ours.
"""

from __future__ import annotations

INDICATORS = """
sma | period=20 | value
ema | period=20 | value
dema | period=20 | value
tema | period=20 | value
hma | period=20 | value
kama | period=10 | value
alma | period=9 sigma=6 offset=0.85 | value
lwma | period=20 | value
trima | period=20 | value
t3 | period=10 volume_factor=0.7 | value
zlema | period=20 | value
wma | period=14 | value
frama | period=16 | value
vidya | period=14 | value
rsi | period=14 | value
stochastic | k_period=14 d_period=3 | k d
stochrsi | rsi_period=14 stoch_period=14 k_period=3 d_period=3 | k d
macd | fast=12 slow=26 signal=9 | value signal histogram
cci | period=20 | value
williams_r | period=14 | value
momentum | period=10 | value
roc | period=10 | value
apo | fast=12 slow=26 | value
ppo | fast=12 slow=26 | value signal histogram
aroon | up_period=25 down_period=25 | value aroon_up aroon_down
cmo | period=14 | value
ao | fast=5 slow=34 | value
cho | fast=3 slow=10 | value
ultosc | period1=7 period2=14 period3=28 | value
trix | period=15 | value
tsi | long_period=25 short_period=13 signal_period=7 | value signal
rvi | period=10 | value
dpo | period=20 | value
kvo | fast=34 slow=55 signal=13 | value signal
adx | period=14 | value plus_di minus_di
adxr | period=14 | value
ichimoku | tenkan=9 kijun=26 senkou_b=52 | tenkan kijun senkou_a senkou_b chikou
sar | af_start=0.02 af_step=0.02 af_max=0.2 | value
vortex | period=14 | plus_vi minus_vi
chop | period=14 | value
kst | roc1=10 roc2=15 roc3=20 roc4=30 | value signal
coppock | short_roc=11 long_roc=14 wma=10 | value
supertrend | period=10 multiplier=3 | value
mass_index | ema_period=9 sum_period=25 | value
schaff | cycle=10 fast=23 slow=50 | value
fisher | period=10 | value
obv |  | value
ad |  | value
adl |  | value
cmf | period=20 | value
mfi | period=14 | value
force | period=13 | value
vwap | period=14 | value
vwma | period=20 | value
eom | period=14 scale=10000 | value
atr | period=14 | value
natr | period=14 | value
bollinger | period=20 std=2 | upper middle lower
keltner | period=20 multiplier=2 | upper middle lower
donchian | period=20 | upper lower
std | period=20 | value
variance | period=20 | value
accbands | period=20 width=4 | upper middle lower
beta | period=252 | value
alpha | period=252 | value
maximum | period=20 | value
minimum | period=20 | value
midpoint | period=14 | value
midprice | period=14 | value
logr | period=1 | value
ibs |  | value
bop |  | value
regression | period=14 | value slope intercept
pivot | left_bars=5 right_bars=5 | high low
augen | period=3 | value
consecutive | direction=up | value
disparity | period=20 | value
volatility_ind | period=10 | value
change |  | value
returns | period=60 | value
"""  # id | parameters with the builder's defaults | outputs

PATTERNS = """
doji dragonfly_doji gravestone_doji long_legged_doji hammer hanging_man inverted_hammer shooting_star marubozu
closing_marubozu spinning_top belt_hold high_wave rickshaw_man engulfing harami harami_cross piercing
dark_cloud_cover counterattack on_neck in_neck thrusting separating_lines kicking matching_low
gap_side_by_side_white homing_pigeon dojistar morning_star morning_doji_star evening_star evening_doji_star
three_white_soldiers three_black_crows three_inside three_outside abandoned_baby three_stars_in_south advance_block
stalled_pattern tasuki_gap upside_gap_two_crows three_line_strike unique_three_river breakaway mat_hold
rising_three_methods falling_three_methods ladder_bottom concealing_baby_swallow stick_sandwich tristar
identical_three_crows two_crows up_down_gap_three_methods kicking_by_length
"""

OPERATORS = ("greater_than", "less_than", "greater_equal", "less_equal", "cross_above", "cross_below", "equals")


def indicator_rows() -> list[tuple[str, list[str], list[str]]]:
    """Return (id, ["period=20", …], outputs) of each indicator."""
    split = ([part.split() for part in row.split("|")] for row in INDICATORS.strip().splitlines())
    return [(identity[0], params, outputs) for identity, params, outputs in split]


def exported(indicators: list[str], candlesticks: list[str], entry: list[str], leave: list[str]) -> str:
    """Return a file laid out as the builder writes it, line by line."""
    lines = [
        'version: "1.0"',
        "",
        "metadata:",
        '  name: "내 전략"',
        '  description: ""',
        '  author: "user"',
        "  tags: []",
    ]
    lines += ["", "strategy:", "  id: 내_전략", "  category: custom", "", "  indicators:"]
    lines += indicators or ["    []"]
    if candlesticks:
        lines += ["", "  candlesticks:", *candlesticks]
    for name, logic, conditions in (("entry", "AND", entry), ("exit", "OR", leave)):
        lines += ["", f"  {name}:", f"    logic: {logic}", "    conditions:", *conditions]
    return "\n".join([*lines, "", "risk: {}"])


def indicator_lines(identity: str, params: list[str], output: str, alias: str) -> list[str]:
    """One indicator as exported; the default output `value` is left out."""
    lines = [f"    - id: {identity}", f"      alias: {alias}"]
    if params:
        lines += ["      params:", *(f"        {one.replace('=', ': ')}" for one in params)]
    return lines if output == "value" else [*lines, f"      output: {output}"]


def condition_lines(left: str, operator: str, right: str, output: str = "value", other: str = "value") -> list[str]:
    """One comparison as exported."""
    lines = [f"      - indicator: {left}", f"        operator: {operator}", f"        compare_to: {right}"]
    lines += [] if output == "value" else [f"        output: {output}"]
    return lines if other == "value" else [*lines, f"        compare_output: {other}"]
