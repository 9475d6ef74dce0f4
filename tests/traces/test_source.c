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
    size_t room = 0;
    *n_all = 0;
    for (size_t n;;) {
        const struct query *part = source_next(source, SIMTIME_NEVER, SIZE_MAX, &n);
        if (n == 0)
            break;
        if (*n_all + n > room) {
            room = 2 * (*n_all + n);
            all = mem_realloc(all, room, sizeof *all);
        }
        memcpy(all + *n_all, part, n * sizeof *all);
        *n_all += n;
    }
    ck_assert_int_eq(source_peek_ns(source), SIMTIME_NEVER);
    source_destroy(source);
    return all;
}

// Histories are draws of their own, by the query's place in its service's stream: sizes and times
// are as without them, blocks change nothing, and a service without has none. So is a source that
// is put where another one was.
START_TEST(histories_are_drawn_apart)
{
    struct service_traffic services[] = {service("poisson", 30000), service("gamma", 10000)};
    struct source_config config = config_of(services, 2);
    size_t n, n_with, n_blocks;
    struct query *without = all_queries(&config, &n);
    services[1].has_history = true;
    services[1].history = (struct size_config){
        .distribution = qsize_find("lognormal"), .mu = 4, .sigma = 0.5, .max_items = 2000};
    struct query *with = all_queries(&config, &n_with);
    config.n_block = 7;
    struct query *blocks = all_queries(&config, &n_blocks);
    ck_assert_uint_eq(n, n_with);
    ck_assert_uint_eq(n, n_blocks);
    ck_assert_mem_eq(with, blocks, n * sizeof *with);
    double sum = 0, n_second = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert((with[i].history_items > 0) == (with[i].service == 1));
        sum += with[i].history_items;
        n_second += with[i].service == 1;
        with[i].history_items = 0;
    }
    ck_assert_mem_eq(with, without, n * sizeof *with);
    double mean = exp(4 + 0.125), sd = mean * sqrt(exp(0.25) - 1);
    ck_assert_double_eq_tol(sum / n_second, mean, 4 * sd / sqrt(n_second));

    config.n_block = 64;
    struct source *first = created(&config), *other = created(&config);
    size_t n_taken;
    source_next(first, SIMTIME_NEVER, 40, &n_taken);
    struct blob blob = {0};
    source_save(first, &blob);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    ck_assert_int_eq(source_load(other, &reader, NULL), 0);
    struct query *rest = source_next(other, SIMTIME_NEVER, 10, &n_taken);
    ck_assert_mem_eq(rest, blocks + 40, n_taken * sizeof *rest);
    blob_release(&blob);
    source_destroy(first);
    source_destroy(other);
    mem_free(without);
    mem_free(with);
    mem_free(blocks);
}
END_TEST

// A trace gives each of its queries its own history, wherever the sizes come from.
START_TEST(traces_carry_histories)
{
    struct trace *trace = trace_create(true);
    for (uint32_t i = 0; i < 900; i++) {
        trace_append(trace, i * SIMTIME_US, i + 1);
        trace_put_history(trace, (uint16_t)(i % 3 ? 3 * i : 0));
    }
    struct service_traffic traffic = service("replay", 0);
    traffic.arrivals.trace = trace;
    traffic.has_history = true;
    traffic.history.max_items = 2700;
    for (int drawn = 0; drawn < 2; drawn++) {
        traffic.arrivals.sizes_from = drawn ? ARRIVAL_SIZES_DISTRIBUTION : ARRIVAL_SIZES_TRACE;
        struct source_config config = config_of(&traffic, 1);
        size_t n;
        struct query *all = all_queries(&config, &n);
        ck_assert_uint_eq(n, 900);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_eq(all[i].history_items, i % 3 ? 3 * i : 0);
            ck_assert(drawn || all[i].size_items == i + 1);
        }
        mem_free(all);
    }
    trace_destroy(trace);
}
END_TEST

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

// However few are made ahead and however few are asked for, the stream is the same, flags too,
// whatever is written into queries that were handed out.
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
            struct query *part;
            while (part = source_next(source, until_ns, done % 5 + 1, &n), n > 0) {
                ck_assert_uint_le(n, done % 5 + 1);
                ck_assert_mem_eq(part, all + done, n * sizeof *part);
                memset(part, 0x55, n * sizeof *part);
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

// A curve that was loaded from a file stays the service's, whatever is made of it and destroyed.
START_TEST(a_loaded_curve_is_borrowed)
{
    double rates[] = {1, 3};
    struct service_traffic traffic = service("diurnal", 5000);
    traffic.arrivals.period_s = 1;
    traffic.arrivals.curve_file = (char[]){"gone.csv"};
    traffic.arrivals.file_frac = (struct reals){2, mem_alloc(sizeof rates)};
    memcpy(traffic.arrivals.file_frac.v, rates, sizeof rates);
    struct source_config config = config_of(&traffic, 1);
    size_t n_first, n_second;
    struct query *first = all_queries(&config, &n_first), *second = all_queries(&config, &n_second);
    ck_assert_uint_eq(n_first, n_second);
    ck_assert_mem_eq(first, second, n_first * sizeof *first);
    ck_assert_mem_eq(traffic.arrivals.file_frac.v, rates, sizeof rates);
    arrival_unload(&traffic.arrivals);
    mem_free(first);
    mem_free(second);
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

// Numbers for choices, the same in every run.
struct dice {
    uint64_t state;
};

static uint64_t dice_below(struct dice *dice, uint64_t n)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (dice->state >> 33) % n;
}

static double curve_frac[] = {1, 5, 2}, state_rate_frac[] = {1, 10, 3},
              state_hold_s[] = {1e-3, 1e-4, 2e-3};

// Traffic of any process, whose stream ends with the study's time only.
static struct service_traffic any_service(int64_t process, double rate_qps,
                                          const struct trace *trace)
{
    struct service_traffic traffic = service(arrival_types[process]->name, rate_qps);
    traffic.arrivals.period_s = 3e-3;
    traffic.arrivals.curve_frac = (struct reals){3, curve_frac};
    traffic.arrivals.state_rate_frac = (struct reals){3, state_rate_frac};
    if (arrival_types[process] == &arrival_diurnal) // its bursts are of one kind
        traffic.arrivals.cv = 1;
    traffic.arrivals.state_hold_s = (struct reals){3, state_hold_s};
    if (arrival_types[process]->carries_rate) {
        traffic.arrivals.trace = trace;
        traffic.arrivals.repeat = true;
        traffic.arrivals.rescale = true;
    }
    return traffic;
}

// 1000 records, three at a time.
static struct trace *short_trace(void)
{
    struct trace *trace = trace_create(true);
    for (int i = 0; i < 1000; i++)
        trace_append(trace, i / 3 * SIMTIME_US, (uint32_t)i % 999 + 1);
    return trace;
}

// One cell of two, so that a replay deals; some 4000 queries.
static struct source_config config_of_cell(const struct service_traffic *services, uint32_t n)
{
    struct source_config config = config_of(services, n);
    config.cell = 1;
    config.n_cells = 2;
    config.share_first = config.share_num = 1;
    config.share_den = 2;
    config.end_ns = 80 * SIMTIME_MS;
    return config;
}

// Saves the source, destroys it, and gives one made of config that has loaded what was saved.
static struct source *saved_and_loaded(struct source *source, const struct source_config *config)
{
    struct err err = {0};
    struct blob blob = {0};
    source_save(source, &blob);
    source_destroy(source);
    struct source *fresh = created(config);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    ck_assert_msg(source_load(fresh, &reader, &err) == 0, "%s", err.text);
    ck_assert_int_eq(blob_end(&reader, &err), 0);
    blob_release(&blob);
    return fresh;
}

// Plays the stream in windows and cuts of random lengths, and after one call in `cut_one_in` goes
// on with another source of random n_block: it must give `all`, bit for bit.
static void check_cuts(struct source_config config, uint64_t cut_one_in, struct dice *dice,
                       const struct query *all, size_t n_all)
{
    static const uint32_t n_blocks[] = {0, 1, 37, 256, 511};
    struct source *source = created(&config);
    size_t done = 0, n, n_cuts = 0;
    int64_t until_ns = 0, longest_ns = 2 * config.end_ns / (int64_t)n_all * 100;
    while (source_peek_ns(source) != SIMTIME_NEVER || until_ns < config.end_ns) {
        until_ns += (int64_t)dice_below(dice, (uint64_t)longest_ns);
        size_t max = 1 + dice_below(dice, 700);
        do {
            const struct query *part = source_next(source, until_ns, max, &n);
            ck_assert_uint_le(done + n, n_all);
            ck_assert_mem_eq(part, all + done, n * sizeof *part);
            done += n;
            if (dice_below(dice, cut_one_in) > 0)
                continue;
            config.n_block = n_blocks[dice_below(dice, 5)];
            source = saved_and_loaded(source, &config);
            n_cuts++;
            ck_assert_int_eq(source_peek_ns(source),
                             done < n_all ? all[done].arrive_ns : SIMTIME_NEVER);
        } while (n > 0);
    }
    ck_assert_uint_eq(done, n_all);
    ck_assert_uint_gt(n_cuts, 0);
    source_destroy(source);
}

// Whatever the traffic and the sample, a stream that is saved, and goes on in another source with
// blocks of another length, is the stream that nobody saved: sizes, numbers and flags too. After
// every call, and seldom.
START_TEST(a_saved_stream_goes_on)
{
    static const double sample_fracs[] = {0, 0.01, 1};
    struct trace *trace = short_trace();
    struct service_traffic alike = service("poisson", 1);
    struct qsize *sizes = qsize_create(&alike.sizes, NULL);
    const struct qsize *const shared[] = {sizes, sizes, sizes};
    struct dice dice = {5};
    for (int64_t p = 0; arrival_types[p]; p++) {
        struct service_traffic services[] = {any_service(p, 70000, trace),
                                             any_service(arrival_find("mmpp"), 20000, trace),
                                             any_service(p, 10000, trace)};
        for (int k = 0; k < 6; k++) {
            struct source_config config = config_of_cell(services, k % 2 ? 3 : 1);
            config.sample_frac = sample_fracs[k / 2];
            config.sizes = shared;
            size_t n_all;
            struct query *all = all_queries(&config, &n_all);
            ck_assert_msg(n_all > 2000, "%s: %zu", arrival_types[p]->name, n_all);
            check_cuts(config, 1, &dice, all, n_all);
            check_cuts(config, 8, &dice, all, n_all);
            mem_free(all);
        }
    }
    qsize_destroy(sizes);
    trace_destroy(trace);
}
END_TEST

// A replay that plays once is at its end where it was.
START_TEST(a_saved_replay_still_ends)
{
    struct trace *trace = short_trace();
    struct dice dice = {6};
    struct service_traffic services[] = {service("replay", 0), service("replay", 0)};
    services[0].arrivals.trace = services[1].arrivals.trace = trace;
    services[1].arrivals.sizes_from = ARRIVAL_SIZES_DISTRIBUTION;
    struct source_config config = config_of(services, 2);
    size_t n_all;
    struct query *all = all_queries(&config, &n_all);
    ck_assert_uint_eq(n_all, 2000);
    config.end_ns = SIMTIME_MS; // after the last record
    check_cuts(config, 1, &dice, all, n_all);
    mem_free(all);
    trace_destroy(trace);
}
END_TEST

// Before its first query a stream can be saved, looked at or not; after its last one, and a study
// without any, too.
START_TEST(the_ends_of_a_stream_can_be_saved)
{
    struct service_traffic services[] = {service("poisson", 20000), service("gamma", 5000)};
    for (int k = 0; k < 4; k++) {
        struct source_config config = config_of(services, 1 + (uint32_t)k % 2);
        size_t n_all, n;
        struct query *all = all_queries(&config, &n_all);
        struct source *source = saved_and_loaded(created(&config), &config);
        ck_assert_int_eq(source_peek_ns(source), all[0].arrive_ns);
        if (k / 2)
            source = saved_and_loaded(source, &config);
        ck_assert_mem_eq(source_next(source, SIMTIME_NEVER, 1, &n), all, sizeof *all);
        while (source_next(source, SIMTIME_NEVER, SIZE_MAX, &n), n > 0)
            ;
        source = saved_and_loaded(source, &config);
        ck_assert_int_eq(source_peek_ns(source), SIMTIME_NEVER);
        source_next(source, SIMTIME_NEVER, SIZE_MAX, &n);
        ck_assert_uint_eq(n, 0);
        source_destroy(source);
        config.end_ns = 1;
        source = saved_and_loaded(created(&config), &config);
        ck_assert_int_eq(source_peek_ns(source), SIMTIME_NEVER);
        source_destroy(source);
        mem_free(all);
    }
}
END_TEST

static struct blob saved_half_way(const struct source_config *config)
{
    struct blob blob = {0};
    struct source *source = created(config);
    size_t n;
    for (int i = 0; i < 9; i++)
        source_next(source, config->end_ns / 2, 301, &n);
    source_save(source, &blob);
    source_destroy(source);
    return blob;
}

// A hundred bytes a service, for any process; and loading takes no byte beyond its own, so that
// something else may follow.
START_TEST(a_save_is_small_and_its_own)
{
    struct trace *trace = short_trace();
    for (int64_t p = 0; arrival_types[p]; p++) {
        struct service_traffic services[] = {any_service(p, 70000, trace),
                                             any_service(p, 70000, trace)};
        struct source_config config = config_of_cell(services, 2);
        struct blob blob = saved_half_way(&config);
        ck_assert_uint_le(blob.n, 200);
        blob_put_u64(&blob, 42);
        struct blob_reader reader = blob_read(blob.bytes, blob.n);
        struct source *source = created(&config);
        ck_assert_int_eq(source_load(source, &reader, NULL), 0);
        ck_assert_uint_eq(blob_get_u64(&reader), 42);
        source_destroy(source);
        blob_release(&blob);
    }
    trace_destroy(trace);
}
END_TEST

// Loads the first n bytes into a source of config. 0: it did, and the stream was played on.
static int load_and_play(const struct source_config *config, const void *bytes, size_t n)
{
    struct err err = {0};
    struct source *source = created(config);
    struct blob_reader reader = blob_read(bytes, n);
    int failed = source_load(source, &reader, &err);
    if (failed) {
        ck_assert_int_eq(err.code, ERR_FAIL);
        ck_assert_str_eq(err.text, "damaged state");
        ck_assert_int_eq(blob_end(&reader, NULL), -1);
    }
    size_t played = 0, part = 1;
    while (!failed && part > 0 && played < 1500) {
        source_next(source, SIMTIME_NEVER, SIZE_MAX, &part);
        played += part;
    }
    source_destroy(source);
    return failed;
}

// However much of it is missing, what is left is refused.
START_TEST(a_cut_save_is_refused)
{
    struct service_traffic services[] = {service("poisson", 20000), service("gamma", 5000)};
    struct source_config config = config_of(services, 2);
    struct blob blob = saved_half_way(&config);
    for (size_t n = 0; n < blob.n; n++)
        ck_assert_int_eq(load_and_play(&config, blob.bytes, n), -1);
    ck_assert_int_eq(load_and_play(&config, blob.bytes, blob.n), 0);
    blob_release(&blob);
}
END_TEST

// Any byte may be wrong: the save is refused or gives some stream, and nothing else happens.
START_TEST(a_damaged_save_does_no_harm)
{
    static const unsigned char flips[] = {0x01, 0x40, 0x80, 0xff};
    struct trace *trace = short_trace();
    for (int64_t p = 0; arrival_types[p]; p++) {
        struct service_traffic services[] = {any_service(p, 70000, trace),
                                             any_service(p, 70000, trace)};
        struct source_config config = config_of_cell(services, 2);
        struct qsize *sizes = qsize_create(&services[0].sizes, NULL);
        const struct qsize *const shared[] = {sizes, sizes};
        config.sizes = shared;
        struct blob blob = saved_half_way(&config);
        int n_refused = 0;
        for (size_t i = 0; i < 4 * blob.n; i++) {
            blob.bytes[i / 4] ^= flips[i % 4];
            n_refused += load_and_play(&config, blob.bytes, blob.n) != 0;
            blob.bytes[i / 4] ^= flips[i % 4];
        }
        // At least the high bytes of the number of services and of those taken.
        ck_assert_msg(n_refused > 16, "%s: %d", arrival_types[p]->name, n_refused);
        blob_release(&blob);
        qsize_destroy(sizes);
    }
    trace_destroy(trace);
}
END_TEST

// More services than were saved, or fewer, are another study's.
START_TEST(another_number_of_services_is_refused)
{
    struct service_traffic services[] = {service("poisson", 20000), service("poisson", 5000)};
    struct source_config one = config_of(services, 1), two = config_of(services, 2);
    struct blob of_one = saved_half_way(&one), of_two = saved_half_way(&two);
    ck_assert_int_eq(load_and_play(&two, of_one.bytes, of_one.n), -1);
    ck_assert_int_eq(load_and_play(&one, of_two.bytes, of_two.n), -1);
    ck_assert_int_eq(load_and_play(&one, of_one.bytes, of_one.n), 0);
    blob_release(&of_one);
    blob_release(&of_two);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", services_are_merged},
        {"core", histories_are_drawn_apart},
        {"core", traces_carry_histories},
        {"core", merging_changes_no_stream},
        {"core", ties_go_to_the_lower_service},
        {"core", blocks_and_cuts_do_not_matter},
        {"core", until_is_exclusive},
        {"core", cells_are_independent},
        {"core", the_sample_has_its_fraction},
        {"core", the_sample_is_uniform},
        {"core", shared_sizes_change_nothing},
        {"core", replay_without_sizes_draws_them},
        {"core", a_loaded_curve_is_borrowed},
        {"core", a_saved_stream_goes_on},
        {"core", a_saved_replay_still_ends},
        {"core", a_save_is_small_and_its_own},
        {"limits", the_sample_has_its_ends},
        {"limits", an_empty_study_has_no_query},
        {"limits", the_ends_of_a_stream_can_be_saved},
        {"errors", errors_name_the_service},
        {"errors", a_trace_beyond_the_cap_is_refused},
        {"errors", a_cut_save_is_refused},
        {"errors", a_damaged_save_does_no_harm},
        {"errors", another_number_of_services_is_refused},
    };
    return suite_run("source", tests, sizeof tests / sizeof *tests);
}
