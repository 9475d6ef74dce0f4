// SPDX-License-Identifier: Apache-2.0
#include "results/summary.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/batch.h"
#include "results/batch_hist.h"
#include "results/moments.h"
#include "results/relaxation.h"
#include "results/warmup.h"

const double summary_quantiles[SUMMARY_N_QUANTILES] = {0.5, 0.9, 0.95, 0.99, 0.999};
const char *const summary_part_names[] = {"cpu", "accel", NULL};

// Queries on either side of a quantile without which its interval means nothing.
#define LEAST_BEYOND 20
// Relaxation times below which a quantile's half-width is the longer side of its interval.
#define SKEWED_BELOW 1000.0

// Tallies added up over some bins and services, path by path.
struct sums {
    double time_s;
    unsigned __int128 of[N_PATHS][TALLY_SUMS], latency_sq_ns2;
    int64_t max_ns;
};

// What the lists of summary.h are made of, of `struct sums *s`.
#define SUM(member) (s->of[PATH_CPU][TALLY_WORD(member)] + s->of[PATH_ACCEL][TALLY_WORD(member)])
#define ACCEL(member) (s->of[PATH_ACCEL][TALLY_WORD(member)])
#define TIME_S (s->time_s)

// 64 bits hold the nanoseconds of one tally, but not surely those of a long run's.
static void add_tally(struct sums *s, const struct tally *t, int path)
{
    uint64_t words[TALLY_SUMS];
    memcpy(words, (const char *)t + offsetof(struct tally, n_queries), sizeof words);
    for (int i = 0; i < TALLY_SUMS; i++)
        s->of[path][i] += words[i];
    s->latency_sq_ns2 += t->latency_sq_sum_ns2;
    if (t->latency_max_ns > s->max_ns)
        s->max_ns = t->latency_max_ns;
}

static int64_t bin_length_ns(const struct batch_hist_scope *scope, uint32_t i)
{
    const struct record_shape *shape = &scope->record->shape;
    return record_bin_start_ns(shape, scope->first_bin + i + 1) -
           record_bin_start_ns(shape, scope->first_bin + i);
}

// Measured bins [first, end) of the scope.
static struct sums sum_bins(const struct batch_hist_scope *scope, uint32_t first, uint32_t end)
{
    struct sums s = {0};
    for (uint32_t i = first; i < end; i++) {
        s.time_s += simtime_to_s(bin_length_ns(scope, i));
        for (uint32_t service = scope->first_service; service < scope->end_service; service++)
            for (int path = 0; path < N_PATHS; path++)
                add_tally(&s,
                          record_tally(scope->record, scope->first_bin + i, service,
                                       (enum record_path)path),
                          path);
    }
    return s;
}

// ---- ratios with intervals

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

struct amounts {
    double of, per; // the ratio of the two is the estimate
};

// That of the whole, with an interval from batches that are `stride` apart.
static struct ci ratio_ci(struct amounts whole, const struct amounts *batches, size_t stride,
                          uint32_t n)
{
    double *values = mem_calloc(n, sizeof *values);
    for (uint32_t b = 0; b < n; b++)
        values[b] = ratio(batches[b * stride].of, batches[b * stride].per);
    struct ci ci = ci_sections(ratio(whole.of, whole.per), values, n);
    mem_free(values);
    return ci;
}

// sum(amount) / sum(time) * scale over the whole, with an interval from the plan's batches.
static struct ci rate_ci(const struct batch_plan *plan, const double *amount, const double *time,
                         double scale)
{
    struct amounts *batches = mem_calloc(plan->n_batches, sizeof *batches), all = {0, 0};
    for (uint32_t b = 0; b < plan->n_batches; b++) {
        double sum = 0, sum_time = 0;
        for (uint32_t i = batch_first(plan, b); i < batch_first(plan, b + 1); i++) {
            sum += amount[i];
            sum_time += time[i];
        }
        batches[b] = (struct amounts){sum * scale, sum_time};
        all.of += sum;
        all.per += sum_time;
    }
    all.of *= scale;
    struct ci ci = ratio_ci(all, batches, 1, plan->n_batches);
    mem_free(batches);
    return ci;
}

static const struct estimate {
    size_t offset;
    const char *units;
    bool latency; // means nothing when overloaded
} estimates[] = {
#define X(member, units, text, latency, ...)                                                       \
    {offsetof(struct summary_service, member), units, latency},
    SUMMARY_ESTIMATES(X)
#undef X
};
#define N_ESTIMATES (sizeof estimates / sizeof *estimates)

static void estimate_amounts(const struct sums *s, struct amounts out[N_ESTIMATES])
{
#define X(member, units, text, latency, a, b, scale) {(double)(a) * (scale), (double)(b)},
    const struct amounts all[N_ESTIMATES] = {SUMMARY_ESTIMATES(X)};
#undef X
    memcpy(out, all, sizeof all);
}

// Latencies near saturation are skewed: that the truth lies far above is likelier than that it lies
// far below, so the half-width reaches as far as the upper end of the interval of the logarithm.
// Where batches differ by the mean itself, they say nothing.
static struct ci skewed(struct ci ci)
{
    double relative = ci.half_95 / ci.value;
    if (ci.half_95 > 0)
        ci.half_95 = relative < 1 ? ci.value * expm1(relative) : NAN;
    return ci;
}

static void fill_estimates(const struct batch_hist_scope *scope, const struct sums *s,
                           bool overloaded, struct summary_service *out)
{
    const struct batch_plan *plan = &scope->plan;
    struct amounts all[N_ESTIMATES], *batches = mem_calloc(plan->n_batches, sizeof all);
    estimate_amounts(s, all);
    for (uint32_t b = 0; b < plan->n_batches; b++) {
        struct sums sums = sum_bins(scope, batch_first(plan, b), batch_first(plan, b + 1));
        estimate_amounts(&sums, batches + b * N_ESTIMATES);
    }
    for (size_t i = 0; i < N_ESTIMATES; i++) {
        struct ci ci = ratio_ci(all[i], batches + i, N_ESTIMATES, plan->n_batches);
        if (estimates[i].latency && overloaded)
            ci = ci_none();
        else if (estimates[i].latency && strcmp(estimates[i].units, "s") == 0)
            ci = skewed(ci);
        memcpy((char *)out + estimates[i].offset, &ci, sizeof ci);
    }
    mem_free(batches);
}

// ---- quantiles

static double mean_of(const struct sums *s)
{
    return ratio((double)SUM(latency_sum_ns) * 1e-9, (double)SUM(n_queries));
}

// Mean latency of each measured bin; NaN where nothing arrived. Caller frees.
static double *mean_series(const struct batch_hist_scope *scope)
{
    double *y = mem_calloc(scope->plan.n_bins, sizeof *y);
    for (uint32_t i = 0; i < scope->plan.n_bins; i++) {
        struct sums s = sum_bins(scope, i, i + 1);
        y[i] = mean_of(&s);
    }
    return y;
}

// Queues remember: the mean latency of neighbouring bins correlates as long as anything of a run
// does, so batches that are long enough for it are so for the other estimates.
static struct batch_plan plan_of(const struct batch_hist_scope *scope,
                                 const struct summary_fleet *fleet)
{
    double *y = mean_series(scope);
    struct batch_plan plan = batch_plan_of(
        y, scope->plan.n_bins, relaxation_batches(fleet->relaxations, fleet->queue_relaxations));
    mem_free(y);
    return plan;
}

static bool enough_beyond(uint64_t n_queries, double q, double least)
{
    double n = (double)n_queries;
    return n * (1 - q) >= least - 1e-6 && n * q >= least - 1e-6;
}

// Standard error of the fraction p = 1 - q of queries above the quantile: each batch's own excess
// over p of its queries (a ratio estimator).
static double exceedance_error(const struct batch_hist *hists, uint32_t n, double q)
{
    double squares = 0;
    for (uint32_t b = 0; b < n; b++) {
        double of_batch = (double)batch_hist_n(hists, b, b + 1);
        double excess = batch_hist_above(hists, b, b + 1, q) - (1 - q) * of_batch;
        squares += excess * excess;
    }
    return sqrt(squares * n / (n - 1.0)) / (double)batch_hist_n(hists, 0, n);
}

// The interval of the fraction above the quantile, turned into latencies by the distribution of the
// whole (Woodruff, J. Am. Stat. Assoc. 47, 1952): a short batch has no quantile of its own near
// saturation, but it has its share of long latencies. The half-width is the longer side, which is
// the upper one; it ends where a tenth of the fraction is left, beyond which there is no
// distribution to speak of. The longer the run in relaxation times, the less its skew counts, and
// the nearer the half-width comes to half the interval.
static struct ci quantile_ci(const struct batch_hist *hists, uint32_t n, double q,
                             double relaxations)
{
    uint64_t n_queries = batch_hist_n(hists, 0, n);
    if (!enough_beyond(n_queries, q, 1))
        return ci_none();
    struct ci ci = {batch_hist_quantile_ns(hists, 0, n, q) * 1e-9, NAN, n};
    if (n < 2 || !enough_beyond(n_queries, q, LEAST_BEYOND))
        return ci;
    double off = ci_t(0.975, n - 1.0) * exceedance_error(hists, n, q);
    double above = fmax(1 - q - off, (1 - q) / 10), below = fmax(q - off, 0);
    double high = batch_hist_quantile_ns(hists, 0, n, 1 - above) * 1e-9,
           low = batch_hist_quantile_ns(hists, 0, n, below) * 1e-9;
    double half = (high - low) / 2, longer = fmax(high - ci.value, ci.value - low);
    double skew = relaxations > SKEWED_BELOW ? SKEWED_BELOW / relaxations : 1;
    ci.half_95 = half + skew * (longer - half);
    return ci;
}

bool summary_lost_target(const struct summary_service *s)
{
    return s->sla_s > 0 && s->lost_frac.value > 1 - s->sla_quantile;
}

// The fraction that is late decides, lost queries among them: it is known where there is no query
// near the target, or none at all beyond it. `clear` half-widths off.
static int32_t sla_verdict(const struct summary_service *s, bool overloaded, double clear)
{
    if (s->sla_s <= 0)
        return VERDICT_NOT_ASKED;
    if (overloaded || summary_lost_target(s))
        return VERDICT_MISSED;
    return measurement_judge(s->late_frac, 1 - s->sla_quantile, clear);
}

// A quantile is interpolated inside its bucket, which may reach beyond the longest latency of all.
static struct ci at_most(struct ci ci, double max_s)
{
    ci.value = ci.value > max_s ? max_s : ci.value;
    return ci;
}

static void fill_quantiles(const struct batch_hist_scope *scope, double relaxations,
                           struct summary_service *out)
{
    struct batch_hist *hists = batch_hist_create(scope);
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        out->latency_s[i] =
            at_most(quantile_ci(hists, scope->plan.n_batches, summary_quantiles[i], relaxations),
                    out->latency_max_s);
    if (out->sla_quantile > 0)
        out->sla_latency_s =
            at_most(quantile_ci(hists, scope->plan.n_batches, out->sla_quantile, relaxations),
                    out->latency_max_s);
    batch_hist_destroy(hists);
}

// Over all bins, measured or not.
static void fill_fates(const struct batch_hist_scope *scope, struct summary_service *out)
{
    for (uint32_t i = scope->first_service; i < scope->end_service; i++) {
        struct record_fates fates = record_fates(scope->record, i);
        out->n_run_generated += fates.n_generated;
        out->n_run_answered += fates.n_answered;
        out->n_run_lost += fates.n_lost;
        out->n_run_in_flight += fates.n_in_flight;
    }
}

static void fill_counts(const struct sums *s, struct summary_service *out)
{
#define X(member, ...) out->member = (uint64_t)SUM(member);
    SUMMARY_COUNTS(X)
#undef X
}

// In batches of its own.
static void fill_service(struct batch_hist_scope *scope, const struct summary_fleet *fleet,
                         struct summary_service *out)
{
    bool overloaded = fleet->verdict == OVERLOAD_YES;
    scope->plan = plan_of(scope, fleet);
    struct sums whole = sum_bins(scope, 0, scope->plan.n_bins), *s = &whole;
    fill_counts(s, out);
    fill_estimates(scope, s, overloaded, out);
    fill_fates(scope, out);
    if (!overloaded) {
        out->latency_sd_s = moments_of(out->n_queries, SUM(latency_sum_ns), s->latency_sq_ns2).sd_s;
        if (out->n_queries > 0)
            out->latency_max_s = simtime_to_s(s->max_ns);
        fill_quantiles(scope, fleet->relaxations, out);
    }
    if (out->sla_s > 0)
        out->late_frac =
            measurement_late(out->late_frac, (double)out->n_queries, 1 - out->sla_quantile);
    out->sla = sla_verdict(out, overloaded, 1);
}

// ---- groups

static double sum_of(const double *v, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += v[i];
    return sum;
}

// What overload.h asks of one part of one group, over the scope's bins; the arrays are owned.
// n_units 0: there is no such part.
struct part_series {
    struct overload_series overload;
    double *length_ns, *busy_ns, *backlog_ns, *drain_ns, *work_ns, *part_j; // [n]; one allocation
};

static struct part_series part_series_create(const struct batch_hist_scope *scope,
                                             const struct meta_group *group, uint32_t index,
                                             int part)
{
    uint32_t n = scope->plan.n_bins;
    uint32_t per_server = part == PART_CPU ? group->cores : group->has_accel ? group->streams : 0;
    double *length_ns = mem_calloc((size_t)6 * n, sizeof *length_ns);
    struct part_series s = {.length_ns = length_ns,
                            .busy_ns = length_ns + n,
                            .backlog_ns = length_ns + (size_t)2 * n,
                            .drain_ns = length_ns + (size_t)3 * n,
                            .work_ns = length_ns + (size_t)4 * n,
                            .part_j = length_ns + (size_t)5 * n};
    for (uint32_t i = 0; i < n; i++) {
        const struct group_tally *t = record_group(scope->record, scope->first_bin + i, index);
        s.length_ns[i] = (double)bin_length_ns(scope, i);
        s.busy_ns[i] = (double)t->busy_ns[part];
        s.backlog_ns[i] = (double)t->backlog_ns[part];
        s.drain_ns[i] = (double)t->drain_max_ns[part];
        s.work_ns[i] = (double)t->work_ns[part];
        s.part_j[i] = (double)t->energy_uj[part] * 1e-6;
    }
    s.overload = (struct overload_series){n,
                                          group->n_servers,
                                          s.length_ns,
                                          s.busy_ns,
                                          s.backlog_ns,
                                          s.drain_ns,
                                          .n_units = (double)per_server * group->n_servers};
    if (scope->first_bin > 0) {
        const struct group_tally *t = record_group(scope->record, scope->first_bin - 1, index);
        s.overload.backlog_before_ns = (double)t->backlog_ns[part];
        s.overload.drain_before_ns = (double)t->drain_max_ns[part];
    }
    double grown_ns = n > 0 ? s.backlog_ns[n - 1] - s.overload.backlog_before_ns : 0;
    double work_ns = sum_of(s.work_ns, n);
    if (work_ns > 0 && work_ns < sum_of(s.busy_ns, n) + grown_ns)
        s.overload.work_ns = s.work_ns;
    return s;
}

static void part_series_release(struct part_series *s)
{
    mem_free(s->length_ns);
}

// Those of the component that has the fewest. Servers behind a policy that looks at them share
// their work and are as one queue to a cell; else each is a queue of its own.
static void fill_relaxations(const struct batch_hist_scope *scope, const struct meta *meta,
                             struct summary_fleet *out)
{
    out->relaxations = out->queue_relaxations = INFINITY;
    for (uint32_t g = 0; g < meta->n_groups; g++) {
        const struct meta_group *group = &meta->groups[g];
        double n_queues = fmax(meta->shares_load ? meta->n_cells : group->n_servers, 1);
        for (int part = 0; part < N_PARTS; part++) {
            struct part_series s = part_series_create(scope, group, g, part);
            double times = relaxation_times(&s.overload);
            if (s.overload.n_units > 0 && !(times >= out->relaxations)) // NaN is the least
                out->relaxations = times;
            if (s.overload.n_units > 0 && !(times / n_queues >= out->queue_relaxations))
                out->queue_relaxations = times / n_queues;
            part_series_release(&s);
        }
    }
}

// energy_j: each bin's energy is added to it.
static void fill_part(const struct batch_hist_scope *scope, const struct meta_group *group,
                      uint32_t index, int part, double *energy_j, struct summary_component *out)
{
    uint32_t n = scope->plan.n_bins;
    struct part_series s = part_series_create(scope, group, index, part);
    for (uint32_t i = 0; i < n; i++)
        energy_j[i] += s.part_j[i];
    out->n_units = (uint32_t)s.overload.n_units;
    out->energy_j = sum_of(s.part_j, n);
    if (out->n_units > 0) {
        struct overload o = overload_judge(&s.overload);
        out->verdict = (int32_t)o.verdict;
        out->load_frac = o.load_frac;
        out->drain_growth_frac = o.drain_growth_frac;
        out->drain_max_s = s.drain_ns[n - 1] * 1e-9;
        out->util_frac = rate_ci(&scope->plan, s.busy_ns, s.length_ns, 1.0 / out->n_units);
        out->power_w = rate_ci(&scope->plan, s.part_j, s.length_ns, 1e9);
    }
    part_series_release(&s);
}

// Its components draw power in the same bins, so their energy is added bin by bin before it is cut
// into batches. fleet_energy_j: each bin's energy of the group is added to it.
static void fill_group(const struct batch_hist_scope *scope, const struct meta *meta,
                       uint32_t index, double *fleet_energy_j, struct summary_group *out)
{
    uint32_t n = scope->plan.n_bins;
    uint64_t n_completed = 0;
    double *energy_j = mem_calloc((size_t)2 * n, sizeof *energy_j), *length_ns = energy_j + n;
    for (uint32_t i = 0; i < n; i++) {
        length_ns[i] = (double)bin_length_ns(scope, i);
        n_completed += record_group(scope->record, scope->first_bin + i, index)->n_completed;
    }
    for (int part = 0; part < N_PARTS; part++)
        fill_part(scope, &meta->groups[index], index, part, energy_j, &out->parts[part]);
    out->power_w = rate_ci(&scope->plan, energy_j, length_ns, 1e9);
    out->energy_j = sum_of(energy_j, n);
    out->queries_per_j = ratio((double)n_completed, out->energy_j);
    for (uint32_t i = 0; i < n; i++)
        fleet_energy_j[i] += energy_j[i];
    mem_free(energy_j);
}

static void fill_fleet(const struct batch_hist_scope *scope, const double *energy_j,
                       struct summary *out)
{
    uint32_t n = scope->plan.n_bins;
    double *served = mem_calloc((size_t)2 * n, sizeof *served), *time_s = served + n;
    for (uint32_t i = 0; i < n; i++) {
        const struct sums sums = sum_bins(scope, i, i + 1), *s = &sums;
        served[i] = (double)SUM(n_completed);
        time_s[i] = TIME_S;
    }
    out->fleet.n_batches = scope->plan.n_batches;
    out->fleet.energy_j = sum_of(energy_j, n);
    out->fleet.power_w = rate_ci(&scope->plan, energy_j, time_s, 1);
    out->fleet.queries_per_j = rate_ci(&scope->plan, served, energy_j, 1);
    for (uint32_t g = 0; g < out->n_groups; g++) {
        for (int part = 0; part < N_PARTS; part++) {
            int32_t verdict = out->groups[g].parts[part].verdict;
            if (verdict > out->fleet.verdict)
                out->fleet.verdict = verdict;
        }
    }
    mem_free(served);
}

// The measured bins, after the given warm-up or the one that is chosen automatically, in the
// fleet's batches.
static struct batch_hist_scope measured(const struct record *total, const struct meta *meta,
                                        struct summary_fleet *fleet)
{
    const struct record_shape *shape = &total->shape;
    uint32_t given = shape->warmup_ns > 0, n_bins = shape->n_bins - given;
    struct batch_hist_scope scope = {total, given, {.n_bins = n_bins}, 0, shape->n_services};
    bool settled = true;
    if (meta->warmup_auto) {
        double *y = mean_series(&scope);
        uint32_t dropped = warmup_detect(y, n_bins, &settled);
        mem_free(y);
        scope.first_bin += dropped;
        scope.plan.n_bins -= dropped;
    }
    fill_relaxations(&scope, meta, fleet);
    scope.plan = plan_of(&scope, fleet);
    fleet->first_bin = scope.first_bin;
    fleet->n_bins = scope.plan.n_bins;
    fleet->from_ns = record_bin_start_ns(shape, scope.first_bin);
    fleet->to_ns = shape->end_ns;
    fleet->settled = settled;
    return scope;
}

struct summary *summary_create_empty(uint32_t n_services, uint32_t n_groups)
{
    struct summary *s = mem_calloc(1, sizeof *s);
    s->n_services = n_services;
    s->n_groups = n_groups;
    s->services = mem_calloc((size_t)n_services + 1, sizeof *s->services);
    s->groups = mem_calloc(n_groups, sizeof *s->groups);
    for (uint32_t i = 0; i <= n_services; i++) {
        data_field_clear(summary_service_fields, &s->services[i]);
        data_field_clear(summary_latency_fields, &s->services[i]);
        s->services[i].sla_quantile = s->services[i].sla_s = 0; // no target
    }
    for (uint32_t g = 0; g < n_groups; g++) {
        data_field_clear(summary_group_fields, &s->groups[g]);
        s->groups[g].energy_j = 0; // joules are a sum: of nothing, none
        for (int part = 0; part < N_PARTS; part++) {
            data_field_clear(summary_component_fields, &s->groups[g].parts[part]);
            s->groups[g].parts[part].energy_j = 0;
        }
    }
    s->fleet.power_w = s->fleet.queries_per_j = ci_none();
    return s;
}

struct summary *summary_create_for_search(const struct record *total, const struct meta *meta)
{
    const struct record_shape *shape = &total->shape;
    assert(meta->n_services == shape->n_services && meta->n_groups == shape->n_groups);
    struct summary *s = summary_create_empty(shape->n_services, shape->n_groups);
    struct batch_hist_scope all = measured(total, meta, &s->fleet);
    double *energy_j = mem_calloc(all.plan.n_bins, sizeof *energy_j);
    for (uint32_t g = 0; g < s->n_groups; g++)
        fill_group(&all, meta, g, energy_j, &s->groups[g]);
    fill_fleet(&all, energy_j, s);
    mem_free(energy_j);
    bool has_target = false;
    for (uint32_t i = 0; i < s->n_services; i++) {
        struct batch_hist_scope one = all;
        one.first_service = i;
        one.end_service = i + 1;
        s->services[i].sla_quantile = meta->services[i].sla_quantile;
        s->services[i].sla_s = simtime_to_s(meta->services[i].sla_ns);
        fill_service(&one, &s->fleet, &s->services[i]);
        has_target |= s->services[i].sla_s > 0;
        if (!(s->services[i].sla_s > 0))
            s->services[i].goodput_qps = ci_none();
    }
    struct summary_service *total_of_all = &s->services[s->n_services];
    if (s->n_services > 1) {
        fill_service(&all, &s->fleet, total_of_all);
        total_of_all->goodput_qps = has_target ? total_of_all->goodput_qps : ci_none();
    } else { // the same queries, but a target belongs to a service
        *total_of_all = s->services[0];
        total_of_all->sla_quantile = total_of_all->sla_s = 0;
        total_of_all->sla_latency_s = ci_none();
        total_of_all->sla = VERDICT_NOT_ASKED;
    }
    return s;
}

// Half-widths that decide a target where no interval is given: only what is far off.
#define CLEAR_WHEN_SHORT 3

static void withhold_service(const struct summary_fleet *fleet, struct summary_service *service)
{
    for (size_t i = 0; i < N_ESTIMATES; i++)
        if (estimates[i].latency && !summary_gives(fleet, 0.5)) {
            struct ci *ci = (struct ci *)((char *)service + estimates[i].offset);
            ci->half_95 = NAN;
        }
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        if (!summary_gives(fleet, summary_quantiles[i]))
            service->latency_s[i].half_95 = NAN;
    if (!summary_gives(fleet, service->sla_quantile))
        service->sla_latency_s.half_95 = NAN;
}

struct summary *summary_create(const struct record *total, const struct meta *meta)
{
    struct summary *s = summary_create_for_search(total, meta);
    for (uint32_t i = 0; i <= s->n_services; i++) {
        struct summary_service *service = &s->services[i];
        if (!summary_gives(&s->fleet, service->sla_quantile))
            service->sla = sla_verdict(service, s->fleet.verdict == OVERLOAD_YES, CLEAR_WHEN_SHORT);
        withhold_service(&s->fleet, service);
    }
    return s;
}

bool summary_gives(const struct summary_fleet *fleet, double q)
{
    return fleet->settled && relaxation_enough(fleet->relaxations, fleet->queue_relaxations, q);
}

void summary_destroy(struct summary *summary)
{
    if (!summary)
        return;
    mem_free(summary->services);
    mem_free(summary->groups);
    mem_free(summary);
}

bool summary_has_losses(const struct summary *summary)
{
    const struct summary_service *all = summary_total(summary);
    return all->n_lost > 0 || all->n_pending > 0 || all->n_retries > 0 || all->n_run_lost > 0;
}

const struct summary_service *summary_total(const struct summary *summary)
{
    return &summary->services[summary->n_services];
}

#define ROW struct summary_service
#define COUNT_FIELD(member, text) DATA_COUNT(member, "1", text),
#define ESTIMATE_FIELD(member, units, text, ...) DATA_ESTIMATE(member, units, text),
const struct data_field summary_service_fields[] = {
    SUMMARY_COUNTS(COUNT_FIELD) SUMMARY_ESTIMATES(ESTIMATE_FIELD)
        DATA_NUMBER(latency_sd_s, "s", "standard deviation of latency"),
    DATA_NUMBER(latency_max_s, "s", "longest latency"),
    DATA_NUMBER(sla_quantile, "1", "quantile of latency that the target is for"),
    DATA_NUMBER(sla_s, "s", "latency target, 0: none"),
    DATA_ESTIMATE(sla_latency_s, "s", "latency at the target's quantile"),
    DATA_CODE(sla, "latency target met", measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_COUNT(n_run_generated, "1", "queries of the whole run"),
    DATA_COUNT(n_run_answered, "1", "of the whole run, answered by its end"),
    DATA_COUNT(n_run_lost, "1", "of the whole run, lost to failures"),
    DATA_COUNT(n_run_in_flight, "1", "of the whole run, in flight at its end"),
    {0}};

const struct data_field summary_latency_fields[] = {
    DATA_ESTIMATE_AS("latency_p50_s", latency_s[SUMMARY_P50], "s", "median latency"),
    DATA_ESTIMATE_AS("latency_p90_s", latency_s[SUMMARY_P90], "s", "90th percentile of latency"),
    DATA_ESTIMATE_AS("latency_p95_s", latency_s[SUMMARY_P95], "s", "95th percentile of latency"),
    DATA_ESTIMATE_AS("latency_p99_s", latency_s[SUMMARY_P99], "s", "99th percentile of latency"),
    DATA_ESTIMATE_AS("latency_p999_s", latency_s[SUMMARY_P999], "s",
                     "99.9th percentile of latency"),
    {0}};
#undef ROW

#define ROW struct summary_component
const struct data_field summary_component_fields[] = {
    DATA_COUNT32(n_units, "1", "cores or accelerator streams of the group"),
    DATA_ESTIMATE(util_frac, "1", "utilisation"),
    DATA_ESTIMATE(load_frac, "1", "offered work over capacity"),
    DATA_ESTIMATE(power_w, "W", "mean power of the component"),
    DATA_NUMBER(energy_j, "J", "energy over the measured bins"),
    DATA_NUMBER(drain_max_s, "s", "worst server's wait for new work at the end"),
    DATA_NUMBER(drain_growth_frac, "1", "growth of that wait, seconds per second"),
    DATA_CODE(verdict, "does the backlog grow without bound", overload_names, OVERLOAD_NO),
    {0}};
#undef ROW

#define ROW struct summary_group
const struct data_field summary_group_fields[] = {
    DATA_ESTIMATE(power_w, "W", "mean power of the group"),
    DATA_NUMBER(energy_j, "J", "energy of the group over the measured bins"),
    DATA_NUMBER(queries_per_j, "J-1", "queries per joule, which is QPS per watt"),
    {0}};
#undef ROW

#define ROW struct summary_fleet
const struct data_field summary_fleet_fields[] = {
    DATA_COUNT32(first_bin, "1", "first measured bin"),
    DATA_COUNT32(n_bins, "1", "number of measured bins"),
    DATA_INT(settled, "1", "0: no end of the warm-up was seen"),
    DATA_CODE(verdict, "does any backlog grow without bound", overload_names, OVERLOAD_NO),
    DATA_COUNT32(n_batches, "1", "batches behind the fleet's own intervals"),
    DATA_ESTIMATE(power_w, "W", "mean power of the fleet"),
    DATA_ESTIMATE(queries_per_j, "J-1", "queries per joule, which is QPS per watt"),
    DATA_NUMBER(energy_j, "J", "energy of the fleet over the measured bins"),
    DATA_NUMBER(relaxations, "1", "relaxation times measured, of all servers as one queue"),
    DATA_NUMBER(queue_relaxations, "1", "relaxation times measured, of each queue"),
    {0}};
#undef ROW
