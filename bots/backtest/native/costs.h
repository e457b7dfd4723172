/* Prices on their grid, inside their limits, and what is taken from a trade: all by the rules of the bar's date. */
static int64_t exact(double price) /* below a million a double's product is right to a fiftieth of a unit, and far cheaper */
{
    return price < 1e6 ? (int64_t)llrint(price * 1e8) : (int64_t)llrintl((long double)price * 1e8L);
}
static double real(int64_t price) { return (double)price / 1e8; }
static double rounded(double level) { return real(exact(level)); }

static const regime_t *regime_of(const series_t *series, state_t *s, int64_t bar)
{
    while (s->regime + 1 < series->regime_count && series->regimes[s->regime + 1].from_bar <= bar) s->regime++;
    return series->regimes + s->regime;
}

static int64_t tick_of(const regime_t *r, int64_t price)
{
    for (int k = 0; k < r->tick_count; k++) if (price >= r->floors[k]) return r->ticks[k];
    return r->ticks[r->tick_count - 1];
}

static int64_t down(int64_t price, int64_t tick) { return price / tick * tick; }
static int64_t up(int64_t price, int64_t tick) { return (price + tick - 1) / tick * tick; }

static double nearly(wide value) { return (double)(int64_t)(value >> 64) * 0x1p64 + (double)(uint64_t)value; }

/* product / whole, rounded down, neither negative: a double finds the quotient within one, exact products correct it.
 * Dividing 128 bits outright would cost more than the rest of a trade. Holds for quotients below 2^52. */
static int64_t divided(wide product, wide whole)
{
    int64_t found = (int64_t)(nearly(product) / nearly(whole));
    wide left = product - found * whole;
    while (left < 0) { found--; left += whole; }
    while (left >= whole) { found++; left -= whole; }
    return found;
}

static wide cut(wide amount, int64_t rate) { return (wide)divided(amount * rate, (wide)100000000000000LL * UNIT) * UNIT; } /* below 1 won */
static wide cents_up(wide amount) { return (amount + 999999) / 1000000 * 1000000; }

static wide fee(const plan_t *plan, const regime_t *r, int selling, int64_t quantity, int64_t price)
{
    wide amount = (wide)price * quantity;
    int64_t rate = selling ? r->sell_rate : r->buy_rate;
    if (!plan->is_us) {
        wide paid = cut(amount, rate);
        return selling ? paid + cut(amount, r->tax_rate) + cut(amount, r->rural_rate) : paid;
    }
    wide parts = (wide)100000000000000LL * 1000000; /* one cent in parts of amount x rate */
    wide paid = (wide)divided(amount * rate + parts / 2, parts) * 1000000;
    if (!selling) return paid;
    wide taf = (wide)quantity * r->taf_share;
    if (taf > r->taf_cap) taf = r->taf_cap;
    wide sec = amount * r->sec_rate;
    return paid + (wide)divided(sec + parts - 1, parts) * 1000000 + cents_up(taf);
}

/* The first bar from `bar` on that does not start before `at`: looked for nearby, in steps that double. */
static int64_t first_from(const series_t *series, int64_t bar, int64_t at)
{
    int64_t low = bar, high = series->count;
    for (int64_t stride = 64; low + stride < high; stride *= 2) {
        if (series->starts[low + stride] >= at) { high = low + stride; break; }
        low += stride;
    }
    while (low < high) { int64_t mid = (low + high) / 2; if (series->starts[mid] < at) low = mid + 1; else high = mid; }
    return low;
}

/* The close of the last bar of an earlier local date: the base of the day's limits; 0 when there is none. */
static int64_t base_of(const series_t *series, state_t *s, int64_t bar)
{
    if (bar < s->day_end) return s->base;
    int64_t begin = (series->starts[bar] + series->day_offset) / 86400 * 86400 - series->day_offset;
    int64_t first = first_from(series, s->day_end, begin);
    s->base = first > 0 ? exact(series->close[first - 1]) : 0;
    s->day_end = first_from(series, bar, begin + 86400);
    return s->base;
}

/* The day's lowest or highest price by the close before; 0 when it is not known. */
static int64_t limit_of(const plan_t *plan, const series_t *series, state_t *s, const regime_t *r, int upper, int64_t bar)
{
    int64_t base = plan->has_limits ? base_of(series, s, bar) : 0;
    if (!base) return 0;
    int64_t width = (int64_t)((wide)base * r->limit_pct / 100) / UNIT * UNIT;
    width = down(width, tick_of(r, base));
    if (upper) return down(base + width, tick_of(r, base + width));
    int64_t floor_price = base - width > r->ticks[r->tick_count - 1] ? base - width : r->ticks[r->tick_count - 1];
    return up(floor_price, tick_of(r, floor_price));
}

static int64_t slipped(const plan_t *plan, const series_t *series, state_t *s, const regime_t *r, int selling, int64_t price, int64_t bar)
{
    if (!plan->slippage_ticks) return price;
    int64_t step = tick_of(r, price) * plan->slippage_ticks, moved = selling ? price - step : price + step;
    if (selling && moved < step) moved = step;
    int64_t edge = limit_of(plan, series, s, r, !selling, bar);
    if (!edge) return moved;
    /* a price beyond the limits had another base */
    if (!selling) return moved < edge || edge < price ? moved : edge;
    return moved > edge || edge > price ? moved : edge;
}

/* The shares that the bar trades: none while it is locked at its limit, else a share of its volume. */
static int64_t most_of(const plan_t *plan, const series_t *series, state_t *s, const regime_t *r, int selling, int64_t bar, int64_t quantity)
{
    if (plan->has_limits && series->high[bar] == series->low[bar]
        && exact(series->high[bar]) == limit_of(plan, series, s, r, !selling, bar)) return 0;
    if (!plan->volume_pct) return quantity;
    double most = series->volume[bar] * (double)plan->volume_pct / 100.0;
    return most < (double)quantity ? (int64_t)most : quantity;
}
