// SPDX-License-Identifier: Apache-2.0
// Each policy (random, round-robin, weighted, power-of-d, join-shortest-queue, size-aware) against
// a plain statement of it, with a view of its own.
#include "cluster/policy.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { MOST_SERVERS = 50, N_QUERIES = 2000, FIRST_SEQ = 12345 };

// A cell of two groups, queries of two services, and news that comes in meanwhile.
struct cell {
    struct fixture fixture;
    struct policy_roster roster;
    double weight[MOST_SERVERS];
    uint16_t group[MOST_SERVERS];
    uint32_t members[MOST_SERVERS], n_members;
    struct query queries[N_QUERIES];
    struct completion news[N_QUERIES];
};

static struct cell *make_cell(const char *policy, uint32_t n_servers, bool equal_weights)
{
    struct cell *cell = mem_calloc(1, sizeof *cell);
    fixture_init(&cell->fixture, 2, 2);
    fixture_attach(&cell->fixture, 1, 2, false, 150);
    fixture_ready(&cell->fixture);
    fixture_set_policy(&cell->fixture, policy);
    cell->roster = (struct policy_roster){.n_servers = n_servers,
                                          .weight = cell->weight,
                                          .group = cell->group,
                                          .tabs = (const struct svctab *const *)cell->fixture.tabs,
                                          .n_services = 2,
                                          .seed = 5,
                                          .cell = 3};
    for (uint32_t s = 0; s < n_servers; s++) {
        cell->weight[s] = equal_weights ? 2 : 1 + s % 3;
        cell->group[s] = s >= n_servers / 2;
        cell->members[cell->n_members++] = s;
    }
    for (uint32_t i = 0; i < N_QUERIES; i++) {
        uint32_t gap_ns = fixture_draw(1, i, 2000);
        cell->queries[i] =
            (struct query){.arrive_ns = (i ? cell->queries[i - 1].arrive_ns : 0) + gap_ns,
                           .seq = FIRST_SEQ + i,
                           .size_items = (uint16_t)(1 + fixture_draw(2, i, 300)),
                           .service = (uint16_t)fixture_draw(3, i, 2)};
        cell->news[i] = (struct completion){.end_ns = (int64_t)fixture_draw(4, i, 3000000),
                                            .weight = fixture_draw(5, i, 4),
                                            .server = fixture_draw(6, i, n_servers)};
    }
    return cell;
}

// Two of five servers go out of service.
static void leave_some(struct cell *cell)
{
    cell->n_members = 0;
    for (uint32_t s = 0; s < cell->roster.n_servers; s++)
        if (s % 5 != 1 && s % 5 != 4)
            cell->members[cell->n_members++] = s;
}

// Without effect where the policy has no such setting.
static void set(struct cell *cell, const char *key, double value)
{
    settings_set_number(&cell->fixture.config.balancer.settings, key, value);
}

static void destroy_cell(struct cell *cell)
{
    fixture_release(&cell->fixture);
    mem_free(cell);
}

static struct view *make_view(const struct cell *cell)
{
    struct view_config config = {.n_servers = cell->roster.n_servers,
                                 .status_delay_ns = 50000,
                                 .reports_per_ns = 1e-3,
                                 .lookahead_ns = 100000,
                                 .horizon_ns = 600000,
                                 .in_lanes = policy_wants_lanes(&cell->fixture.config.balancer)};
    struct view *view = view_create(&config);
    for (uint32_t s = 0; s < config.n_servers; s++)
        view_sent(view, s, 3 * N_QUERIES); // more than is ever taken away
    view_report(view, cell->news, N_QUERIES);
    return view;
}

// Routes all queries in batches of 1 to most_batch.
static void route(struct cell *cell, uint32_t most_batch)
{
    struct view *view = make_view(cell);
    struct policy *policy = policy_create(&cell->fixture.config.balancer, &cell->roster, view);
    if (cell->n_members < cell->roster.n_servers)
        policy_set_members(policy, cell->members, cell->n_members);
    for (size_t i = 0; i < N_QUERIES;) {
        size_t n = most_batch == N_QUERIES ? N_QUERIES : 1 + fixture_draw(7, i, most_batch);
        n = n < N_QUERIES - i ? n : N_QUERIES - i;
        policy_route(policy, cell->queries + i, n);
        i += n;
    }
    policy_destroy(policy);
    view_destroy(view);
}

// ---- plain statements ---------------------------------------------------------------------------

// Half-word `k` of the draws of a query that has `per_query` words; high halves first.
static uint32_t draw(const struct query *query, uint32_t per_query, uint32_t k, uint32_t n)
{
    struct rng_stream draws = rng_stream(5, RNG_BALANCE, 3);
    uint64_t word = query->seq * per_query + k / 2, words[2];
    rng_block(&draws, word / 2, words);
    return rng_below((uint32_t)(k % 2 ? words[word % 2] : words[word % 2] >> 32), n);
}

// The first of the candidates with the least load for its weight.
static uint32_t least_of(const struct cell *cell, const int64_t *load, const uint32_t *candidates,
                         uint32_t n)
{
    uint32_t best = candidates[0];
    for (uint32_t i = 1; i < n; i++)
        if ((double)load[candidates[i]] / cell->weight[candidates[i]] <
            (double)load[best] / cell->weight[best])
            best = candidates[i];
    return best;
}

typedef uint32_t (*choose_fn)(const struct cell *cell, const int64_t *load,
                              const struct query *query);

// A setting of the policy; `dflt` where it has none (the less loaded of two has no d).
static uint32_t most_of(const struct cell *cell, const char *key, uint32_t dflt)
{
    const struct settings *settings = &cell->fixture.config.balancer.settings;
    return settings_field(settings, key) ? (uint32_t)settings_whole(settings, key) : dflt;
}

static uint32_t choose_of_d(const struct cell *cell, const int64_t *load, const struct query *query)
{
    uint32_t candidates[16] = {0}, d = most_of(cell, "d", 2);
    for (uint32_t k = 0; k < d; k++)
        candidates[k] = cell->members[draw(query, (d + 1) / 2, k, cell->n_members)];
    return least_of(cell, load, candidates, d);
}

static uint32_t choose_of_all(const struct cell *cell, const int64_t *load,
                              const struct query *query)
{
    uint32_t candidates[MOST_SERVERS] = {0}, n = cell->n_members, first = draw(query, 1, 0, n);
    for (uint32_t k = 0; k < n; k++)
        candidates[k] = cell->members[(first + k) % n];
    return least_of(cell, load, candidates, n);
}

static uint32_t choose_by_size(const struct cell *cell, const int64_t *load,
                               const struct query *query)
{
    uint32_t n = cell->n_members, n_small = n - (n + 1) / 2; // large_frac is a half
    bool large = query->size_items >= most_of(cell, "large_items", 64);
    uint32_t first = large ? n_small : 0, count = large ? n - n_small : n_small;
    uint32_t candidates[2] = {cell->members[first + draw(query, 1, 0, count)],
                              cell->members[first + draw(query, 1, 1, count)]};
    return least_of(cell, load, candidates, 2);
}

// What a query adds to the load of a server, by the unit in force.
static int64_t load_of(const struct cell *cell, enum load_unit unit, const struct query *query,
                       uint32_t server)
{
    const struct svctab *tab = cell->fixture.tabs[cell->group[server] * 2 + query->service];
    uint32_t items = query->size_items;
    switch (unit) {
    case LOAD_REQUESTS:
        return items >= tab->offload_items ? 1 : (items + 31) / 32;
    case LOAD_ITEMS:
        return items;
    case LOAD_WORK:
        return tab->work_ns[items];
    default:
        return 1;
    }
}

// Goes through the routed queries with loads of its own: every choice must be the stated one.
static void assert_choices(const struct cell *cell, enum load_unit unit, choose_fn choose)
{
    int64_t load[MOST_SERVERS];
    bool heard[N_QUERIES] = {false};
    for (uint32_t s = 0; s < cell->roster.n_servers; s++)
        load[s] = 3 * N_QUERIES;
    for (uint32_t i = 0; i < N_QUERIES; i++) {
        const struct query *query = &cell->queries[i];
        for (uint32_t j = 0; j < N_QUERIES; j++)
            if (!heard[j] && cell->news[j].end_ns + 50000 <= query->arrive_ns) {
                heard[j] = true;
                load[cell->news[j].server] -= cell->news[j].weight;
            }
        if (query->server != choose(cell, load, query))
            ck_abort_msg("query %u", i);
        load[query->server] += load_of(cell, unit, query, query->server);
    }
}

// With all servers in service, and then without some of them.
static void assert_feedback(const char *name, uint32_t n_servers, bool equal_weights, int64_t d,
                            enum load_unit unit, choose_fn choose)
{
    struct cell *cell = make_cell(name, n_servers, equal_weights);
    set(cell, "d", (double)d);
    cell->fixture.config.balancer.load = (int)unit;
    ck_assert_int_eq(policy_load_unit(&cell->fixture.config.balancer), unit);
    route(cell, 64);
    assert_choices(cell, unit, choose);
    leave_some(cell);
    route(cell, 64);
    assert_choices(cell, unit, choose);
    destroy_cell(cell);
}

// ---- core ---------------------------------------------------------------------------------------

// power-of-d: the least loaded of d draws, the first of equals; any d, weights and load units.
START_TEST(power_of_d)
{
    for (int64_t d = 1; d <= 16; d += d < 6 ? 1 : 5)
        for (int equal = 0; equal < 2; equal++)
            assert_feedback("power-of-d", 37, equal, d, LOAD_QUERIES, choose_of_d);
    for (enum load_unit unit = LOAD_REQUESTS; unit < N_LOAD_UNITS; unit++)
        assert_feedback("power-of-d", 20, true, 2, unit, choose_of_d);
    assert_feedback("power-of-two", 37, true, 2, LOAD_QUERIES, choose_of_d);
    assert_feedback("power-of-two", 11, false, 2, LOAD_REQUESTS, choose_of_d);
}
END_TEST

// join-shortest-queue: the least loaded of all, looking round from a random one.
START_TEST(join_shortest_queue)
{
    for (int equal = 0; equal < 2; equal++)
        for (enum load_unit unit = 0; unit < N_LOAD_UNITS; unit++)
            assert_feedback("join-shortest-queue", 23, equal, 2, unit, choose_of_all);
}
END_TEST

// least-work: the same, by work, whatever load the study names.
START_TEST(least_work)
{
    struct cell *cell = make_cell("least-work", 23, true);
    cell->fixture.config.balancer.load = LOAD_QUERIES;
    ck_assert_int_eq(policy_load_unit(&cell->fixture.config.balancer), LOAD_WORK);
    route(cell, 64);
    assert_choices(cell, LOAD_WORK, choose_of_all);
    destroy_cell(cell);
}
END_TEST

// size-aware: large queries to the last servers, small ones to the first, the less loaded of two.
START_TEST(size_aware)
{
    assert_feedback("size-aware", 24, true, 2, LOAD_QUERIES, choose_by_size);
    assert_feedback("size-aware", 24, false, 2, LOAD_ITEMS, choose_by_size);
}
END_TEST

// round-robin: by the number of the query, over those in service.
START_TEST(round_robin)
{
    struct cell *cell = make_cell("round-robin", 7, false);
    route(cell, 64);
    for (uint32_t i = 0; i < N_QUERIES; i++)
        ck_assert_uint_eq(cell->queries[i].server, (FIRST_SEQ + i) % 7);
    leave_some(cell);
    ck_assert_uint_eq(cell->n_members, 4);
    route(cell, 64);
    for (uint32_t i = 0; i < N_QUERIES; i++)
        ck_assert_uint_eq(cell->queries[i].server, cell->members[(FIRST_SEQ + i) % 4]);
    destroy_cell(cell);
}
END_TEST

// A further attempt, and a query of another cell, goes on by as many places.
START_TEST(round_robin_attempts)
{
    struct cell *cell = make_cell("round-robin", 8, false);
    struct policy *policy = policy_create(&cell->fixture.config.balancer, &cell->roster, NULL);
    for (uint64_t attempt = 0; attempt <= QUERY_MAX_RETRIES; attempt++)
        for (uint64_t origin = 0; origin < 3; origin++) {
            struct query query = {.seq = 5 | attempt << QUERY_ATTEMPT_SHIFT |
                                         origin << QUERY_ORIGIN_SHIFT};
            policy_route(policy, &query, 1);
            ck_assert_uint_eq(query.server, (5 + attempt + origin) % 8);
        }
    policy_destroy(policy);
    destroy_cell(cell);
}
END_TEST

// How unevenly queries spread: sum of (seen - expected)^2 / expected over the members, which must
// have got all.
static double chi_square(const struct cell *cell, bool by_weight)
{
    double seen[MOST_SERVERS] = {0}, sum = 0, chi = 0, n_seen = 0;
    for (uint32_t i = 0; i < N_QUERIES; i++)
        seen[cell->queries[i].server]++;
    for (uint32_t k = 0; k < cell->n_members; k++)
        sum += by_weight ? cell->weight[cell->members[k]] : 1;
    for (uint32_t k = 0; k < cell->n_members; k++) {
        uint32_t s = cell->members[k];
        double expected = N_QUERIES * (by_weight ? cell->weight[s] : 1) / sum;
        chi += (seen[s] - expected) * (seen[s] - expected) / expected;
        n_seen += seen[s];
    }
    ck_assert_double_eq(n_seen, N_QUERIES);
    return chi;
}

// Chi-square with k degrees of freedom has mean k and variance 2 k; the draws are fixed.
static void assert_spread(const char *policy, uint32_t n_servers, bool equal_weights)
{
    struct cell *cell = make_cell(policy, n_servers, equal_weights);
    for (int some = 0; some < 2; some++) {
        if (some)
            leave_some(cell);
        route(cell, 64);
        double k = cell->n_members - 1;
        ck_assert_double_eq_tol(chi_square(cell, strcmp(policy, "weighted") == 0), k,
                                5 * sqrt(2 * k));
    }
    destroy_cell(cell);
}

// random: every server alike, whatever the weights. weighted: in proportion to the weights.
START_TEST(spread_of_draws)
{
    assert_spread("random", 50, true);
    assert_spread("random", 7, false);
    assert_spread("weighted", 50, false);
    assert_spread("weighted", 7, false);
    assert_spread("weighted", 20, true);
}
END_TEST

// Where a batch ends changes no choice, with any policy.
START_TEST(batches)
{
    static struct query whole[N_QUERIES];
    for (int p = 0; policy_types[p]; p++) {
        struct cell *cell = make_cell(policy_types[p]->name, 19, false);
        set(cell, "d", 5);
        route(cell, N_QUERIES);
        memcpy(whole, cell->queries, sizeof whole);
        for (uint32_t most = 1; most < 600; most *= 7) {
            for (uint32_t i = 0; i < N_QUERIES; i++)
                cell->queries[i].server = 0;
            route(cell, most);
            for (uint32_t i = 0; i < N_QUERIES; i++)
                if (whole[i].server != cell->queries[i].server)
                    ck_abort_msg("%s, query %u", policy_types[p]->name, i);
        }
        destroy_cell(cell);
    }
}
END_TEST

// Cells and seeds have draws of their own.
START_TEST(draws_of_their_own)
{
    uint32_t n_same[2] = {0};
    struct cell *a = make_cell("random", 50, true);
    route(a, 64);
    for (int i = 0; i < 2; i++) {
        struct cell *b = make_cell("random", 50, true);
        b->roster.seed += i == 0;
        b->roster.cell += i == 1;
        route(b, 64);
        for (uint32_t q = 0; q < N_QUERIES; q++)
            n_same[i] += a->queries[q].server == b->queries[q].server;
        ck_assert_uint_lt(n_same[i], N_QUERIES / 50 * 2); // by chance one in 50
        destroy_cell(b);
    }
    destroy_cell(a);
}
END_TEST

// A policy that had fewer members and has all again chooses as one that always had.
START_TEST(all_back)
{
    static struct query always[N_QUERIES];
    for (int p = 0; policy_types[p]; p++) {
        struct cell *cell = make_cell(policy_types[p]->name, 19, false);
        route(cell, N_QUERIES);
        memcpy(always, cell->queries, sizeof always);
        struct view *view = make_view(cell);
        struct policy *policy = policy_create(&cell->fixture.config.balancer, &cell->roster, view);
        leave_some(cell);
        policy_set_members(policy, cell->members, cell->n_members);
        policy_set_members(policy, NULL, 0);
        policy_route(policy, cell->queries, N_QUERIES);
        ck_assert_mem_eq(cell->queries, always, sizeof always);
        policy_destroy(policy);
        view_destroy(view);
        destroy_cell(cell);
    }
}
END_TEST

// Further attempts and queries of other cells have draws of their own, keyed by all of `seq`.
START_TEST(attempts_draw_anew)
{
    static const uint64_t origins[] = {0, 1, QUERY_MAX_ORIGINS};
    struct cell *cell = make_cell("power-of-d", 37, true);
    set(cell, "d", 16);
    uint32_t n_same = 0, first[N_QUERIES];
    for (uint64_t attempt = 0; attempt <= QUERY_MAX_RETRIES; attempt++)
        for (int o = 0; o < 3; o++) {
            for (uint32_t i = 0; i < N_QUERIES; i++)
                cell->queries[i].seq = (FIRST_SEQ + i) | origins[o] << QUERY_ORIGIN_SHIFT |
                                       attempt << QUERY_ATTEMPT_SHIFT;
            route(cell, 64);
            assert_choices(cell, LOAD_QUERIES, choose_of_d);
            for (uint32_t i = 0; i < N_QUERIES; i++) {
                if (attempt == 0 && o == 0)
                    first[i] = draw(&cell->queries[i], 8, 0, 37);
                else
                    n_same += draw(&cell->queries[i], 8, 0, 37) == first[i];
            }
        }
    ck_assert_uint_lt(n_same, 11 * N_QUERIES / 37 * 2); // by chance one in 37
    destroy_cell(cell);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// One server gets everything.
START_TEST(one_server)
{
    for (int p = 0; policy_types[p]; p++) {
        struct cell *cell = make_cell(policy_types[p]->name, 1, true);
        route(cell, 64);
        for (uint32_t i = 0; i < N_QUERIES; i++)
            ck_assert_uint_eq(cell->queries[i].server, 0);
        destroy_cell(cell);
    }
}
END_TEST

// So does the last one that is in service; with all of them named, it is as if none were.
START_TEST(last_member)
{
    for (int p = 0; policy_types[p]; p++) {
        struct cell *cell = make_cell(policy_types[p]->name, 10, false);
        cell->members[0] = 7;
        cell->n_members = 1;
        route(cell, 64);
        for (uint32_t i = 0; i < N_QUERIES; i++)
            ck_assert_uint_eq(cell->queries[i].server, 7);
        struct policy *policy = policy_create(&cell->fixture.config.balancer, &cell->roster, NULL);
        for (uint32_t s = 0; s < 10; s++)
            cell->members[s] = s;
        policy_set_members(policy, cell->members, 10);
        ck_assert_ptr_null(policy->members);
        policy_destroy(policy);
        destroy_cell(cell);
    }
}
END_TEST

// size-aware keeps at least one server for either class, however small its share.
START_TEST(both_classes)
{
    static const double fracs[] = {0, 0.01, 0.99, 1};
    for (int f = 0; f < 4; f++) {
        struct cell *cell = make_cell("size-aware", 10, true);
        set(cell, "large_frac", fracs[f]);
        uint32_t first_large = fracs[f] < 0.5 ? 9 : 1;
        route(cell, 64);
        for (uint32_t i = 0; i < N_QUERIES; i++)
            ck_assert((cell->queries[i].size_items >= 64) ==
                      (cell->queries[i].server >= first_large));
        destroy_cell(cell);
    }
}
END_TEST

// A policy has settings of its own with help and default; what is set for another policy, or not at
// all, counts as not said.
START_TEST(own_settings)
{
    struct cell *cell = make_cell("power-of-d", 10, true);
    struct balancer_config *config = &cell->fixture.config.balancer;
    set(cell, "d", 7);
    struct policy *policy = policy_create(config, &cell->roster, NULL);
    ck_assert_int_eq(settings_whole(&policy->own_settings, "d"), 7);
    policy_destroy(policy);
    config->policy = policy_find("size-aware");
    policy = policy_create(config, &cell->roster, NULL);
    ck_assert_int_eq(settings_whole(&policy->own_settings, "large_items"), 256);
    ck_assert_double_eq(settings_number(&policy->own_settings, "large_frac"), 0.5);
    policy_destroy(policy);
    for (int p = 0; policy_types[p]; p++)
        for (const struct field *f = policy_types[p]->fields; f && f->key; f++) {
            ck_assert_ptr_nonnull(f->dflt);
            ck_assert(strlen(f->help) > 0);
        }
    destroy_cell(cell);
}
END_TEST

// The ends of their ranges are accepted, and what is beyond them is not.
START_TEST(ranges_of_settings)
{
    static const char *const rows[][4] = {{"power-of-d", "d", "1", "16"},
                                          {"size-aware", "large_items", "1", "65535"},
                                          {"size-aware", "large_frac", "0", "1"}};
    static const char *const bad[][3] = {{"power-of-d", "d", "0"},
                                         {"power-of-d", "d", "17"},
                                         {"size-aware", "large_items", "0"},
                                         {"size-aware", "large_items", "65536"},
                                         {"size-aware", "large_frac", "1.01"}};
    for (int i = 0; i < 3; i++)
        for (int k = 2; k < 4; k++) {
            const struct policy_type *type = policy_types[policy_find(rows[i][0])];
            struct settings settings = settings_of(type->fields, NULL);
            ck_assert_int_eq(settings_set(&settings, rows[i][1], rows[i][k], NULL), 0);
        }
    for (int i = 0; i < 5; i++) {
        struct settings settings = settings_of(policy_types[policy_find(bad[i][0])]->fields, NULL);
        struct err err;
        ck_assert_int_eq(settings_set(&settings, bad[i][1], bad[i][2], &err), -1);
        ck_assert_int_eq(err.code, ERR_STUDY);
    }
}
END_TEST

// Policies are found by name; those that read the view say so.
START_TEST(names)
{
    static const char *const needing[] = {"power-of-d", "power-of-two", "join-shortest-queue",
                                          "least-work", "size-aware"};
    int n_needing = 0;
    for (int p = 0; policy_types[p]; p++) {
        ck_assert_int_eq(policy_find(policy_types[p]->name), p);
        n_needing += policy_types[p]->needs_feedback;
    }
    for (int i = 0; i < 5; i++)
        ck_assert(policy_types[policy_find(needing[i])]->needs_feedback);
    ck_assert_int_eq(n_needing, 5);
    ck_assert_int_eq(policy_find("randon"), -1);
    policy_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", power_of_d},
                                       {"core", join_shortest_queue},
                                       {"core", least_work},
                                       {"core", size_aware},
                                       {"core", round_robin},
                                       {"core", round_robin_attempts},
                                       {"core", spread_of_draws},
                                       {"core", all_back},
                                       {"core", attempts_draw_anew},
                                       {"core", batches},
                                       {"core", draws_of_their_own},
                                       {"core", own_settings},
                                       {"limits", ranges_of_settings},
                                       {"limits", one_server},
                                       {"limits", last_member},
                                       {"limits", both_classes},
                                       {"limits", names}};
    return suite_run("policy", tests, sizeof tests / sizeof *tests);
}
