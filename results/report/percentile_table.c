// SPDX-License-Identifier: Apache-2.0
#include "results/report/percentile_table.h"

#include <math.h>

#include "base/mem.h"
#include "results/report/table.h"

#define MS 1e3
#define TICKS 5 // lines for each half of the distance to 100 %

static uint64_t count_at(const struct run_result *run, uint32_t service, uint32_t bucket)
{
    uint32_t n = run->meta->n_services, from = service == n ? 0 : service,
             to = service == n ? n : service + 1;
    uint64_t all = 0;
    for (uint32_t i = from * N_PATHS; i < to * N_PATHS; i++)
        all += run->rest.counts[(size_t)bucket * n * N_PATHS + i];
    return all;
}

static uint64_t count_all(const struct run_result *run, uint32_t service)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < run->rest.n_buckets; i++)
        all += count_at(run, service, i);
    return all;
}

static double longest(const struct run_result *run, uint32_t service)
{
    return run->summary->services[service].latency_max_s;
}

double percentile_table_at(const struct run_result *run, uint32_t service, double q)
{
    double all = (double)count_all(run, service), wanted = q * all, below = 0;
    if (!(all > 0) || (q < 1 && (1 - q) * all < 1))
        return NAN;
    if (q >= 1)
        return longest(run, service);
    for (uint32_t i = 0; i < run->rest.n_buckets; i++) {
        double n = (double)count_at(run, service, i);
        double from_s = run->rest.bucket_s[i], to_s = run->rest.bucket_end_s[i];
        if (n > 0 && below + n >= wanted)
            return from_s + (to_s - from_s) * fmax(wanted - below, 0) / n;
        below += n;
    }
    return longest(run, service);
}

// ---- compared with what was measured

struct ci percentile_table_simulated(const struct run_result *run, uint32_t service, double q)
{
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        if (fabs(q - summary_quantiles[i]) < 1e-9)
            return run->summary->services[service].latency_s[i];
    return (struct ci){percentile_table_at(run, service, q), NAN, 0};
}

// Is it one that people are shown? All where there are few; else of each usual percentile the
// first that is not below it.
static bool is_shown(const struct percentile_table_measured *m, size_t i)
{
    const double usual[] = {0,    0.1,   0.25,  0.5,    0.75,   0.9,     0.95, 0.97,
                            0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 1};
    if (m->n <= PERCENTILE_TABLE_ROWS)
        return true;
    for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
        if (m->quantile[i] >= usual[k] - 1e-9 && (i == 0 || m->quantile[i - 1] < usual[k] - 1e-9))
            return true;
    return false;
}

char *percentile_table_sentence(const struct run_result *run, uint32_t service,
                                const struct percentile_table_measured *m)
{
    double least = NAN, most = NAN, nearest = NAN, at_s = NAN, is_s = NAN;
    for (size_t i = 0; i < m->n; i++) {
        double q = m->quantile[i], simulated_s = percentile_table_simulated(run, service, q).value,
               ratio = simulated_s / m->latency_s[i];
        if (!isfinite(ratio) || q >= 1)
            continue;
        if (q >= 0.5 - 1e-9) {
            least = fmin(least, ratio);
            most = fmax(most, ratio);
        }
        if (isnan(nearest) || fabs(q - 0.99) < fabs(nearest - 0.99)) {
            nearest = q;
            at_s = m->latency_s[i];
            is_s = simulated_s;
        }
    }
    if (isnan(nearest))
        return mem_strdup("No percentile is known of both.");
    char *range =
        most > least
            ? mem_printf(" From the median on it is between %.3g and %.3g times.", least, most)
            : mem_strdup("");
    char *text = mem_printf("p%.6g is %.4g ms as simulated and %.4g ms as measured: %.3g times.%s",
                            nearest * 100, is_s * MS, at_s * MS, is_s / at_s, range);
    mem_free(range);
    return text;
}

void percentile_table_print(struct report_out *out, const struct run_result *run, uint32_t service,
                            const struct percentile_table_measured *m)
{
    bool all = service == run->meta->n_services, text = report_out_has_text(out);
    struct table *table = table_create(0);
    report_text(out, "measured   %s (%s%s%s)\n", m->path, m->kind, m->unit ? ", values in " : "",
                m->unit ? m->unit : "");
    report_text(out, "simulated  %s, %s\n", run->path,
                all ? "all services together" : table_or_dash(run->meta->services[service].name));
    char *sentence = percentile_table_sentence(run, service, m);
    report_text(out, "%s\n\n", sentence);
    mem_free(sentence);
    table_head(table, mem_strdup("percentile"), "quantile");
    table_head(table, mem_strdup("measured ms"), "measured_ms");
    table_head(table, mem_strdup("simulated ms"), "simulated_ms");
    table_head(table, mem_strdup("simulated / measured"), "ratio");
    table_line(table);
    for (size_t i = 0; i < m->n; i++) {
        struct ci ci = percentile_table_simulated(run, service, m->quantile[i]);
        double ratio = ci.value / m->latency_s[i], half = ci.half_95 / m->latency_s[i];
        if (text && !is_shown(m, i))
            continue;
        table_value(table, mem_printf("p%.10g", m->quantile[i] * 100), m->quantile[i]);
        table_value(table, table_known(m->latency_s[i] * MS), m->latency_s[i] * MS);
        table_estimate(table,
                       ci.half_95 > 0 ? table_interval(ci.value, ci.half_95, MS)
                                      : table_known(ci.value * MS),
                       ci.value * MS, ci.half_95 * MS);
        table_estimate(table,
                       half > 0 && isfinite(ratio) ? table_interval(ratio, half, 1)
                                                   : table_fixed(ratio, 3),
                       ratio, half);
    }
    table_print(table, out, "percentiles");
    table_destroy(table);
    report_text(out, "\n± half-width of the 95 %% confidence interval of the simulation\n");
}

// ---- as HdrHistogram writes it

// Mean and standard deviation are those of the run.
static void put_footer(FILE *out, const struct run_result *run, uint32_t service, uint64_t all)
{
    const struct summary_service *s = &run->summary->services[service];
    double mean_s = s->latency_mean_s.value, sd_s = s->latency_sd_s;
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
            isfinite(mean_s) ? mean_s * MS : 0, isfinite(sd_s) ? sd_s * MS : 0);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n",
            isfinite(s->latency_max_s) ? s->latency_max_s * MS : 0, (unsigned long long)all);
    fprintf(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", run->rest.n_buckets, 1u);
}

// The next percentage to be told: its distance to 100 % is halved in TICKS steps.
static double next_level(double percent)
{
    double halvings = floor(log2(100 / (100 - percent))) + 1;
    return percent + 100 / (TICKS * exp2(halvings));
}

void percentile_table_hgrm(FILE *out, const struct run_result *run, uint32_t service)
{
    uint64_t all = count_all(run, service), below = 0;
    double percent = 0, last_ms = 0;
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    for (uint32_t i = 0; i < run->rest.n_buckets && below < all; i++) {
        uint64_t n = count_at(run, service, i);
        below += n;
        if (n == 0)
            continue;
        last_ms = fmin(run->rest.bucket_end_s[i], longest(run, service)) * MS; // NaN: the other
        // In the last bucket one line, and then 100 %: no level is beyond it.
        for (bool again = true; again && percent <= 100 * (double)below / (double)all;) {
            fprintf(out, "%12.3f %2.12f %10llu %14.2f\n", last_ms, percent / 100,
                    (unsigned long long)below, 1 / (1 - percent / 100));
            percent = next_level(percent);
            again = below < all;
        }
    }
    if (all > 0)
        fprintf(out, "%12.3f %2.12f %10llu\n", last_ms, 1.0, (unsigned long long)all);
    put_footer(out, run, service, all);
}
