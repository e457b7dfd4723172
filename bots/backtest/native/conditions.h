/* Judging a rule's conditions: block by block for all bars, or bar by bar where they look at the position.
 * Three truths, for what is not known is neither true nor false. */
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

static const double *column_block(const column_t *column, const state_t *s, int64_t begin, int64_t n, double *room)
{
    if (column->kind >= SIMPLE) return s->averages[column->slot].values + 1;
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

static void fill_block(const series_t *series, const state_t *s, const op_t *ops, int64_t op_count, int64_t begin, int64_t n, uint8_t *out)
{
    uint8_t stack[DEPTH][BLOCK];
    double room[3][BLOCK + 1];
    int top = 0;
    for (int64_t k = 0; k < op_count; k++) {
        const op_t *op = ops + k;
        if (op->code >= ALL) { combine(op, stack, &top, n); continue; }
        const column_t *columns = series->columns;
        const double *a = column_block(columns + op->a, s, begin, n, room[0]);
        const double *b = column_block(columns + op->b, s, begin, n, room[1]);
        const double *c = op->code == BETWEEN ? column_block(columns + op->c, s, begin, n, room[2]) : a;
        int64_t skip = begin == 0 && (op->code == CROSS_ABOVE || op->code == CROSS_BELOW); /* nothing before the first bar */
        if (skip) stack[top][0] = UNKNOWN;
        leaf_block(op->code, a + skip, b + skip, c + skip, n - skip, stack[top] + skip);
        top++;
    }
    memcpy(out, stack[0], (size_t)n);
}

/* Ask the memory for a block's opens and volumes before a trade needs them: trades touch them at places nobody can guess.
 * The other prices are gone through one after the other, which the machine sees by itself. */
static void warm(const series_t *series, int64_t begin, int volumes)
{
    int64_t end = series->count < begin + BLOCK ? series->count : begin + BLOCK;
    for (int64_t i = begin; i < end; i += 8) {
        __builtin_prefetch(series->open + i, 0, 3);
        if (volumes) __builtin_prefetch(series->volume + i, 0, 3);
    }
}

/* Come to the block of `bar`; bars only ever follow each other. */
static inline void reach(const series_t *series, state_t *s, int64_t bar, int volumes)
{
    int64_t begin = bar & ~(int64_t)(BLOCK - 1);
    if (begin == s->block) return;
    if (begin != s->block + BLOCK || !begin) warm(series, begin, volumes);
    warm(series, begin + BLOCK, volumes);
    if (series->averages)
        for (int64_t at = s->block + BLOCK; at <= begin; at += BLOCK)
            average_all(series, s, at, series->count - at < BLOCK ? series->count - at : BLOCK);
    s->block = begin;
    s->judged[0] = s->judged[1] = 0;
}

static int mask_at(const series_t *series, state_t *s, int which, const op_t *ops, int64_t op_count, int64_t bar, int volumes)
{
    reach(series, s, bar, volumes);
    if (!s->judged[which]) {
        int64_t n = series->count - s->block < BLOCK ? series->count - s->block : BLOCK;
        fill_block(series, s, ops, op_count, s->block, n, s->masks[which]);
        s->judged[which] = 1;
    }
    return s->masks[which][bar - s->block];
}

static double scale(int operation, double value, double by)
{
    return operation == 0 ? value * by : operation == 1 ? value / by : operation == 2 ? value + by : value - by;
}

static double value_at(const series_t *series, const state_t *s, int index, int64_t bar)
{
    const column_t *column = series->columns + index;
    if (bar < 0) return column->data || column->kind >= 2 ? NAN : column->constant;
    if (column->kind >= SIMPLE) return s->averages[column->slot].values[bar - s->block + 1];
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

static int judge_now(const series_t *series, state_t *s, const op_t *ops, int64_t op_count, int64_t bar, int volumes)
{
    int stack[DEPTH], top = 0;
    reach(series, s, bar, volumes);
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
