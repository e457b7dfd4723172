/* The values that Python hands over and gets back: kernel.py writes the same layout. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef __int128 wide;
#define UNIT 100000000LL
#define BLOCK 512 /* a power of two: what a walk looks at together stays in the nearest cache */
#define DEPTH 16
#define MAX_SYMBOLS 64
#define MAX_AVERAGES 8

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
    const double *data; /* kinds SIMPLE and EXPONENTIAL: the prices that are averaged, over `base` bars, in place `slot` */
    double constant, scalar;
    int32_t kind, base, operation, slot;
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
    int64_t regime_count, dividend_count, bar_seconds, day_offset, column_count, averages; /* averages: how many columns */
} series_t;

typedef struct {
    const op_t *entry, *leave;
    int64_t entry_count, leave_count, leave_needs_position;
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
enum { SIMPLE = 5, EXPONENTIAL = 6 };

typedef struct { /* a moving average on the block's bars; the first value is of the bar before them */
    double kept;   /* SIMPLE: the sum of all bars of the next window but its last; EXPONENTIAL: the newest value */
    int64_t first; /* the bar of the first value; -1: not looked for yet */
    double values[BLOCK + 1];
} average_t;

typedef struct {
    int64_t quantity, entry_bar, free_bar, price, block, regime, dividend, day_end, base; /* day_end: a bar */
    wide paid;
    double entry_price, high_water, mark, loss, target, lower; /* lower: the higher of loss and trailing level */
    int32_t pending, reason; /* pending: 0 nothing, 1 buy, 2 sell */
    average_t *averages;
    uint8_t judged[2], masks[2][BLOCK];
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
