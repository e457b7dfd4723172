/* The walk of a backtest: what a rule trades on arrays of bars, several symbols on one cash account.
 *
 * The same meaning as bots/backtest/replay.py, which tests hold it to. Money and prices are
 * integers of 1e-8, so sums, fees and share counts are exact; only levels and position facts are doubles, computed by the
 * operations Python uses. No allocation, no I/O, no state between calls.
 */
#include "layout.h"
#include "averages.h"
#include "conditions.h"
#include "costs.h"

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
    case 2: wanted = divided(equity * value, (wide)100 * UNIT * price); break;
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
    int64_t most = quantity - 1, guess = divided(w->cash * quantity, cost); /* roundings are worth two shares at most */
    quantity = guess < most ? guess : most;
    if (most > guess + 2) most = guess + 2;
    while (quantity < most && cost_of(plan, r, quantity + 1, price) <= w->cash) quantity++;
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
    int64_t quantity = units(r, most_of(w->plan, series, s, r, 0, bar, wanted), price);
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

/* Sell what the bar's volume takes, at its open or `closing`, as it ends; the rest leaves at the next bars' opens. */
static void sell(walk_t *w, int symbol, int64_t bar, double asked, int reason, int64_t next_decision, int closing)
{
    const series_t *series = w->series + symbol;
    state_t *s = w->state + symbol;
    const regime_t *r = regime_of(series, s, bar);
    int64_t quantity = most_of(w->plan, series, s, r, 1, bar, s->quantity);
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
        int64_t left_at = series->starts[bar] + (closing ? series->bar_seconds : 0);
        int64_t rested = first_from(series, bar, left_at + w->plan->cooldown_s - series->bar_seconds);
        if (rested > s->free_bar) s->free_bar = rested;
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
    sell(w, symbol, bar, got, reason, bar, 1);
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
        if (mask_at(series, s, 0, plan->entry, plan->entry_count, bar, plan->volume_pct > 0) != TRUE_) return;
        if (plan->fill_close) buy(w, symbol, bar, series->close[bar]); else if (has_next) s->pending = 1;
        return;
    }
    if (!s->quantity || (plan->fill_close && s->entry_bar == bar)) return;
    int reason = 0;
    if (plan->time_stop >= 0 && bar - s->entry_bar >= plan->time_stop) reason = TIME_STOP;
    else if ((plan->leave_needs_position ? judge_now(series, s, plan->leave, plan->leave_count, bar, plan->volume_pct > 0)
                                         : mask_at(series, s, 1, plan->leave, plan->leave_count, bar, plan->volume_pct > 0)) == TRUE_) reason = EXIT;
    if (!reason) return;
    if (plan->fill_close) sell(w, symbol, bar, series->close[bar], reason, bar + 1, 1);
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
        if (symbols > 1) state->mark = series->open[bar]; /* one alone is worth nothing else while it buys */
        if (series->dividend_count) pay_dividends(w, s, bar);
        if (state->pending == 2) sell(w, s, bar, series->open[bar], state->reason, bar, 0);
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
        mask_at(w->series, s, 0, w->plan->entry, w->plan->entry_count, bar, w->plan->volume_pct > 0);
        int64_t offset = bar - s->block, end = count - s->block < BLOCK ? count - s->block : BLOCK;
        const uint8_t *found = memchr(s->masks[0] + offset, TRUE_, (size_t)(end - offset));
        if (found) return s->block + (found - s->masks[0]);
        bar = s->block + end;
    }
    return count;
}

typedef struct { double before, top; const uint8_t *day_ends; int wanted; } meter_t;

static inline void measure(stats_t *stats, meter_t *m, double now, int64_t t)
{
    if (!m->wanted || (m->day_ends && !m->day_ends[t])) return;
    if (now > m->top) m->top = now;
    if (m->before != 0.0) { /* markets.md: returns between daily closes, drawdown against the highest close before */
        if (now != m->before) { double r = now / m->before - 1.0; stats->sum += r; stats->sum_squares += r * r; }
        stats->returns++;
    }
    m->before = now;
    if (now < m->top) { double fall = now / m->top - 1.0; if (fall < stats->max_drawdown) stats->max_drawdown = fall; }
}

/* The first bar of [bar, stop) on which a held position meets a level or its exit; `stop` when there is none. */
VECTOR static int64_t first_event(const uint8_t *leaves, const double *low, const double *high, double lower, double upper,
                                  int64_t bar, int64_t stop)
{
    for (; bar + 32 <= stop; bar += 32) { /* in strides without a branch, so that several bars are compared at once */
        int64_t met = 0;
        for (int64_t i = bar; i < bar + 32; i++) met |= (int64_t)((low[i] <= lower) | (high[i] >= upper));
        if (met || memchr(leaves + bar, TRUE_, 32)) break;
    }
    for (; bar < stop; bar++) if ((leaves[bar] == TRUE_) | (low[bar] <= lower) | (high[bar] >= upper)) break;
    return bar;
}

static int64_t first_trailing(const plan_t *plan, state_t *s, const uint8_t *leaves, const double *low, const double *high,
                              int64_t bar, int64_t stop)
{
    for (; bar < stop; bar++) {
        if ((leaves[bar] == TRUE_) | (low[bar] <= s->lower) | (high[bar] >= s->target)) break;
        if (high[bar] > s->high_water) raise_trail(plan, s, high[bar]);
    }
    return bar;
}

/* Pass the bars on which a held position surely meets nothing; returns the first that must be judged. */
static int64_t hold(walk_t *w, int64_t bar, int64_t count, double cash, double *equity, meter_t *meter)
{
    const plan_t *plan = w->plan;
    const series_t *series = w->series;
    state_t *s = w->state;
    const double *close = series->close;
    double quantity = (double)s->quantity;
    int trailing = !isnan(plan->trail_pct);
    int64_t end = plan->time_stop >= 0 && s->entry_bar + plan->time_stop < count ? s->entry_bar + plan->time_stop : count;
    while (bar < end) {
        mask_at(series, s, 1, plan->leave, plan->leave_count, bar, plan->volume_pct > 0);
        int64_t begin = s->block, stop = begin + BLOCK < end ? begin + BLOCK : end;
        const uint8_t *leaves = s->masks[1] - begin;
        int64_t met = trailing ? first_trailing(plan, s, leaves, series->low, series->high, bar, stop)
                               : first_event(leaves, series->low, series->high, s->lower, s->target, bar, stop);
        if (equity) for (int64_t i = bar; i < met; i++) equity[i] = cash + quantity * close[i];
        if (meter->wanted) for (int64_t i = bar; i < met; i++) measure(w->stats, meter, cash + quantity * close[i], i);
        w->stats->held_bars += met - bar;
        bar = met;
        if (met < stop) break;
    }
    if (bar > 0) s->mark = close[bar - 1];
    return bar;
}

/* Walk `count` steps of the timeline. Returns the number of trades; above log_size the log is cut. */
int64_t backtest_walk(const plan_t *plan, const series_t *series, int64_t symbols, int64_t count, const int64_t *money, const uint8_t *day_ends,
                      trade_t *log, int64_t log_size, double *equity, stats_t *stats)
{
    static _Thread_local state_t states[MAX_SYMBOLS];
    static _Thread_local average_t averages[MAX_AVERAGES]; /* of the first symbol: with several, their columns are given */
    if (symbols < 1 || symbols > MAX_SYMBOLS) return -1;
    memset(stats, 0, sizeof *stats);
    wide cash = (wide)money[0] * UNIT + money[1]; /* whole and 1e-8: together they may exceed 64 bits */
    for (int64_t s = 0; s < symbols; s++) {
        memset(states + s, 0, offsetof(state_t, masks));
        states[s].block = -BLOCK;
        states[s].averages = averages;
    }
    walk_t w = {plan, series, states, symbols, log_size, cash, log, stats};
    meter_t meter = {0.0, (double)cash / 1e8, day_ends, !equity}; /* who asks for the curve measures it himself */
    int stops = !(isnan(plan->stop_pct) && isnan(plan->target_pct) && isnan(plan->trail_pct));
    wide known = cash;
    double cash_now = (double)cash / 1e8, now = cash_now;
    for (int64_t t = 0; t < count; t++) {
        if (symbols == 1 && !states[0].quantity && !states[0].pending && !series->bar_at) {
            int64_t next = next_entry(&w, t, count);
            if (equity) for (int64_t i = t; i < next; i++) equity[i] = cash_now;
            for (; meter.wanted && t < next; t++) measure(stats, &meter, cash_now, t);
            t = next;
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
