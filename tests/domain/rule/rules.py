"""Rule texts for tests, and a strategy that writes any rule."""

from hypothesis import strategies as st

from shared.domain.market import RULE_TIMEFRAMES
from shared.domain.order import OrderType, TimeInForce
from shared.domain.rule import model as m
from shared.domain.rule.catalogue import BUILDER, TALIB

SMALL = """
metadata: {name: 작은 규칙}
strategy:
  id: small
  indicators:
    - {id: sma, alias: fast, params: {period: 2}}
    - {id: sma, alias: slow, params: {period: 3}}
  entry: {conditions: [{indicator: fast, operator: cross_above, compare_to: slow}]}
  exit: {conditions: [{indicator: fast, operator: cross_below, compare_to: slow}]}
"""

_letters = st.characters(codec="utf-8", exclude_categories=["Cs"])
texts = st.text(_letters, max_size=12)
words = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
numbers = st.one_of(
    st.integers(-1000, 100_000), st.floats(-1e6, 1e6, allow_nan=False, allow_infinity=False, allow_subnormal=False)
)
positive = st.one_of(st.integers(1, 90), st.floats(0.01, 90, allow_subnormal=False))


def _named(values, names):
    return values if not names else st.one_of(values, st.sampled_from([m.ParamRef(one) for one in names]))


@st.composite
def params(draw):
    names = draw(st.lists(words, unique=True, max_size=3))
    found = []
    for name in names:
        default = draw(st.integers(2, 60))
        low = draw(st.none() | st.integers(2, default))
        high = draw(st.none() | st.integers(default, 500))
        kind = draw(st.sampled_from([None, "int", "float"]))
        step = draw(st.none() | positive)
        found.append(m.Param(name, default, low, high, step, kind, draw(texts), draw(texts)))
    return tuple(found)


def _knob_values(knob, names):
    if knob.choices:
        return st.sampled_from(knob.choices)
    return _named(st.integers(4, 60), names) if knob.whole else _named(numbers, names)


@st.composite
def indicators(draw, names, of=()):
    found = []
    for alias in draw(st.lists(words, unique=True, max_size=3)):
        identity = draw(st.sampled_from(of or sorted(BUILDER) + sorted(TALIB)))
        spec = BUILDER.get(identity) or TALIB[identity]
        knobs = draw(st.lists(st.sampled_from(spec.knobs), unique=True, max_size=3)) if spec.knobs else []
        values = [(one.name, draw(_knob_values(one, names))) for one in knobs]
        output = draw(st.sampled_from(["value", *spec.outputs]))
        source = draw(st.sampled_from(m.PriceField))
        found.append(m.Indicator(identity, alias, tuple(values), output, draw(texts), source, draw(st.integers(0, 5))))
    taken = {one.value for one in m.PriceField} | {"price", "bars_since_entry"}
    return tuple(one for one in found if one.alias not in taken)


def _can_cross(one):
    sides = [side.base if isinstance(side, m.Scaled) else side for side in (one.left, one.right)]
    return one.operator not in m.CROSSES or not any(isinstance(side, m.FactRef) for side in sides)


def _leaves(inds, names, lines_only=False):
    prices = st.sampled_from([m.Price(one) for one in m.PriceField])
    facts = st.sampled_from([m.FactRef(one) for one in m.Fact])
    series = [prices] if lines_only else [prices, facts]
    if inds:

        @st.composite
        def reference(draw):
            one = draw(st.sampled_from(inds))
            spec = BUILDER.get(one.id) or TALIB[one.id]
            return m.IndicatorRef(one.alias, draw(st.none() | st.sampled_from(sorted(spec.outputs))))

        series.append(reference())
    values = st.one_of(*series)
    numeric = _named(numbers, names)
    scaled = st.builds(m.Scaled, values, st.sampled_from(m.Scaling), numeric.filter(lambda value: value != 0))
    right = st.one_of(values, scaled, numeric.map(lambda v: v if isinstance(v, m.ParamRef) else m.Constant(v)))
    plain = [one for one in m.Operator if one is not m.Operator.BETWEEN]
    simple = st.builds(m.Comparison, values, st.sampled_from(plain), right).filter(_can_cross)
    unscaled = st.one_of(values, numbers.map(m.Constant))
    between = st.builds(m.Comparison, values, st.just(m.Operator.BETWEEN), unscaled, unscaled)
    patterns = st.builds(m.Pattern, st.sampled_from(["doji", "engulfing"]), st.sampled_from(m.PatternSignal))
    return st.one_of(simple, between) if lines_only else st.one_of(simple, between, patterns)


@st.composite
def _votes(draw, inner):
    of = tuple(draw(st.lists(inner, min_size=1, max_size=3)))
    weights = tuple(draw(st.integers(1, 5)) for _ in of) if draw(st.booleans()) else ()
    most = sum(weights) if weights else len(of)
    return m.Vote(of, draw(st.integers(1, most)), weights)


@st.composite
def composites(draw, groups):
    names = draw(st.lists(words, unique=True, min_size=2, max_size=3))
    members = tuple(m.Member(one, draw(groups), draw(groups), draw(st.integers(1, 3))) for one in names)
    mode = draw(st.sampled_from(m.CompositeMode))
    return m.Composite(mode, members, draw(st.integers(1, 2)) if mode.value in ("vote", "weights") else None)


@st.composite
def targets(draw, names):
    """At most one of ladder, grid and rebalance, with the sizing and universe that it needs."""
    kind = draw(st.sampled_from(["none", "none", "ladder", "grid", "rebalance"]))
    percent = _named(st.integers(0, 60), names)
    if kind == "ladder":
        type_ = draw(st.sampled_from([OrderType.LOC, OrderType.LIMIT, OrderType.MARKET]))
        splits = draw(_named(st.integers(2, 60), names))
        return {"ladder": m.Ladder(splits, type_, *(draw(percent) for _ in range(4)))}
    if kind == "grid":
        return {"grid": m.Grid(draw(st.integers(1000, 2000)), draw(st.integers(1, 999)), draw(st.integers(1, 60)))}
    if kind == "rebalance":
        weights = (("SPY", draw(st.integers(0, 50))), ("TLT", draw(st.floats(0, 50))))
        return {"rebalance": m.Rebalance(weights, draw(percent))}
    return {}


def _groups(leaves):
    nested = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(m.Group, st.sampled_from(m.Logic), st.lists(inner, min_size=1, max_size=3).map(tuple)),
            inner.map(m.Not),
            _votes(inner),
        ),
        max_leaves=5,
    )
    return st.builds(m.Group, st.sampled_from(m.Logic), st.lists(nested, min_size=1, max_size=3).map(tuple))


@st.composite
def rules(draw, with_targets=False, lines_of=()):
    """Any rule that the parser accepts, `$name` references included; ladders, grids and weights when asked for.

    `lines_of`: conditions on prices and on these indicators alone, no facts and no patterns.
    """
    knobs = draw(params())
    names = [one.name for one in knobs]
    inds = draw(indicators(names, lines_of))
    guard = st.builds(m.Guard, st.booleans(), _named(positive, names))
    target = draw(targets(names)) if with_targets else {}
    fixed = [m.SizingMode.AMOUNT] if target else [m.SizingMode.AMOUNT, m.SizingMode.EQUITY_PCT]
    sizing = st.builds(m.Sizing, st.sampled_from(fixed), _named(positive, names))
    time_stop = st.builds(m.TimeStop, st.booleans(), _named(st.integers(1, 500), names))
    unfilled = st.builds(m.Unfilled, st.sampled_from(m.UnfilledAction), st.integers(0, 600))
    groups = _groups(_leaves(inds, names, bool(lines_of)))
    composite = draw(st.none() | st.none() | composites(groups))
    empty = {"entry": m.Group(m.Logic.ALL), "exit": m.Group(m.Logic.ANY)}
    speaking = empty if composite else {"entry": draw(groups), "exit": draw(groups)}
    symbols = st.lists(st.sampled_from(["005930", "000270", "AAPL", "BRK.B"]), unique=True, max_size=3).map(tuple)
    return m.Rule(
        metadata=m.Metadata(
            draw(texts), draw(texts), draw(texts), tuple(draw(st.lists(texts, max_size=2))), name_en=draw(texts)
        ),
        id=draw(words),
        composite=composite,
        **speaking,
        **target,
        indicators=inds,
        params=knobs,
        category=draw(words),
        timeframe=draw(st.sampled_from(RULE_TIMEFRAMES)),
        evaluate=draw(st.sampled_from(m.EvaluateOn)),
        risk=m.Risk(
            *(draw(st.none() | guard) for _ in range(3)),
            draw(st.none() | time_stop),
            draw(st.none() | st.floats(0.01, 1.0)),
        ),
        sizing=draw(sizing if target else st.none() | sizing),
        execution=m.Execution(
            draw(st.sampled_from(OrderType)),
            draw(st.integers(-100, 100)),
            draw(st.sampled_from(TimeInForce)),
            draw(st.integers(0, 1000)),
            draw(unfilled),
        ),
        universe=() if "rebalance" in target else draw(symbols),
    )
