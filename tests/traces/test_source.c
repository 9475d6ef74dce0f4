// SPDX-License-Identifier: Apache-2.0
#include "traces/source.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "support/suite.h"

static struct service_traffic service(const char *process, double rate_qps)
{
    return (struct service_traffic){
        .rate_qps = rate_qps,
        .arrivals = {.process = arrival_find(process), .cv = 2},
        .sizes = {.distribution = qsize_find("production"), .max_items = 1024}};
}

static struct source_config config_of(const struct service_traffic *services, uint32_t n)
{
    return (struct source_config){.services = services,
                                  .n_services = n,
                                  .seed = 9,
                                  .n_cells = 1,
                                  .share_num = 1,
                                  .share_den = 1,
                                  .end_ns = SIMTIME_S,
                                  .sample_frac = 0.1};
}

static struct source *created(const struct source_config *config)
{
    struct err err = {0};
    struct source *source = source_create(config, &err);
    ck_assert_msg(source != NULL, "%s", err.text);
    return source;
}

// Every query of the stream; caller frees.
static struct query *all_queries(const struct source_config *config, size_t *n_all)
{
    struct source *source = created(config);
    struct query *all = NULL;
    *n_all = 0;
    for (size_t n;;) {
        const struct query *part = source_next(source, SIMTIME_NEVER, SIZE_MAX, &n);
        if (n == 0)
            break;
        all = mem_realloc(all, *n_all + n, sizeof *all);
        memcpy(all + *n_all, part, n * sizeof *all);
        *n_all += n;
    }
    ck_assert_int_eq(source_peek_ns(source), SIMTIME_NEVER);
    source_destroy(source);
    return all;
}

// A stream of several services is in order of time, numbered from 0, inside the study's time, and
// carries each service at its rate (Poisson counts, 4 sd).
START_TEST(services_are_merged)
{
    struct service_traffic services[] = {service("poisson", 30000), service("gamma", 10000),
                                         service("deterministic", 20000)};
    struct source_config config = config_of(services, 3);
    size_t n, count[3] = {0};
    struct query *all = all_queries(&config, &n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(all[i].seq, i);
        ck_assert_int_lt(all[i].arrive_ns, SIMTIME_S);
        ck_assert_uint_ge(all[i].size_items, 1);
        if (i > 0)
            ck_assert_int_le(all[i - 1].arrive_ns, all[i].arrive_ns);
        count[all[i].service]++;
    }
    ck_assert_double_eq_tol((double)count[0], 30000, 4 * sqrt(30000));
    ck_assert_double_eq_tol((double)count[1], 10000, 4 * 2 * sqrt(10000));
    ck_assert_double_eq_tol((double)count[2], 20000, 1);
    mem_free(all);
}
END_TEST

// A service's queries are the same alone and merged with others: streams are independent.
START_TEST(merging_changes_no_stream)
{
    struct service_traffic services[] = {service("poisson", 20000), service("poisson", 10000)};
    struct source_config both = config_of(services, 2), alone = config_of(services, 1);
    size_t n_both, n_alone, k = 0;
    struct query *merged = all_queries(&both, &n_both), *single = all_queries(&alone, &n_alone);
    for (size_t i = 0; i < n_both; i++) {
        if (merged[i].service != 0)
            continue;
        ck_assert_int_eq(merged[i].arrive_ns, single[k].arrive_ns);
        ck_assert_uint_eq(merged[i].size_items, single[k].size_items);
        k++;
    }
    ck_assert_uint_eq(k, n_alone);
    mem_free(merged);
    mem_free(single);
}
END_TEST

// Queries that arrive together come in the order of their services: one trace played thrice.
START_TEST(ties_go_to_the_lower_service)
{
    struct trace *trace = trace_create(true);
    for (int i = 0; i < 1000; i++)
        trace_append(trace, i / 2 * SIMTIME_US, 5);
    struct service_traffic services[3];
    for (int i = 0; i < 3; i++) {
        services[i] = service("replay", 0);
        services[i].arrivals.trace = trace;
    }
    struct source_config config = config_of(services, 3);
    size_t n;
    struct query *all = all_queries(&config, &n);
    ck_assert_uint_eq(n, 3000);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(all[i].service, i % 6 / 2);
        ck_assert_int_eq(all[i].arrive_ns, (int64_t)(i / 6) * SIMTIME_US);
    }
    mem_free(all);
    trace_destroy(trace);
}
END_TEST

// However few are made ahead and however few are asked for, the stream is the same, flags too.
START_TEST(blocks_and_cuts_do_not_matter)
{
    struct service_traffic services[] = {service("poisson", 20000), service("gamma", 5000)};
    for (uint32_t n_services = 1; n_services <= 2; n_services++) {
        struct source_config config = config_of(services, n_services);
        size_t n_all, n;
        struct query *all = all_queries(&config, &n_all);
        config.n_block = 37;
        struct source *source = created(&config);
        size_t done = 0;
        for (int64_t until_ns = 0; done < n_all; until_ns += 70 * SIMTIME_US) {
            const struct query *part;
            while (part = source_next(source, until_ns, done % 5 + 1, &n), n > 0) {
                ck_assert_uint_le(n, done % 5 + 1);
                ck_assert_mem_eq(part, all + done, n * sizeof *part);
                done += n;
            }
            ck_assert_int_ge(source_peek_ns(source), until_ns);
        }
        ck_assert_uint_eq(done, n_all);
        source_destroy(source);
        mem_free(all);
    }
}
END_TEST

// until_ns is exclusive, asking early yields nothing, and a look ahead consumes nothing and leaves
// the queries handed out before as they are.
START_TEST(until_is_exclusive)
{
    struct service_traffic services[] = {service("poisson", 1000)};
    struct source_config config = config_of(services, 1);
    config.n_block = 4;
    struct source *source = created(&config);
    size_t n;
    for (int i = 0; i < 50; i++) {
        int64_t head_ns = source_peek_ns(source);
        source_next(source, head_ns, 10, &n);
        ck_assert_uint_eq(n, 0);
        const struct query *query = source_next(source, head_ns + 1, 10, &n);
        ck_assert_uint_eq(n, 1);
        struct query copy = *query;
        ck_assert_int_eq(copy.arrive_ns, head_ns);
        ck_assert_int_gt(source_peek_ns(source), head_ns);
        ck_assert_mem_eq(&copy, query, sizeof copy);
    }
    source_destroy(source);
}
END_TEST

// Two cells of half the load see other queries; what one sees depends on no other cell.
START_TEST(cells_are_independent)
{
    struct service_traffic services[] = {service("poisson", 20000)};
    struct source_config config = config_of(services, 1);
    size_t n[3];
    struct query *all[3];
    config.share_den = 2;
    config.n_cells = 2;
    all[0] = all_queries(&config, &n[0]);
    config.cell = 1;
    config.share_first = 1;
    all[1] = all_queries(&config, &n[1]);
    config.n_cells = 5;
    all[2] = all_queries(&config, &n[2]);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol((double)n[c], 10000, 4 * 100);
    ck_assert_int_ne(all[0][0].arrive_ns, all[1][0].arrive_ns);
    ck_assert_uint_eq(n[1], n[2]);
    ck_assert_mem_eq(all[1], all[2], n[1] * sizeof *all[1]);
    for (int c = 0; c < 3; c++)
        mem_free(all[c]);
}
END_TEST

static size_t n_sampled(double sample_frac, size_t *n)
{
    struct service_traffic services[] = {service("poisson", 100000)};
    struct source_config config = config_of(services, 1);
    config.sample_frac = sample_frac;
    size_t count = 0;
    struct query *all = all_queries(&config, n);
    for (size_t i = 0; i < *n; i++)
        count += all[i].flags & QUERY_SAMPLED;
    mem_free(all);
    return count;
}

// The sample holds its fraction of the queries, within 4 binomial sd.
START_TEST(the_sample_has_its_fraction)
{
    const double fracs[] = {0.5, 0.01, 1e-3};
    for (int k = 0; k < 3; k++) {
        size_t n, count = n_sampled(fracs[k], &n);
        double mean = (double)n * fracs[k];
        ck_assert_double_eq_tol((double)count, mean, 4 * sqrt(mean * (1 - fracs[k])));
    }
}
END_TEST

// None and all are exactly that, and a hopelessly small fraction is none.
START_TEST(the_sample_has_its_ends)
{
    size_t n;
    ck_assert_uint_eq(n_sampled(0, &n), 0);
    ck_assert_uint_eq(n_sampled(1e-300, &n), 0);
    size_t all = n_sampled(1, &n);
    ck_assert_uint_eq(all, n);
}
END_TEST

// Which queries are sampled does not depend on their sizes: sampled ones have the same mean, within
// 4 errors of 0.75 / sqrt(10000).
START_TEST(the_sample_is_uniform)
{
    struct service_traffic services[] = {service("poisson", 100000)};
    struct source_config config = config_of(services, 1);
    size_t n;
    double sampled = 0, n_in = 0;
    struct query *all = all_queries(&config, &n);
    for (size_t i = 0; i < n; i++) {
        n_in += all[i].flags & QUERY_SAMPLED;
        sampled += all[i].flags & QUERY_SAMPLED ? all[i].size_items : 0;
    }
    ck_assert_double_eq_tol(sampled / n_in / 238.8, 1, 4 * 0.75 / 100);
    mem_free(all);
}
END_TEST

// Size tables made outside give the same stream.
START_TEST(shared_sizes_change_nothing)
{
    struct service_traffic services[] = {service("poisson", 20000)};
    struct source_config config = config_of(services, 1);
    size_t n[2];
    struct query *own = all_queries(&config, &n[0]);
    struct qsize *sizes = qsize_create(&services[0].sizes, NULL);
    const struct qsize *const shared[] = {sizes};
    config.sizes = shared;
    struct query *borrowed = all_queries(&config, &n[1]);
    ck_assert_uint_eq(n[0], n[1]);
    ck_assert_mem_eq(own, borrowed, n[0] * sizeof *own);
    qsize_destroy(sizes);
    mem_free(own);
    mem_free(borrowed);
}
END_TEST

// A replay without sizes draws them.
START_TEST(replay_without_sizes_draws_them)
{
    struct trace *trace = trace_create(false);
    for (int i = 0; i < 100; i++)
        trace_append(trace, i * SIMTIME_US, 0);
    struct service_traffic services[] = {service("replay", 0)};
    services[0].arrivals.trace = trace;
    struct source_config config = config_of(services, 1);
    size_t n, ones = 0;
    struct query *all = all_queries(&config, &n);
    ck_assert_uint_eq(n, 100);
    for (size_t i = 0; i < n; i++)
        ones += all[i].size_items == 1;
    ck_assert_uint_lt(ones, 10);
    mem_free(all);
    trace_destroy(trace);
}
END_TEST

// A study that ends before the first query has none.
START_TEST(an_empty_study_has_no_query)
{
    struct service_traffic services[] = {service("poisson", 1)};
    struct source_config config = config_of(services, 1);
    config.end_ns = 1;
    size_t n;
    mem_free(all_queries(&config, &n));
    ck_assert_uint_eq(n, 0);
}
END_TEST

// Errors name the service and the key.
START_TEST(errors_name_the_service)
{
    struct service_traffic services[] = {service("poisson", 1), service("hyperexponential", 1)};
    struct source_config config = config_of(services, 2);
    struct err err = {0};
    services[1].arrivals.cv = 0.5;
    ck_assert_ptr_null(source_create(&config, &err));
    ck_assert_str_eq(err.text, "services[1].arrivals: cv: expected more than 1 for "
                               "hyperexponential, got 0.5");
    services[1].arrivals.cv = 2;
    services[0].sizes.max_items = 0;
    ck_assert_ptr_null(source_create(&config, &err));
    ck_assert_str_eq(err.text, "services[0].sizes: max_items: expected 1 to 65535, got 0");
}
END_TEST

// Whoever makes tables up to the service's cap may rely on it: a trace beyond it is refused.
START_TEST(a_trace_beyond_the_cap_is_refused)
{
    struct trace *trace = trace_create(true);
    trace_append(trace, 0, 1024);
    trace_append(trace, 1, 1025);
    struct service_traffic services[] = {service("replay", 0)};
    services[0].arrivals.trace = trace;
    struct source_config config = config_of(services, 1);
    struct err err = {0};
    ck_assert_ptr_null(source_create(&config, &err));
    ck_assert_str_eq(err.text, "services[0].arrivals: max_items: the trace has a query of 1025 "
                               "items, more than the service's sizes.max_items of 1024");
    services[0].sizes.max_items = 1025;
    source_destroy(created(&config));
    trace_destroy(trace);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", services_are_merged},          {"core", merging_changes_no_stream},
        {"core", ties_go_to_the_lower_service}, {"core", blocks_and_cuts_do_not_matter},
        {"core", until_is_exclusive},           {"core", cells_are_independent},
        {"core", the_sample_has_its_fraction},  {"core", the_sample_is_uniform},
        {"core", shared_sizes_change_nothing},  {"core", replay_without_sizes_draws_them},
        {"limits", the_sample_has_its_ends},    {"limits", an_empty_study_has_no_query},
        {"errors", errors_name_the_service},    {"errors", a_trace_beyond_the_cap_is_refused},
    };
    return suite_run("source", tests, sizeof tests / sizeof *tests);
}
