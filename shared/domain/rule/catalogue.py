"""Which indicators a rule may name: TA-Lib's functions and the official builder's names, with parameters and outputs.

Plain data, so that the console can check a rule without TA-Lib; a test holds it equal to what TA-Lib itself says. Names
are looked up as the builder writes them first (`wma` is Wilder's average there), then as TA-Lib's in any case (`WMA` is
the weighted one).
"""

from __future__ import annotations

from dataclasses import dataclass

_TALIB_ROWS = """
HT_DCPERIOD | | real
HT_DCPHASE | | real
HT_PHASOR | | inphase quadrature
HT_SINE | | sine leadsine
HT_TRENDMODE | | integer
ADD | | real
CUMSUM | | real
DIV | | real
MAX | timeperiod=30>=2 | real
MAXINDEX | timeperiod=30>=2 | integer
MIN | timeperiod=30>=2 | real
MININDEX | timeperiod=30>=2 | integer
MINMAX | timeperiod=30>=2 | min max
MINMAXINDEX | timeperiod=30>=2 | minidx maxidx
MULT | | real
SUB | | real
SUM | timeperiod=30>=2 | real
ACOS | | real
ASIN | | real
ATAN | | real
CEIL | | real
COS | | real
COSH | | real
EXP | | real
FLOOR | | real
LN | | real
LOG10 | | real
SIN | | real
SINH | | real
SQRT | | real
TAN | | real
TANH | | real
AC | fastperiod=5>=2 slowperiod=34>=2 signalperiod=5>=2 | real
ADX | timeperiod=14>=2 | real
ADXR | timeperiod=14>=2 | real
AO | fastperiod=5>=2 slowperiod=34>=2 | real
APO | fastperiod=12>=2 slowperiod=26>=2 matype=1 | real
AROON | timeperiod=14>=2 | aroondown aroonup
AROONOSC | timeperiod=14>=2 | real
BOP | | real
CCI | timeperiod=14>=2 | real
CMO | timeperiod=14>=2 | real
CMOU | timeperiod=14>=2 | real
COPPOCK | wmaperiod=10 roc1period=11 roc2period=14 | real
DPO | timeperiod=20>=2 | real
DX | timeperiod=14>=2 | real
ER | timeperiod=10>=2 | real
ERI | timeperiod=13 | bullpower bearpower
FOSC | timeperiod=5>=2 | real
FRACTAL | leftbars=2 rightbars=2 | swinghigh swinglow
IMI | timeperiod=14>=2 | real
KDJ | fastk_period=9 slowk_period=3 slowk_matype=13 slowd_period=3 slowd_matype=13 | k d j
MACD | fastperiod=12>=2 slowperiod=26>=2 signalperiod=9 | macd macdsignal macdhist
MACDEXT | fastperiod=12>=2 fastmatype=0 slowperiod=26>=2 slowmatype=0 signalperiod=9 signalmatype=0\
 | macd macdsignal macdhist
MACDFIX | signalperiod=9 | macd macdsignal macdhist
MFI | timeperiod=14>=2 | real
MINUS_DI | timeperiod=14 | real
MINUS_DM | timeperiod=14 | real
MOM | timeperiod=10 | real
PLUS_DI | timeperiod=14 | real
PLUS_DM | timeperiod=14 | real
PPO | fastperiod=12>=2 slowperiod=26>=2 matype=1 | real
QSTICK | timeperiod=10 | real
ROC | timeperiod=10 | real
ROCP | timeperiod=10 | real
ROCR | timeperiod=10 | real
ROCR100 | timeperiod=10 | real
RSI | timeperiod=14>=2 | real
SMI | timeperiod=13>=2 fastperiod=2>=2 slowperiod=25>=2 signalperiod=9>=2 | smi smisignal
STOCH | fastk_period=5 slowk_period=3 slowk_matype=0 slowd_period=3 slowd_matype=0 | slowk slowd
STOCHF | fastk_period=5 fastd_period=3 fastd_matype=0 | fastk fastd
STOCHRSI | timeperiod=14>=2 fastk_period=5 fastd_period=3 fastd_matype=0 | fastk fastd
TRIX | timeperiod=30 | real
TSI | firstperiod=25>=2 secondperiod=13>=2 | real
ULTOSC | timeperiod1=7 timeperiod2=14 timeperiod3=28 | real
VHF | timeperiod=28>=2 | real
VORTEX | timeperiod=14 | plusvi minusvi
WAD | | real
WILLR | timeperiod=14>=2 | real
ACCBANDS | timeperiod=20>=2 | upperband middleband lowerband
BBANDS | timeperiod=20>=2 nbdevup=2 nbdevdn=2 matype=0 | upperband middleband lowerband
DEMA | timeperiod=30 | real
DONCHIAN | timeperiod=20>=2 | upperband middleband lowerband
EMA | timeperiod=30 | real
HMA | timeperiod=20 | real
HT_TRENDLINE | | real
KAMA | timeperiod=30 | real
KC | timeperiod=20>=2 atrperiod=10 nbdev=2 | upperband middleband lowerband
MA | timeperiod=30 matype=0 | real
MAMA | fastlimit=0.5 slowlimit=0.05 | mama fama
MIDPOINT | timeperiod=14>=2 | real
MIDPRICE | timeperiod=14>=2 | real
RMA | timeperiod=30 | real
SAR | acceleration=0.02 maximum=0.2 | real
SAREXT | startvalue=0 offsetonreverse=0 accelerationinitlong=0.02 accelerationlong=0.02\
 accelerationmaxlong=0.2 accelerationinitshort=0.02 accelerationshort=0.02 accelerationmaxshort=0.2 | real
SMA | timeperiod=30 | real
SUPERTREND | timeperiod=10>=2 multiplier=3 | supertrend trend
T3 | timeperiod=5 vfactor=0.7 | real
TEMA | timeperiod=30 | real
TRIMA | timeperiod=30 | real
VWMA | timeperiod=30 | real
WMA | timeperiod=30 | real
ZLEMA | timeperiod=30 | real
AVGDEV | timeperiod=14>=2 | real
AVGPRICE | | real
HA | | haopen hahigh halow haclose
MEDPRICE | | real
TYPPRICE | | real
WCLPRICE | | real
BETA | timeperiod=5 | real
CORREL | timeperiod=30 | real
LINEARREG | timeperiod=14>=2 | real
LINEARREG_ANGLE | timeperiod=14>=2 | real
LINEARREG_INTERCEPT | timeperiod=14>=2 | real
LINEARREG_SLOPE | timeperiod=14>=2 | real
PERCENTILE | timeperiod=30>=2 percentile=50 | real
PERCENTRANK | timeperiod=100>=2 | real
STDDEV | timeperiod=5>=2 nbdev=1 | real
TSF | timeperiod=14>=2 | real
VAR | timeperiod=5 nbdev=1 | real
ADR | timeperiod=14 | real
ATR | timeperiod=14 | real
CVI | timeperiod=10>=2 rocperiod=10 | real
MASSI | fastperiod=9>=2 slowperiod=25>=2 | real
NATR | timeperiod=14 | real
RVI | timeperiod=14 stddevperiod=10>=2 | real
TRANGE | | real
AD | | real
ADOSC | fastperiod=3>=2 slowperiod=10>=2 | real
CMF | timeperiod=20>=2 | real
EFI | timeperiod=13 | real
MARKETFI | | real
NVI | | real
OBV | | real
PVI | | real
PVO | fastperiod=12>=2 slowperiod=26>=2 matype=1 | real
PVT | | real
RVOL | timeperiod=20 | real
VWAP | | real
"""  # function | parameter=default, `>=` the least allowed where it is not 1 | outputs

_PATTERNS = """
2CROWS 3BLACKCROWS 3INSIDE 3LINESTRIKE 3OUTSIDE 3STARSINSOUTH 3WHITESOLDIERS ABANDONEDBABY ADVANCEBLOCK BELTHOLD
BREAKAWAY CLOSINGMARUBOZU CONCEALBABYSWALL COUNTERATTACK DARKCLOUDCOVER DOJI DOJISTAR DRAGONFLYDOJI ENGULFING
EVENINGDOJISTAR EVENINGSTAR GAPSIDESIDEWHITE GRAVESTONEDOJI HAMMER HANGINGMAN HARAMI HARAMICROSS HIGHWAVE HIKKAKE
HIKKAKEMOD HOMINGPIGEON IDENTICAL3CROWS INNECK INVERTEDHAMMER KICKING KICKINGBYLENGTH LADDERBOTTOM LONGLEGGEDDOJI
LONGLINE MARUBOZU MATCHINGLOW MATHOLD MORNINGDOJISTAR MORNINGSTAR ONNECK PIERCING RICKSHAWMAN RISEFALL3METHODS
SEPARATINGLINES SHOOTINGSTAR SHORTLINE SPINNINGTOP STALLEDPATTERN STICKSANDWICH TAKURI TASUKIGAP THRUSTING TRISTAR
UNIQUE3RIVER UPSIDEGAP2CROWS XSIDEGAP3METHODS
"""  # candle patterns, without TA-Lib's prefix CDL

_BUILDER_ROWS = """
lwma | WMA | period:timeperiod=30>=2 | value
wma | RMA | period:timeperiod=30 | value
t3 | T3 | period:timeperiod=5>=2 volume_factor:vfactor=0.7 | value
stochastic | STOCH slowk_period=1 | k_period:fastk_period=14 d_period:slowd_period=3 | k:slowk d:slowd value:slowk
macd | MACD | fast:fastperiod=12>=2 slow:slowperiod=26>=2 signal:signalperiod=9 \
 | value:macd signal:macdsignal histogram:macdhist
williams_r | WILLR | period:timeperiod=14>=2 | value
momentum | ROC | period:timeperiod=10 | value
apo | APO matype=1 | fast:fastperiod=12>=2 slow:slowperiod=26>=2 | value
ppo | OWN_PPO | fast=12>=2 slow=26>=2 | value signal histogram
aroon | OWN_AROON | up_period:up=25>=2 down_period:down=25>=2 | value aroon_up aroon_down
ao | AO | fast:fastperiod=5>=2 slow:slowperiod=34>=2 | value
cho | ADOSC | fast:fastperiod=3>=2 slow:slowperiod=10>=2 | value
ultosc | ULTOSC | period1:timeperiod1=7 period2:timeperiod2=14 period3:timeperiod3=28 | value
adx | ADX | period:timeperiod=14>=2 | value plus_di:PLUS_DI.real minus_di:MINUS_DI.real
sar | OWN_SAR | af_start=0.02 af_step=0.02 af_max=0.2 | value
vortex | VORTEX | period:timeperiod=14 | plus_vi:plusvi minus_vi:minusvi value:plusvi
coppock | COPPOCK | short_roc:roc1period=11 long_roc:roc2period=14 wma:wmaperiod=10 | value
supertrend | SUPERTREND | period:timeperiod=10 multiplier:multiplier=3 | value:supertrend trend:trend
mass_index | MASSI | ema_period:fastperiod=9>=2 sum_period:slowperiod=25>=2 | value
adl | AD | | value
force | EFI | period:timeperiod=13 | value
bollinger | BBANDS | period:timeperiod=20>=2 std:nbdevup+nbdevdn=2 \
 | middle:middleband upper:upperband lower:lowerband value:middleband
keltner | KC | period:timeperiod+atrperiod=20>=2 multiplier:nbdev=2 \
 | middle:middleband upper:upperband lower:lowerband value:middleband
donchian | DONCHIAN | period:timeperiod=20>=2 | middle:middleband upper:upperband lower:lowerband value:middleband
std | STDDEV nbdev=1 | period:timeperiod=20>=2 | value
variance | VAR nbdev=1 | period:timeperiod=20 | value
maximum | MAX | period:timeperiod=30>=2 | value
minimum | MIN | period:timeperiod=30>=2 | value
regression | LINEARREG | period:timeperiod=14>=2 | value slope:LINEARREG_SLOPE.real intercept:LINEARREG_INTERCEPT.real
change | ROC timeperiod=1 | | value
returns | ROC | period:timeperiod=1 | value
logr | OWN_LOGR | period:timeperiod=1 | value
ibs | OWN_IBS | | value
disparity | OWN_DISPARITY | period:timeperiod=20>=2 | value
vwap | OWN_VWAP | period:timeperiod=20 | value
session_vwap | OWN_SESSION_VWAP | | value
anchored_vwap | OWN_ANCHORED_VWAP | since=0.0 | value
price | OWN_PRICE | | value:close open high low close volume
prev_max | MAX shift=1 | period:timeperiod=20>=2 | value
prev_min | MIN shift=1 | period:timeperiod=20>=2 | value
breakout | OWN_BREAKOUT | k=0.5 | value
alma | OWN_ALMA | period:timeperiod=9 sigma=6.0 offset=0.85 | value
frama | OWN_FRAMA | period:timeperiod=16 | value
vidya | OWN_VIDYA | period:timeperiod=14 | value
stochrsi | OWN_STOCHRSI | rsi_period:rsi=14>=2 stoch_period:stoch=14 k_period:k=3 d_period:d=3 | k d value:k
tsi | OWN_TSI | long_period:long=25 short_period:short=13 signal_period:signal=7 | value signal
rvi | OWN_VIGOR | period:timeperiod=10 | value
kvo | OWN_KVO | fast=34>=1 slow=55>=1 signal=13>=1 | value signal
ichimoku | OWN_ICHIMOKU | tenkan=9>=1 kijun=26>=1 senkou_b=52>=1 | tenkan kijun senkou_a senkou_b chikou value:tenkan
chop | OWN_CHOP | period:timeperiod=14 | value
kst | OWN_KST | roc1=10>=1 roc2=15>=1 roc3=20>=1 roc4=30>=1 | value signal
schaff | OWN_SCHAFF | cycle=10>=1 fast=23>=1 slow=50>=1 | value
fisher | OWN_FISHER | period:timeperiod=10 | value
eom | OWN_EOM | period:timeperiod=14 scale=10000.0 | value
accbands | OWN_ACCBANDS | period:timeperiod=20 width=4.0 | upper middle lower value:middle
pivot | OWN_PIVOT | left_bars:left=5 right_bars:right=5 | high low value:high
augen | OWN_AUGEN | period:timeperiod=3 | value
consecutive | OWN_CONSECUTIVE | direction=up/down | value
volatility_ind | OWN_SPREAD | period:timeperiod=10 | value
beta | OWN_UNKNOWN | period:timeperiod=252 | value
alpha | OWN_UNKNOWN | period:timeperiod=252 | value
"""  # name | function fixed=value | parameter:TA-Lib parameters=default | output:TA-Lib output (of another function: F.out)

_PATTERN_NAMES = {
    "up_down_gap_three_methods": "XSIDEGAP3METHODS",
    "concealing_baby_swallow": "CONCEALBABYSWALL",
    "side_by_side_white_lines": "GAPSIDESIDEWHITE",
    "meeting_lines": "COUNTERATTACK",
    "gap_side_by_side_white": "GAPSIDESIDEWHITE",
    "rising_three_methods": "RISEFALL3METHODS",
    "falling_three_methods": "RISEFALL3METHODS",
    "upside_tasuki_gap": "TASUKIGAP",
    "downside_tasuki_gap": "TASUKIGAP",
    "deliberation": "STALLEDPATTERN",
    "opening_marubozu": "BELTHOLD",
    "matching_high": "OWN_MATCHINGHIGH",
    "tweezer_top": "OWN_TWEEZERTOP",
    "tweezer_bottom": "OWN_TWEEZERBOTTOM",
}


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter: `targets` are TA-Lib's names for it; `whole` numbers have a least value; words have `choices`."""

    name: str
    targets: tuple[str, ...]
    default: int | float
    least: int | float | None
    choices: tuple[str, ...] = ()  # a word stands for its place among them; the default is the first

    @property
    def whole(self) -> bool:
        return self.least is not None


@dataclass(frozen=True, slots=True)
class Source:
    """Where one output comes from: a function (`OWN_…` are ours, by numpy) and the name of its output."""

    function: str
    output: str


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """What a name in a rule stands for."""

    function: str
    knobs: tuple[Knob, ...]
    fixed: tuple[tuple[str, int | float], ...]
    outputs: dict[str, Source]  # the name a rule may write -> where it comes from; the first one is `value`

    def knob(self, name: str) -> Knob | None:
        """Return the parameter of that name; `period` is understood for TA-Lib's `timeperiod`."""
        wanted = {name, "timeperiod"} if name == "period" else {name}
        return next((knob for knob in self.knobs if knob.name in wanted), None)


def find_indicator(name: str) -> IndicatorSpec | None:
    """Return what `name` stands for, or None when nothing of ours computes it."""
    return BUILDER.get(name) or TALIB.get(name.upper())


def find_pattern(name: str) -> str | None:
    """Return TA-Lib's function for a candle pattern written as the builder (`morning_star`) or TA-Lib writes it."""
    text = name.strip()
    stem = text.rstrip("0123456789").removesuffix("_") if "_" in text else text
    for candidate in (text, stem):
        known = _PATTERN_NAMES.get(candidate) or _talib_pattern(candidate)
        if known.startswith("OWN_"):
            return known
        if known in PATTERNS:
            return f"CDL{known}"
    return None


def _talib_pattern(name: str) -> str:
    words = name.lower().removeprefix("cdl").split("_")
    numbers = {"two": "2", "three": "3", "candle": ""}
    return "".join(numbers.get(word, word) for word in words).upper()


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def _knob(text: str) -> Knob:
    names, _, value = text.partition("=")
    default, _, least = value.partition(">=")
    name, _, targets = names.partition(":")
    if default[:1].isalpha():
        return Knob(name, (targets or name,), 0, None, tuple(default.split("/")))
    # Whole numbers are counts of bars (least 1 unless said); moving-average types and real factors have no least value.
    counted = bool(least) or (default.isdigit() and any(word in names for word in ("period", "bars")))
    return Knob(name, tuple((targets or name).split("+")), _number(default), int(least or 1) if counted else None)


def _talib_spec(row: str) -> tuple[str, IndicatorSpec]:
    name, knobs, outputs = (part.strip() for part in row.split("|"))
    found = {"value": Source(name, outputs.split()[0])} | {one: Source(name, one) for one in outputs.split()}
    return name, IndicatorSpec(name, tuple(map(_knob, knobs.split())), (), found)


def _builder_spec(row: str) -> tuple[str, IndicatorSpec]:
    name, call, knobs, outputs = (part.strip() for part in row.split("|"))
    function, *fixed = call.split()
    pinned = tuple((key, _number(value)) for key, _, value in (one.partition("=") for one in fixed))
    found = {}
    for one in outputs.split():
        written, _, source = one.partition(":")
        owner, dot, output = source.partition(".")
        own = written if function.startswith("OWN_") else "real"
        found[written] = Source(owner, output) if dot else Source(function, source or own)
    return name, IndicatorSpec(function, tuple(map(_knob, knobs.split())), pinned, found)


def _rows(text: str) -> list[str]:
    return [row for row in text.splitlines() if row.strip()]


TALIB: dict[str, IndicatorSpec] = dict(map(_talib_spec, _rows(_TALIB_ROWS)))
BUILDER: dict[str, IndicatorSpec] = dict(map(_builder_spec, _rows(_BUILDER_ROWS)))
PATTERNS: frozenset[str] = frozenset(_PATTERNS.split())
