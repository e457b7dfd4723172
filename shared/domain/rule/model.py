"""A rule as a value: what design.md §7 allows to be written, frozen and hashable.

Percentages are percent (5.0 is 5 %), numbers stay as written (30 and 30.0 differ only in print). A `$name` stays a
ParamRef until `params.bind` puts a number in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.market import Timeframe
from shared.domain.order import OrderType, TimeInForce


class Operator(StrEnum):
    """How two values are compared. Crosses look one bar back; `breaks` means the same as `greater_than` (official)."""

    GREATER_THAN = "greater_than"
    LESS_THAN = "less_than"
    GREATER_EQUAL = "greater_equal"
    LESS_EQUAL = "less_equal"
    CROSS_ABOVE = "cross_above"
    CROSS_BELOW = "cross_below"
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    BREAKS = "breaks"
    BETWEEN = "between"


CROSSES = frozenset({Operator.CROSS_ABOVE, Operator.CROSS_BELOW})


class Logic(StrEnum):
    ALL = "AND"
    ANY = "OR"


class Scaling(StrEnum):
    MUL = "mul"
    DIV = "div"
    ADD = "add"
    SUB = "sub"


class PatternSignal(StrEnum):
    """The direction a candle pattern must show; TA-Lib gives a positive or negative mark."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    DETECTED = "detected"


class PriceField(StrEnum):
    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VOLUME = "volume"


class Fact(StrEnum):
    """What is neither price nor indicator; not known (never true) while it does not apply."""

    PNL_PCT = "position.pnl_pct"  # percent over the average price, at the price evaluated
    BARS_SINCE_ENTRY = "bars_since_entry"  # 0 on the bar of the entry fill
    MINUTES_TO_CLOSE = "session.minutes_to_close"


class EvaluateOn(StrEnum):
    BAR_CLOSE = "bar_close"
    TICK = "tick"


class SizingMode(StrEnum):
    SHARES = "shares"
    AMOUNT = "amount"  # of the market's currency
    EQUITY_PCT = "equity_pct"
    RISK_PCT = "risk_pct"  # equity percent lost when the stop is hit, or when the price falls by so many ATR


class UnfilledAction(StrEnum):
    KEEP = "keep"
    CANCEL = "cancel"
    REPRICE = "reprice"


class Approval(StrEnum):
    """Whether a person must say yes before an entry goes out. Exits never wait."""

    NONE = "none"
    REQUIRED = "required"


Number = int | float


@dataclass(frozen=True, slots=True)
class ParamRef:
    name: str

    def __str__(self) -> str:
        return f"${self.name}"


NumberOrParam = int | float | ParamRef
ParamValue = int | float | ParamRef | str


@dataclass(frozen=True, slots=True)
class Param:
    """A knob of the rule with its bounds."""

    name: str
    default: Number
    min: Number | None = None
    max: Number | None = None
    step: Number | None = None
    type: str | None = None  # "int" | "float"
    description: str = ""
    description_en: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    name: str
    description: str = ""
    author: str = "user"
    tags: tuple[str, ...] = ()
    created_at: str | None = None
    updated_at: str | None = None
    name_en: str = ""
    description_en: str = ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """`source` is the price taken where the indicator takes the close; `shift` tells the value so many bars earlier."""

    id: str
    alias: str
    params: tuple[tuple[str, ParamValue], ...] = ()
    output: str = "value"
    name: str = ""
    source: PriceField = PriceField.CLOSE
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Candlestick:
    id: str
    alias: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: Number


@dataclass(frozen=True, slots=True)
class Price:
    field: PriceField


@dataclass(frozen=True, slots=True)
class IndicatorRef:
    """An indicator by alias; `output` None means the output that the indicator names."""

    alias: str
    output: str | None = None


@dataclass(frozen=True, slots=True)
class FactRef:
    fact: Fact


@dataclass(frozen=True, slots=True)
class Scaled:
    """`base` with a number applied, e.g. 90 % of an average."""

    base: Price | IndicatorRef | FactRef
    operation: Scaling
    scalar: NumberOrParam


Operand = Constant | ParamRef | Price | IndicatorRef | FactRef | Scaled


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; `upper` is set for `between` alone, where both ends count."""

    left: Operand
    operator: Operator
    right: Operand
    upper: Operand | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    candlestick: str
    signal: PatternSignal = PatternSignal.DETECTED


@dataclass(frozen=True, slots=True)
class Group:
    logic: Logic
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Vote:
    """True when the weights of the true ones reach `at_least`; without weights each counts 1."""

    conditions: tuple[Condition, ...]
    at_least: NumberOrParam
    weights: tuple[Number, ...] = ()


Condition = Comparison | Pattern | Group | Not | Vote


class CompositeMode(StrEnum):
    AND = "and"
    OR = "or"
    VOTE = "vote"
    WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class Member:
    """One of several rules that decide together."""

    name: str
    entry: Group
    exit: Group
    weight: Number = 1


@dataclass(frozen=True, slots=True)
class Composite:
    """Several rules, one decision; `at_least` counts members (vote) or weight (weights)."""

    mode: CompositeMode
    members: tuple[Member, ...]
    at_least: NumberOrParam | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A percent limit that can be switched off without losing its number."""

    enabled: bool
    percent: NumberOrParam | None = None


@dataclass(frozen=True, slots=True)
class TimeStop:
    """Leave when the position is this many bars old."""

    enabled: bool
    bars: NumberOrParam | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """Stops are measured from the average price, the trailing stop from the highest price since entry."""

    stop_loss: Guard | None = None
    take_profit: Guard | None = None
    trailing_stop: Guard | None = None
    time_stop: TimeStop | None = None
    max_position_size: Number | None = None  # 0..1 of equity


@dataclass(frozen=True, slots=True)
class Sizing:
    mode: SizingMode
    value: NumberOrParam
    atr_period: NumberOrParam | None = (
        None  # risk_pct: what a share risks is atr_multiple x ATR, not the way to the stop
    )
    atr_multiple: NumberOrParam = 2


@dataclass(frozen=True, slots=True)
class Ladder:
    """Split buying: one part of the sizing a bar at most, limits as percent over the average price (docs/rules.md)."""

    splits: NumberOrParam
    order_type: OrderType = OrderType.LOC
    first_pct: NumberOrParam = 10  # of the close, for the first part
    limit_pct: NumberOrParam = 0
    early_splits: NumberOrParam = 0  # while fewer parts are used, early_pct is the limit
    early_pct: NumberOrParam = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """Buy one step at each of `levels` prices below `upper`, sell it one gap above (docs/rules.md)."""

    upper: NumberOrParam
    lower: NumberOrParam
    levels: NumberOrParam


@dataclass(frozen=True, slots=True)
class Rebalance:
    """Hold each symbol at its percent of equity; acts when it is off by more than `band_pct` points."""

    weights: tuple[tuple[str, Number], ...]
    band_pct: NumberOrParam = 5


@dataclass(frozen=True, slots=True)
class Unfilled:
    """What to do with an order that still rests after `after_sec` seconds."""

    action: UnfilledAction = UnfilledAction.KEEP
    after_sec: int = 0


@dataclass(frozen=True, slots=True)
class Execution:
    """How decisions become orders.

    A limit price is the opposite best price (ask when buying, bid when selling; last when no book is known) moved
    `offset_ticks` towards filling; negative waits on our own side.
    """

    order_type: OrderType = OrderType.LIMIT
    offset_ticks: int = 0
    time_in_force: TimeInForce = TimeInForce.DAY
    cooldown_sec: int = 0
    unfilled: Unfilled = Unfilled()
    approval: Approval = Approval.NONE
    approval_sec: int = 120  # an entry that nobody has approved by then is not sent


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `rule_id` and `version_id` are 0 until the store has given them; they do not make rules differ."""

    metadata: Metadata
    id: str
    entry: Group
    exit: Group
    composite: Composite | None = None  # in the place of entry and exit
    ladder: Ladder | None = None  # at most one of ladder, grid and rebalance
    grid: Grid | None = None
    rebalance: Rebalance | None = None
    indicators: tuple[Indicator, ...] = ()
    candlesticks: tuple[Candlestick, ...] = ()
    params: tuple[Param, ...] = ()
    category: str = "custom"
    timeframe: Timeframe = Timeframe.D1
    evaluate: EvaluateOn = EvaluateOn.BAR_CLOSE
    risk: Risk = Risk()
    sizing: Sizing | None = None
    execution: Execution = Execution()
    universe: tuple[str, ...] = ()
    version: str = "1.0"
    python: str = ""  # the whole text of a rule that is Python: its code decides in the place of entry and exit
    rule_id: int = field(default=0, compare=False)
    version_id: int = field(default=0, compare=False)
