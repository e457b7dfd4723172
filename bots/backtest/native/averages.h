/* Moving averages of prices, block by block while the walk comes along: no column is written and read again. Each number is
 * made by the operations that TA-Lib uses, in their order, so that it is the very same. */
static void average_block(const column_t *column, average_t *a, int64_t begin, int64_t n)
{
    const double *x = column->data;
    int64_t period = column->base, i = begin, end = begin + n;
    double *out = a->values + 1 - begin, kept = a->kept, share = 2.0 / (double)(period + 1);
    for (; i < end && i < a->first; i++) { kept += i + period > a->first ? x[i] : 0.0; out[i] = NAN; }
    if (column->kind == SIMPLE) {
        for (; i < end; i++) { kept += x[i]; out[i] = kept; kept -= x[i - period + 1]; }
    } else {
        if (i < end && i == a->first) { kept = (kept + x[i]) / (double)period; out[i++] = kept; }
        for (; i < end; i++) { kept = (x[i] - kept) * share + kept; out[i] = kept; }
    }
    a->kept = kept;
}

/* Two simple averages at once: each addition waits for the one before it, so that two chains cost what one does. */
static void simple_pair(const column_t *one, average_t *a, const column_t *other, average_t *b, int64_t begin, int64_t n)
{
    const double *x = one->data + begin, *y = other->data + begin, *x0 = x - one->base + 1, *y0 = y - other->base + 1;
    double *p = a->values + 1, *q = b->values + 1, kept = a->kept, held = b->kept;
    for (int64_t i = 0; i < n; i++) {
        kept += x[i]; held += y[i];
        p[i] = kept; q[i] = held;
        kept -= x0[i]; held -= y0[i];
    }
    a->kept = kept; b->kept = held;
}

VECTOR static void over_period(double *values, int64_t n, double period) { for (int64_t i = 0; i < n; i++) values[i] /= period; }

static void find_first(const column_t *column, average_t *a, int64_t count) /* TA-Lib passes over what is not known at the start */
{
    int64_t known = 0;
    while (known < count && isnan(column->data[known])) known++;
    a->first = known + column->base - 1;
}

/* Move every average of the series on to the block that begins at `begin`. */
static void average_all(const series_t *series, state_t *s, int64_t begin, int64_t n)
{
    const column_t *waiting = NULL;
    for (int64_t k = 0; k < series->column_count; k++) {
        const column_t *column = series->columns + k;
        if (column->kind < SIMPLE) continue;
        average_t *a = s->averages + column->slot;
        if (begin) a->values[0] = a->values[BLOCK];
        else { a->kept = 0.0; a->values[0] = NAN; find_first(column, a, series->count); }
        if (column->kind == EXPONENTIAL || begin <= a->first) average_block(column, a, begin, n);
        else if (!waiting) { waiting = column; continue; }
        else {
            simple_pair(waiting, s->averages + waiting->slot, column, a, begin, n);
            over_period(s->averages[waiting->slot].values + 1, n, (double)waiting->base);
            waiting = NULL;
        }
        if (column->kind == SIMPLE) over_period(a->values + 1, n, (double)column->base);
    }
    if (!waiting) return;
    average_block(waiting, s->averages + waiting->slot, begin, n);
    over_period(s->averages[waiting->slot].values + 1, n, (double)waiting->base);
}
