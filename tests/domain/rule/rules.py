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


@st.composite
def indicators(draw, names):
    found = []
    for alias in draw(st.lists(words, unique=True, max_size=3)):
        identity = draw(st.sampled_from(sorted(BUILDER) + sorted(TALIB)))
        spec = BUILDER.get(identity) or TALIB[identity]
        knobs = draw(st.lists(st.sampled_from(spec.knobs), unique=True, max_size=3)) if spec.knobs else []
        values = [
            (one.name, draw(_named(st.integers(4, 60), names) if one.whole else _named(numbers, names)))
            for one in knobs
        ]
        output = draw(st.sampled_from(["value", *spec.outputs]))
        found.append(m.Indicator(identity, alias, tuple(values), output, draw(texts)))
    taken = {one.value for one in m.PriceField} | {"price", "bars_since_entry"}
    return tuple(one for one in found if one.alias not in taken)


def _can_cross(one):
    sides = [side.base if isinstance(side, m.Scaled) else side for side in (one.left, one.right)]
    return one.operator not in m.CROSSES or not any(isinstance(side, m.FactRef) for side in sides)


def _leaves(inds, names):
    prices = st.sampled_from([m.Price(one) for one in m.PriceField])
    facts = st.sampled_from([m.FactRef(one) for one in m.Fact])
    series = [prices, facts]
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
    return st.one_of(simple, between, patterns)


def _groups(leaves):
    nested = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(m.Group, st.sampled_from(m.Logic), st.lists(inner, min_size=1, max_size=3).map(tuple)),
            inner.map(m.Not),
        ),
        max_leaves=5,
    )
    return st.builds(m.Group, st.sampled_from(m.Logic), st.lists(nested, min_size=1, max_size=3).map(tuple))


@st.composite
def rules(draw):
    """Any rule that the parser accepts, `$name` references included."""
    knobs = draw(params())
    names = [one.name for one in knobs]
    inds = draw(indicators(names))
    guard = st.builds(m.Guard, st.booleans(), _named(positive, names))
    sizing = st.builds(
        m.Sizing, st.sampled_from([m.SizingMode.AMOUNT, m.SizingMode.EQUITY_PCT]), _named(positive, names)
    )
    time_stop = st.builds(m.TimeStop, st.booleans(), _named(st.integers(1, 500), names))
    unfilled = st.builds(m.Unfilled, st.sampled_from(m.UnfilledAction), st.integers(0, 600))
    groups = _groups(_leaves(inds, names))
    return m.Rule(
        metadata=m.Metadata(
            draw(texts), draw(texts), draw(texts), tuple(draw(st.lists(texts, max_size=2))), name_en=draw(texts)
        ),
        id=draw(words),
        entry=draw(groups),
        exit=draw(groups),
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
        sizing=draw(st.none() | sizing),
        execution=m.Execution(
            draw(st.sampled_from(OrderType)),
            draw(st.integers(-100, 100)),
            draw(st.sampled_from(TimeInForce)),
            draw(st.integers(0, 1000)),
            draw(unfilled),
        ),
        universe=tuple(draw(st.lists(st.sampled_from(["005930", "000270", "AAPL", "BRK.B"]), unique=True, max_size=3))),
    )
