// SPDX-License-Identifier: Apache-2.0
#include "traces/forecast.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "traces/daycurve.h"
#include "traces/replay.h"

// Of the day's last interval, how much a trace may leave out at its end.
#define UNCOVERED_FRAC 0.1

static int from_curve(const struct service_traffic *traffic, double day_s, uint32_t n,
                      struct forecast *out, struct err *err)
{
    const struct arrival_config *config = &traffic->arrivals;
    struct reals curve;
    if (arrival_check(config, traffic->rate_qps, err) < 0 ||
        arrival_diurnal_curve(config, &curve, err) < 0)
        return -1;
    double start = config->start_s / config->period_s, day = day_s / config->period_s;
    double scale_qps = traffic->rate_qps / daycurve_mean(&curve, 0, 1);
    for (uint32_t i = 0; i < n; i++) {
        double from = start + day * i / n, to = start + day * (i + 1) / n;
        out[i] = (struct forecast){scale_qps * daycurve_mean(&curve, from, to),
                                   scale_qps * daycurve_max(&curve, from, to)};
    }
    mem_free(curve.v);
    return 0;
}

// A trace as the replay plays it.
struct recording {
    const struct trace *trace;
    double factor;    // on its times
    double period_ns; // 0: it does not repeat
};

// Records before a time, over all passes.
static double records_before(const struct recording *r, double ns)
{
    double passes = r->period_ns > 0 ? floor(ns / r->period_ns) : 0;
    double rest_ns = ns - passes * r->period_ns;
    size_t low = 0, high = r->trace->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((double)r->trace->arrive_ns[middle] * r->factor < rest_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return passes * (double)r->trace->n + (double)low;
}

static struct recording recording_of(const struct service_traffic *traffic)
{
    const struct arrival_config *config = &traffic->arrivals;
    struct recording r = {config->trace, replay_time_factor(config, traffic->rate_qps), 0};
    if (config->repeat)
        r.period_ns = replay_period_ns(config, traffic->rate_qps);
    return r;
}

static int check_covers(const struct recording *r, double day_s, uint32_t n, struct err *err)
{
    const struct trace *trace = r->trace;
    double end_s = (double)trace->arrive_ns[trace->n - 1] * r->factor / SIMTIME_S;
    if (r->period_ns > 0 || end_s >= day_s - UNCOVERED_FRAC * day_s / n)
        return 0;
    return err_set(err, ERR_STUDY,
                   "file: a gap: the trace ends at %.6gs of a day of %.6gs; expected capacity.day "
                   "and capacity.interval no longer than the trace, repeat: true to start it over, "
                   "or a longer trace",
                   end_s, day_s);
}

static int from_trace(const struct service_traffic *traffic, double day_s, uint32_t n,
                      struct forecast *out, struct err *err)
{
    const struct arrival_config *config = &traffic->arrivals;
    if (!config->trace)
        return err_set(err, ERR_STUDY, "file: no trace has been loaded");
    if (arrival_check(config, traffic->rate_qps, err) < 0)
        return -1;
    const struct recording r = recording_of(traffic);
    if (check_covers(&r, day_s, n, err) < 0)
        return -1;
    double before = 0, interval_s = day_s / n;
    for (uint32_t i = 0; i < n; i++) {
        double upto = records_before(&r, day_s * (i + 1) / n * SIMTIME_S);
        if (upto <= before && !config->repeat)
            return err_set(err, ERR_STUDY,
                           "file: a gap: no record from %.6gs to %.6gs of the day; expected a "
                           "longer capacity.interval, a capacity.day that ends before it, or "
                           "another trace",
                           interval_s * i, interval_s * (i + 1));
        double qps = (upto - before) / interval_s;
        out[i] = (struct forecast){qps, qps};
        before = upto;
    }
    return 0;
}

int forecast_fill(const struct service_traffic *traffic, double day_s, uint32_t n,
                  struct forecast *out, struct err *err)
{
    const struct arrival_type *type = arrival_types[traffic->arrivals.process];
    assert(day_s > 0 && n > 0);
    if (type == &arrival_diurnal)
        return from_curve(traffic, day_s, n, out, err);
    if (type == &arrival_replay)
        return from_trace(traffic, day_s, n, out, err);
    if (arrival_check(&traffic->arrivals, traffic->rate_qps, err) < 0)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        out[i] = (struct forecast){traffic->rate_qps, traffic->rate_qps};
    return 0;
}

// Records that a rate is told from, and the standard deviations of their number that are chance.
#define TOLD_RECORDS 400
#define CHANCE_SDS 2.5

static void profile_trace(const struct service_traffic *traffic, double span_s, uint32_t n,
                          struct forecast *out)
{
    const struct recording r = recording_of(traffic);
    double span_ns = span_s * SIMTIME_S, interval_s = span_s / n, before = 0;
    double mean_qps = records_before(&r, span_ns) / span_s;
    double told_s = fmin(fmax(interval_s, TOLD_RECORDS / mean_qps), span_s);
    for (uint32_t i = 0; i < n; i++) {
        double from_s = fmin(span_s * i / n, span_s - told_s);
        double count = records_before(&r, (from_s + told_s) * SIMTIME_S) -
                       records_before(&r, from_s * SIMTIME_S);
        double upto = records_before(&r, span_ns * (i + 1) / n);
        out[i].mean_qps = (upto - before) / interval_s;
        out[i].peak_qps = fmax((count - CHANCE_SDS * sqrt(count)) / told_s, 0);
        before = upto;
    }
}

void forecast_profile(const struct service_traffic *traffic, double span_s, uint32_t n,
                      struct forecast *out)
{
    const struct arrival_type *type = arrival_types[traffic->arrivals.process];
    if (type == &arrival_replay && traffic->arrivals.trace) {
        profile_trace(traffic, span_s, n, out);
        return;
    }
    if (type == &arrival_diurnal && from_curve(traffic, span_s, n, out, NULL) == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        out[i] = (struct forecast){traffic->rate_qps, traffic->rate_qps};
}

double forecast_period_s(const struct service_traffic *traffic)
{
    const struct arrival_config *config = &traffic->arrivals;
    const struct arrival_type *type = arrival_types[config->process];
    if (type == &arrival_diurnal)
        return config->period_s;
    if (type != &arrival_replay || !config->trace)
        return 0;
    return replay_period_ns(config, traffic->rate_qps) / SIMTIME_S;
}
