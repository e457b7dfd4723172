/* The walk of a backtest: what a rule trades on arrays of bars, several symbols on one cash account.
 *
 * The same meaning as bots/backtest/spans.py and bots/backtest/replay.py, which tests hold it to. Money and prices are
 * integers of 1e-8, so sums, fees and share counts are exact; only levels and position facts are doubles, computed by the
 * operations Python uses. No allocation, no I/O, no state between calls.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef __int128 wide;
#define UNIT 100000000LL
#define BLOCK 1024
#define DEPTH 16
#define MAX_SYMBOLS 64

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__)
#define VECTOR __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR
#endif

typedef struct { /* venue rules and rates from one bar on */
    int64_t from_bar, floors[8], ticks[8];
    int64_t buy_rate, sell_rate, tax_rate, rural_rate, sec_rate; /* parts of 1e14 */
    int64_t taf_share, taf_cap;                                   /* 1e-8 dollars */
    int64_t cheap_below, cheap_unit;                              /* order unit under a price */
    int32_t tick_count, limit_pct;
} regime_t;

typedef struct { /* data NULL: constant; kind 2 pnl_pct, 3 bars_since_entry, 4 scaled from a column of those */
    const double *data;
    double constant, scalar;
    int32_t kind, base, operation, unused;
} column_t;

typedef struct { int32_t code, a, b, c; } op_t;

typedef struct {
    int64_t count;
    const int64_t *starts;
    const double *open, *high, *low, *close, *volume;
    const int32_t *bar_at; /* timeline -> bar or -1; NULL: the timeline is the bars */
    const regime_t *regimes;
    const column_t *columns;
    const int64_t *dividend_bars, *dividend_amounts; /* net, 1e-8 per share, at the ex-date's first bar */
    int64_t regime_count, dividend_count, bar_seconds, day_offset;
} series_t;

typedef struct {
    const op_t *entry, *leave;
    int64_t entry_count, leave_count, leave_needs_position, column_count;
    double stop_pct, target_pct, trail_pct; /* NaN: none */
    int64_t time_stop, cooldown_s, sizing_mode, sizing_value, max_position; /* -1: none; values in 1e-8 */
    int64_t is_us, fill_close, slippage_ticks, volume_pct, has_limits;
} plan_t;

typedef struct { int64_t entry, leave, quantity; double entry_price, exit_price, pnl; int32_t symbol, reason; } trade_t;

typedef struct {
    double final_equity, max_drawdown, sum, sum_squares, gross_profit, gross_loss;
    int64_t returns, closed, wins, trades, unaffordable, thin, held_bars;
} stats_t;

enum { OPEN = 0, EXIT, TIME_STOP, STOP_LOSS, TRAILING, TARGET };
enum { GT = 0, LT, GE, LE, EQ, NE, CROSS_ABOVE, CROSS_BELOW, BETWEEN, ALL = 20, ANY, NOT, NEVER };
enum { FALSE_ = 0, UNKNOWN = 1, TRUE_ = 2 };

typedef struct {
    int64_t quantity, entry_bar, free_bar, price, block[2], regime, dividend, day_begin, day_end, base;
    wide paid;
    double entry_price, high_water, mark, loss, target, lower; /* lower: the higher of loss and trailing level */
    int32_t pending, reason; /* pending: 0 nothing, 1 buy, 2 sell */
    uint8_t masks[2][BLOCK];
} state_t;

typedef struct {
    const plan_t *plan;
    const series_t *series;
    state_t *state;
    int64_t symbols, log_size;
    wide cash;
    trade_t *log;
    stats_t *stats;
} walk_t;

/* -- conditions ----------------------------------------------------------------------------------------------------- */

VECTOR static void leaf_block(int code, const double *a, const double *b, const double *c, int64_t n, uint8_t *out)
{
#define EACH(test) for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)((a[i] != a[i]) | (b[i] != b[i]) ? UNKNOWN : (test) ? TRUE_ : FALSE_)
#define CROSS(before, now) for (int64_t i = 0; i < n; i++) \
        out[i] = (uint8_t)((a[i] != a[i]) | (b[i] != b[i]) | (a[i - 1] != a[i - 1]) | (b[i - 1] != b[i - 1]) ? UNKNOWN \
                 : ((before) & (now)) ? TRUE_ : FALSE_)
    switch (code) {
    case GT: EACH(a[i] > b[i]); break;
    case LT: EACH(a[i] < b[i]); break;
    case GE: EACH(a[i] >= b[i]); break;
    case LE: EACH(a[i] <= b[i]); break;
    case EQ: EACH(a[i] == b[i]); break;
    case NE: EACH(a[i] != b[i]); break;
    case CROSS_ABOVE: CROSS(a[i - 1] <= b[i - 1], a[i] > b[i]); break;
    case CROSS_BELOW: CROSS(a[i - 1] >= b[i - 1], a[i] < b[i]); break;
    case BETWEEN:
        for (int64_t i = 0; i < n; i++)
            out[i] = (uint8_t)((a[i] != a[i]) | (b[i] != b[i]) | (c[i] != c[i]) ? UNKNOWN
                               : ((b[i] <= a[i]) & (a[i] <= c[i])) ? TRUE_ : FALSE_);
        break;
    }
}

static const double *column_block(const column_t *column, int64_t begin, int64_t n, double *room)
{
    if (column->data) return column->data + begin;
    for (int64_t i = 0; i <= n; i++) room[i] = column->constant;
    return room + 1;
}

static void combine(const op_t *op, uint8_t (*stack)[BLOCK], int *top, int64_t n)
{
    if (op->code == NEVER) { memset(stack[(*top)++], FALSE_, (size_t)n); return; }
    if (op->code == NOT) {
        uint8_t *one = stack[*top - 1];
        for (int64_t i = 0; i < n; i++) one[i] = (uint8_t)(TRUE_ - one[i]);
        return;
    }
    for (int k = 1; k < op->a; k++) { /* Kleene: all is the least, any the greatest */
        uint8_t *left = stack[*top - 2], *right = stack[*top - 1];
        if (op->code == ALL) for (int64_t i = 0; i < n; i++) left[i] = left[i] < right[i] ? left[i] : right[i];
        else for (int64_t i = 0; i < n; i++) left[i] = left[i] > right[i] ? left[i] : right[i];
        (*top)--;
    }
}

static void fill_block(const series_t *series, const op_t *ops, int64_t op_count, int64_t begin, int64_t n, uint8_t *out)
{
    uint8_t stack[DEPTH][BLOCK];
    double room[3][BLOCK + 1];
    int top = 0;
    for (int64_t k = 0; k < op_count; k++) {
        const op_t *op = ops + k;
        if (op->code >= ALL) { combine(op, stack, &top, n); continue; }
        const column_t *columns = series->columns;
        const double *a = column_block(columns + op->a, begin, n, room[0]);
        const double *b = column_block(columns + op->b, begin, n, room[1]);
        const double *c = op->code == BETWEEN ? column_block(columns + op->c, begin, n, room[2]) : a;
        int64_t skip = begin == 0 && (op->code == CROSS_ABOVE || op->code == CROSS_BELOW); /* nothing before the first bar */
        if (skip) stack[top][0] = UNKNOWN;
        leaf_block(op->code, a + skip, b + skip, c + skip, n - skip, stack[top] + skip);
        top++;
    }
    memcpy(out, stack[0], (size_t)n);
}

static int mask_at(const series_t *series, state_t *s, int which, const op_t *ops, int64_t op_count, int64_t bar)
{
    int64_t offset = bar - s->block[which];
    if (offset < 0 || offset >= BLOCK) {
        int64_t n = series->count - bar < BLOCK ? series->count - bar : BLOCK;
        fill_block(series, ops, op_count, bar, n, s->masks[which]);
        s->block[which] = bar;
        offset = 0;
    }
    return s->masks[which][offset];
}

static double scale(int operation, double value, double by)
{
    return operation == 0 ? value * by : operation == 1 ? value / by : operation == 2 ? value + by : value - by;
}

static double value_at(const series_t *series, const state_t *s, int index, int64_t bar)
{
    const column_t *column = series->columns + index;
    if (bar < 0) return column->data || column->kind >= 2 ? NAN : column->constant;
    if (column->data) return column->data[bar];
    switch (column->kind) {
    case 2: return bar < s->entry_bar ? NAN : rint((series->close[bar] / s->entry_price - 1.0) * 100.0 * 1e8) / 1e8;
    case 3: return bar < s->entry_bar ? NAN : (double)(bar - s->entry_bar);
    case 4: return scale(column->operation, value_at(series, s, column->base, bar), column->scalar);
    default: return column->constant;
    }
}

static int leaf_now(const series_t *series, const state_t *s, const op_t *op, int64_t bar)
{
    double a = value_at(series, s, op->a, bar), b = value_at(series, s, op->b, bar);
    if (isnan(a) || isnan(b)) return UNKNOWN;
    int held = 0;
    switch (op->code) {
    case GT: held = a > b; break;
    case LT: held = a < b; break;
    case GE: held = a >= b; break;
    case LE: held = a <= b; break;
    case EQ: held = a == b; break;
    case NE: held = a != b; break;
    case BETWEEN: {
        double c = value_at(series, s, op->c, bar);
        if (isnan(c)) return UNKNOWN;
        held = b <= a && a <= c;
        break;
    }
    default: {
        double a0 = value_at(series, s, op->a, bar - 1), b0 = value_at(series, s, op->b, bar - 1);
        if (isnan(a0) || isnan(b0)) return UNKNOWN;
        held = op->code == CROSS_ABOVE ? a0 <= b0 && a > b : a0 >= b0 && a < b;
    }
    }
    return held ? TRUE_ : FALSE_;
}

static int judge_now(const series_t *series, const state_t *s, const op_t *ops, int64_t op_count, int64_t bar)
{
    int stack[DEPTH], top = 0;
    for (int64_t k = 0; k < op_count; k++) {
        const op_t *op = ops + k;
        if (op->code < ALL) stack[top++] = leaf_now(series, s, op, bar);
        else if (op->code == NEVER) stack[top++] = FALSE_;
        else if (op->code == NOT) stack[top - 1] = TRUE_ - stack[top - 1];
        else for (int n = 1; n < op->a; n++, top--) {
            int left = stack[top - 2], right = stack[top - 1];
            stack[top - 2] = (op->code == ALL) == (left < right) ? left : right;
        }
    }
    return stack[0];
}

/* -- prices and costs ----------------------------------------------------------------------------------------------- */

static int64_t exact(double price) { return (int64_t)llrintl((long double)price * 1e8L); }
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

static wide cut(wide amount, int64_t rate) { return amount * rate / ((wide)100000000000000LL * UNIT) * UNIT; } /* below 1 won */
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
    wide paid = (amount * rate + parts / 2) / parts * 1000000;
    if (!selling) return paid;
    wide taf = (wide)quantity * r->taf_share;
    if (taf > r->taf_cap) taf = r->taf_cap;
    wide sec = amount * r->sec_rate;
    return paid + (sec + parts - 1) / parts * 1000000 + cents_up(taf);
}

/* The close of the last bar of an earlier local date: the base of the day's limits; 0 when there is none. */
static int64_t base_of(const series_t *series, state_t *s, int64_t bar)
{
    int64_t start = series->starts[bar];
    if (start >= s->day_begin && start < s->day_end) return s->base;
    s->day_begin = (start + series->day_offset) / 86400 * 86400 - series->day_offset;
    s->day_end = s->day_begin + 86400;
    int64_t low = 0, high = bar;
    while (low < high) { int64_t mid = (low + high) / 2; if (series->starts[mid] < s->day_begin) low = mid + 1; else high = mid; }
    s->base = low > 0 ? exact(series->close[low - 1]) : 0;
    return s->base;
}

static int64_t slipped(const plan_t *plan, const series_t *series, state_t *s, const regime_t *r, int selling, int64_t price, int64_t bar)
{
    if (!plan->slippage_ticks) return price;
    int64_t step = tick_of(r, price) * plan->slippage_ticks, moved = selling ? price - step : price + step;
    if (selling && moved < step) moved = step;
    int64_t base = plan->has_limits ? base_of(series, s, bar) : 0;
    if (!base) return moved;
    int64_t width = (int64_t)((wide)base * r->limit_pct / 100) / UNIT * UNIT;
    width = down(width, tick_of(r, base));
    if (!selling) {
        int64_t upper = down(base + width, tick_of(r, base + width));
        return moved < upper || upper < price ? moved : upper; /* a price beyond the limits had another base */
    }
    int64_t floor_price = base - width > r->ticks[r->tick_count - 1] ? base - width : r->ticks[r->tick_count - 1];
    int64_t lower = up(floor_price, tick_of(r, floor_price));
    return moved > lower || lower > price ? moved : lower;
}

static int64_t most_by_volume(const plan_t *plan, const series_t *series, int64_t bar, int64_t quantity)
{
    if (!plan->volume_pct) return quantity;
    double most = floor(series->volume[bar] * (double)plan->volume_pct / 100.0);
    return most < (double)quantity ? (int64_t)most : quantity;
}

/* -- how much ------------------------------------------------------------------------------------------------------- */

static wide equity_now(const walk_t *w)
{
    wide total = w->cash;
    for (int64_t s = 0; s < w->symbols; s++) if (w->state[s].quantity) total += (wide)w->state[s].quantity * exact(w->state[s].mark);
    return total;
}

static wide cost_of(const plan_t *plan, const regime_t *r, int64_t quantity, int64_t price)
{
    return quantity <= 0 ? 0 : (wide)quantity * price + fee(plan, r, 0, quantity, price);
}

static int64_t units(const regime_t *r, int64_t quantity, int64_t price)
{
    return price < r->cheap_below ? quantity / r->cheap_unit * r->cheap_unit : quantity;
}

static int64_t sized(const walk_t *w, const regime_t *r, int64_t price)
{
    const plan_t *plan = w->plan;
    wide equity = equity_now(w), value = plan->sizing_value, wanted;
    switch (plan->sizing_mode) {
    case 0: wanted = value / UNIT; break;
    case 1: wanted = value / price; break;
    case 2: wanted = equity * value / ((wide)100 * UNIT * price); break;
    default: { /* what is lost at the stop, value percent of equity: the percents cancel out */
        wide stop = isnan(plan->stop_pct) ? 0 : llrintl((long double)plan->stop_pct * 1e8L);
        if (stop <= 0) return 0;
        wide risk = equity * value / (price * stop), all = equity / price;
        wanted = risk < all ? risk : all;
    }
    }
    if (plan->max_position >= 0) {
        wide most = equity * plan->max_position / ((wide)UNIT * price);
        if (most < wanted) wanted = most;
    }
    if (wanted <= 0) return 0;
    int64_t quantity = wanted > 1000000000000LL ? 1000000000000LL : (int64_t)wanted;
    wide cost = cost_of(plan, r, quantity, price);
    if (cost <= w->cash) return units(r, quantity, price);
    if (plan->sizing_mode < 2 || w->cash <= 0) return 0; /* fixed sizes are not shrunk */
    wide guess = w->cash * quantity / cost + 2;
    if (guess < quantity) quantity = (int64_t)guess;
    while (quantity > 0 && cost_of(plan, r, quantity, price) > w->cash) quantity--;
    return units(r, quantity, price);
}

/* -- trades --------------------------------------------------------------------------------------------------------- */

static void log_trade(walk_t *w, int symbol, int64_t leave, int64_t price, int64_t quantity, wide gain, int reason)
{
    state_t *s = w->state + symbol;
    stats_t *stats = w->stats;
    double pnl = (double)gain / 1e8;
    if (w->log && stats->trades < w->log_size) {
        trade_t *t = w->log + stats->trades;
        t->entry = s->entry_bar; t->leave = leave; t->quantity = quantity; t->symbol = symbol; t->reason = reason;
        t->entry_price = s->entry_price; t->exit_price = leave < 0 ? NAN : real(price); t->pnl = pnl;
    }
    stats->trades++;
    if (leave < 0) return;
    stats->closed++;
    if (gain > 0) { stats->wins++; stats->gross_profit += pnl; } else stats->gross_loss -= pnl;
}

/* The trailing level follows the highs of bars already over. */
static inline void raise_trail(const plan_t *plan, state_t *s, double high)
{
    if (high > s->high_water) s->high_water = high;
    else if (high < s->high_water) return;
    if (isnan(plan->trail_pct)) return;
    double level = rounded(s->high_water * (1.0 - plan->trail_pct / 100.0));
    s->lower = level > s->loss ? level : s->loss;
}

static void buy(walk_t *w, int symbol, int64_t bar, double asked)
{
    const series_t *series = w->series + symbol;
    state_t *s = w->state + symbol;
    const regime_t *r = regime_of(series, s, bar);
    int64_t price = slipped(w->plan, series, s, r, 0, exact(asked), bar);
    int64_t wanted = sized(w, r, price);
    int64_t quantity = units(r, most_by_volume(w->plan, series, bar, wanted), price);
    if (wanted <= 0) w->stats->unaffordable++;
    else if (quantity < wanted) w->stats->thin++;
    if (quantity <= 0) return;
    s->paid = cost_of(w->plan, r, quantity, price);
    w->cash -= s->paid;
    s->quantity = quantity; s->entry_bar = bar; s->price = price; s->entry_price = s->high_water = real(price);
    s->mark = asked;
    s->loss = isnan(w->plan->stop_pct) ? -INFINITY : rounded(s->entry_price * (1.0 - w->plan->stop_pct / 100.0));
    s->target = isnan(w->plan->target_pct) ? INFINITY : rounded(s->entry_price * (1.0 + w->plan->target_pct / 100.0));
    s->lower = s->loss;
    raise_trail(w->plan, s, s->entry_price);
}

/* Sell what the bar's volume takes; the rest leaves at the next bars' opens. */
static void sell(walk_t *w, int symbol, int64_t bar, double asked, int reason, int64_t next_decision, int64_t left_at)
{
    const series_t *series = w->series + symbol;
    state_t *s = w->state + symbol;
    const regime_t *r = regime_of(series, s, bar);
    int64_t quantity = most_by_volume(w->plan, series, bar, s->quantity);
    s->pending = 0;
    if (quantity < s->quantity) { s->pending = 2; s->reason = reason; w->stats->thin++; }
    if (quantity <= 0) return;
    int64_t price = slipped(w->plan, series, s, r, 1, exact(asked), bar);
    wide got = (wide)quantity * price - fee(w->plan, r, 1, quantity, price);
    wide paid = quantity == s->quantity ? s->paid : s->paid * quantity / s->quantity;
    log_trade(w, symbol, bar, price, quantity, got - paid, reason);
    w->cash += got; s->paid -= paid; s->quantity -= quantity;
    if (s->quantity) return;
    s->free_bar = next_decision;
    if (w->plan->cooldown_s) {
        int64_t from = left_at + w->plan->cooldown_s - series->bar_seconds, low = 0, high = series->count;
        while (low < high) { int64_t mid = (low + high) / 2; if (series->starts[mid] < from) low = mid + 1; else high = mid; }
        if (low > s->free_bar) s->free_bar = low;
    }
}

static void pay_dividends(walk_t *w, int symbol, int64_t bar)
{
    const series_t *series = w->series + symbol;
    state_t *s = w->state + symbol;
    while (s->dividend < series->dividend_count && series->dividend_bars[s->dividend] <= bar) {
        if (series->dividend_bars[s->dividend] == bar && s->quantity && s->entry_bar < bar) {
            wide paid = (wide)s->quantity * series->dividend_amounts[s->dividend];
            w->cash += paid; s->paid -= paid;
        }
        s->dividend++;
    }
}

static void check_stops(walk_t *w, int symbol, int64_t bar)
{
    const plan_t *plan = w->plan;
    const series_t *series = w->series + symbol;
    state_t *s = w->state + symbol;
    double lower = s->lower, upper = s->target, low = series->low[bar], high = series->high[bar];
    if (low > lower && high < upper) { if (high > s->high_water) raise_trail(plan, s, high); return; }
    const regime_t *r = regime_of(series, s, bar);
    double opened = series->open[bar], got;
    int reason;
    if (low <= lower && opened < upper) { /* a falling price first meets the level at its tick below; a gap opens beneath it */
        int64_t level = exact(lower);
        got = real(down(level, tick_of(r, level)));
        if (got < low) got = low;
        if (opened < got) got = opened;
        reason = !isnan(plan->stop_pct) && (lower <= s->loss || got <= s->loss) ? STOP_LOSS : TRAILING;
    } else {
        int64_t level = exact(upper);
        got = real(up(level, tick_of(r, level)));
        if (got > high) got = high;
        if (opened > got) got = opened;
        reason = TARGET;
    }
    sell(w, symbol, bar, got, reason, bar, series->starts[bar] + series->bar_seconds);
}

/* -- the walk ------------------------------------------------------------------------------------------------------- */

static void decide(walk_t *w, int symbol, int64_t bar, int entries, int has_next)
{
    const plan_t *plan = w->plan;
    const series_t *series = w->series + symbol;
    state_t *s = w->state + symbol;
    if (s->pending) return;
    if (entries) {
        if (s->quantity || bar < s->free_bar) return;
        if (mask_at(series, s, 0, plan->entry, plan->entry_count, bar) != TRUE_) return;
        if (plan->fill_close) buy(w, symbol, bar, series->close[bar]); else if (has_next) s->pending = 1;
        return;
    }
    if (!s->quantity || (plan->fill_close && s->entry_bar == bar)) return;
    int reason = 0;
    if (plan->time_stop >= 0 && bar - s->entry_bar >= plan->time_stop) reason = TIME_STOP;
    else if ((plan->leave_needs_position ? judge_now(series, s, plan->leave, plan->leave_count, bar)
                                         : mask_at(series, s, 1, plan->leave, plan->leave_count, bar)) == TRUE_) reason = EXIT;
    if (!reason) return;
    if (plan->fill_close) sell(w, symbol, bar, series->close[bar], reason, bar + 1, series->starts[bar] + series->bar_seconds);
    else { s->pending = 2; s->reason = reason; }
}

static int64_t bar_of(const series_t *series, int64_t t) { return series->bar_at ? series->bar_at[t] : t; }

static void step(walk_t *w, int64_t t, int stops)
{
    int64_t symbols = w->symbols;
    for (int s = 0; s < symbols; s++) {
        const series_t *series = w->series + s;
        state_t *state = w->state + s;
        int64_t bar = bar_of(series, t);
        if (bar < 0) continue;
        state->mark = series->open[bar];
        if (series->dividend_count) pay_dividends(w, s, bar);
        if (state->pending == 2) sell(w, s, bar, series->open[bar], state->reason, bar, series->starts[bar]);
    }
    for (int s = 0; s < symbols; s++) {
        int64_t bar = bar_of(w->series + s, t);
        if (bar < 0 || w->state[s].pending != 1) continue;
        w->state[s].pending = 0;
        buy(w, s, bar, w->series[s].open[bar]);
    }
    for (int s = 0; stops && s < symbols; s++) {
        int64_t bar = bar_of(w->series + s, t);
        state_t *state = w->state + s;
        if (bar >= 0 && state->quantity && !state->pending) check_stops(w, s, bar);
    }
    for (int entries = 0; entries < 2; entries++)
        for (int s = 0; s < symbols; s++) {
            const series_t *series = w->series + s;
            int64_t bar = bar_of(series, t);
            if (bar < 0) continue;
            w->state[s].mark = series->close[bar];
            decide(w, s, bar, entries, bar + 1 < series->count);
        }
}

/* The next bar whose close may buy, while one symbol is flat: nothing happens before it. */
static int64_t next_entry(walk_t *w, int64_t bar, int64_t count)
{
    state_t *s = w->state;
    if (s->free_bar > bar) bar = s->free_bar;
    while (bar < count) {
        mask_at(w->series, s, 0, w->plan->entry, w->plan->entry_count, bar);
        int64_t offset = bar - s->block[0], end = count - s->block[0] < BLOCK ? count - s->block[0] : BLOCK;
        const uint8_t *found = memchr(s->masks[0] + offset, TRUE_, (size_t)(end - offset));
        if (found) return s->block[0] + (found - s->masks[0]);
        bar = s->block[0] + end;
    }
    return count;
}

typedef struct { double before, top; const uint8_t *day_ends; } meter_t;

static inline void measure(stats_t *stats, meter_t *m, double now, int64_t t)
{
    if (m->day_ends && !m->day_ends[t]) return;
    if (now > m->top) m->top = now;
    if (m->before != 0.0) { /* markets.md: returns between daily closes, drawdown against the highest close before */
        if (now != m->before) { double r = now / m->before - 1.0; stats->sum += r; stats->sum_squares += r * r; }
        stats->returns++;
    }
    m->before = now;
    if (now < m->top) { double fall = now / m->top - 1.0; if (fall < stats->max_drawdown) stats->max_drawdown = fall; }
}

/* Pass the bars on which a held position surely meets nothing; returns the first that must be judged. */
static int64_t hold(walk_t *w, int64_t bar, int64_t count, double cash, double *equity, meter_t *meter)
{
    const plan_t *plan = w->plan;
    const series_t *series = w->series;
    state_t *s = w->state;
    const double *high = series->high, *low = series->low, *close = series->close;
    double quantity = (double)s->quantity, lower = s->lower, upper = s->target;
    int trailing = !isnan(plan->trail_pct);
    int64_t end = plan->time_stop >= 0 && s->entry_bar + plan->time_stop < count ? s->entry_bar + plan->time_stop : count;
    while (bar < end) {
        mask_at(series, s, 1, plan->leave, plan->leave_count, bar);
        int64_t begin = s->block[1], stop = begin + BLOCK < end ? begin + BLOCK : end, first = bar;
        const uint8_t *leaves = s->masks[1] - begin;
        for (; bar < stop; bar++) {
            if ((leaves[bar] == TRUE_) | (low[bar] <= lower) | (high[bar] >= upper)) goto judged;
            if (trailing && high[bar] > s->high_water) { raise_trail(plan, s, high[bar]); lower = s->lower; }
            double now = cash + quantity * close[bar];
            if (equity) equity[bar] = now;
            measure(w->stats, meter, now, bar);
        }
        w->stats->held_bars += bar - first;
        continue;
    judged:
        w->stats->held_bars += bar - first;
        break;
    }
    if (bar > 0) s->mark = close[bar - 1];
    return bar;
}

/* Walk `count` steps of the timeline. Returns the number of trades; above log_size the log is cut. */
int64_t backtest_walk(const plan_t *plan, const series_t *series, int64_t symbols, int64_t count, const int64_t *money, const uint8_t *day_ends,
                      trade_t *log, int64_t log_size, double *equity, stats_t *stats)
{
    static _Thread_local state_t states[MAX_SYMBOLS];
    if (symbols < 1 || symbols > MAX_SYMBOLS) return -1;
    memset(stats, 0, sizeof *stats);
    wide cash = (wide)money[0] * UNIT + money[1]; /* whole and 1e-8: together they may exceed 64 bits */
    for (int64_t s = 0; s < symbols; s++) {
        memset(states + s, 0, offsetof(state_t, masks));
        states[s].block[0] = states[s].block[1] = -BLOCK;
    }
    walk_t w = {plan, series, states, symbols, log_size, cash, log, stats};
    meter_t meter = {0.0, (double)cash / 1e8, day_ends};
    int stops = !(isnan(plan->stop_pct) && isnan(plan->target_pct) && isnan(plan->trail_pct));
    wide known = cash;
    double cash_now = (double)cash / 1e8, now = cash_now;
    for (int64_t t = 0; t < count; t++) {
        if (symbols == 1 && !states[0].quantity && !states[0].pending && !series->bar_at) {
            int64_t next = next_entry(&w, t, count);
            for (; t < next; t++) { if (equity) equity[t] = cash_now; measure(stats, &meter, cash_now, t); }
            if (t >= count) break;
        }
        step(&w, t, stops);
        if (w.cash != known) { known = w.cash; cash_now = (double)w.cash / 1e8; }
        now = cash_now;
        for (int64_t s = 0; s < symbols; s++) if (states[s].quantity) { now += (double)states[s].quantity * states[s].mark; stats->held_bars++; }
        if (equity) equity[t] = now;
        measure(stats, &meter, now, t);
        if (symbols == 1 && states[0].quantity && !states[0].pending && !series->bar_at && !series->dividend_count
            && !plan->leave_needs_position)
            t = hold(&w, t + 1, count, cash_now, equity, &meter) - 1;
    }
    for (int64_t s = 0; s < symbols; s++) {
        state_t *state = states + s;
        if (!state->quantity) continue;
        wide value = (wide)state->quantity * exact(state->mark);
        log_trade(&w, (int)s, -1, 0, state->quantity, value - state->paid, OPEN);
    }
    stats->final_equity = meter.before;
    if (count > 0) {
        double last = (double)w.cash / 1e8;
        for (int64_t s = 0; s < symbols; s++) if (states[s].quantity) last += (double)states[s].quantity * states[s].mark;
        stats->final_equity = last;
    }
    return stats->trades;
}

/* Many plans over the same bars in one call, for sweeps: plan k with series k (its own columns), figures only. */
void backtest_sweep(const plan_t *plans, const series_t *series, int64_t jobs, int64_t count, const int64_t *money, const uint8_t *day_ends,
                    stats_t *stats)
{
    for (int64_t k = 0; k < jobs; k++) backtest_walk(plans + k, series + k, 1, count, money, day_ends, 0, 0, 0, stats + k);
}

#ifndef SOURCE_HASH
#define SOURCE_HASH "unknown"
#endif
const char *backtest_source(void) { return SOURCE_HASH; }
