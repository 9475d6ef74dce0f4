// SPDX-License-Identifier: Apache-2.0
#include "search/provision.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "support/suite.h"

enum { MOST_TYPES = 10, MOST_SERVICES = 6, MOST_CELLS = MOST_TYPES * MOST_SERVICES };

// A problem with room for its numbers.
struct fixture {
    struct provision_problem problem;
    double qps[MOST_CELLS], price[MOST_CELLS], load_qps[MOST_SERVICES];
    uint32_t available[MOST_TYPES];
};

static struct provision_problem *aim(struct fixture *f)
{
    f->problem.qps = f->qps;
    f->problem.price = f->price;
    f->problem.load_qps = f->load_qps;
    f->problem.available = f->available;
    return &f->problem;
}

struct answer {
    enum provision_state state;
    struct provision provision;
    struct provision_shortage shortage;
};

static struct answer solve(const struct provision_problem *problem, enum provision_method method)
{
    struct answer a;
    struct err err = {0};
    ck_assert_msg(provision_solve(problem, method, &a.state, &a.provision, &a.shortage, &err) == 0,
                  "%s", err.text);
    ck_assert((a.state == PROVISION_FOUND) == (a.provision.n_servers != NULL));
    ck_assert((a.state == PROVISION_IMPOSSIBLE) == (a.shortage.missing_qps != NULL));
    if (a.state == PROVISION_FOUND) {
        ck_assert(provision_is_plan(problem, a.provision.n_servers));
        ck_assert_double_eq(a.provision.objective, provision_cost(problem, a.provision.n_servers));
    }
    return a;
}

static void release(struct answer *a)
{
    provision_release(&a->provision);
    provision_release_shortage(&a->shortage);
}

static void assert_plan(const struct provision_problem *problem, enum provision_method method,
                        const uint32_t *expected)
{
    struct answer a = solve(problem, method);
    ck_assert_int_eq(a.state, PROVISION_FOUND);
    for (uint32_t i = 0; i < problem->n_types * problem->n_services; i++)
        ck_assert_msg(a.provision.n_servers[i] == expected[i], "%s: cell %u is %u, not %u",
                      provision_method_names[method], i, a.provision.n_servers[i], expected[i]);
    release(&a);
}

// Two types and two services. The first type is best at both per server, by far at the second.
// Blind mixes 10 : 30. Greedy starts with the service of more servers, gives it the good type, and
// must then serve the other by the poor one; the optimum gives the good type to who gains most.
static struct fixture two_by_two(void)
{
    return (struct fixture){.problem = {.n_types = 2, .n_services = 2},
                            .qps = {200, 400, 100, 40},
                            .price = {1, 1, 1, 1},
                            .load_qps = {2000, 3200},
                            .available = {10, 30}};
}

// Service 0 asks for 10 of its best type, service 1 for 8. Greedy serves 0 with all 10 of type 0,
// and 3200 / 40 = 80 of type 1 are not there: it fails though 8 + 20 servers do.
START_TEST(greedy_uses_up_what_others_need)
{
    struct fixture f = two_by_two();
    struct answer a = solve(aim(&f), PROVISION_GREEDY);
    ck_assert_int_eq(a.state, PROVISION_FAILED);
    release(&a);
    // 2 of type 0 and 16 of type 1 hold 400 + 1600 of service 0.
    assert_plan(&f.problem, PROVISION_OPTIMAL, (uint32_t[]){2, 8, 16, 0});
}
END_TEST

// By hand: 1000 of service 0, types 3 : 1 of it. Webster's divisors give the second type, which has
// more, the first of every four servers or so; 10 : 30 of type 0 : 1 hold 200 + 3 x 100 each four.
START_TEST(blind_takes_in_proportion)
{
    struct fixture f = two_by_two();
    f.problem.n_services = 1;
    memcpy(f.qps, (double[]){200, 100}, 2 * sizeof *f.qps);
    f.load_qps[0] = 1000;
    // The first eight: 1 1/0 ... 2 of type 0 and 6 of type 1, exactly 1000.
    assert_plan(aim(&f), PROVISION_BLIND, (uint32_t[]){2, 6});
    // One server at a time: the first is of the type that there is more of.
    f.load_qps[0] = 1;
    assert_plan(&f.problem, PROVISION_BLIND, (uint32_t[]){0, 1});
}
END_TEST

// Blind passes over a type that holds nothing of the service, and leaves to later services what is
// left.
START_TEST(blind_skips_useless_types)
{
    struct fixture f = {.problem = {.n_types = 3, .n_services = 2},
                        .qps = {NAN, 10, 10, 0, 10, 10},
                        .price = {NAN, 1, 1, 0, 1, 1},
                        .load_qps = {100, 100},
                        .available = {100, 10, 10}};
    // Service 0: 5 and 5. Service 1: type 0 alone is of use besides what is left, 100 : 5 to
    // type 2.
    struct answer a = solve(aim(&f), PROVISION_BLIND);
    ck_assert_int_eq(a.state, PROVISION_FOUND);
    const uint32_t *n = a.provision.n_servers;
    ck_assert_uint_eq(n[0], 0);
    ck_assert_uint_eq(n[2], 5);
    ck_assert_uint_eq(n[4], 5);
    ck_assert_uint_eq(n[3], 0);
    ck_assert_uint_eq(n[1] + n[5], 10);
    release(&a);
}
END_TEST

// Greedy goes by QPS per price, not by QPS: the cheap type first, then the other for what it lacks.
START_TEST(greedy_goes_by_worth)
{
    struct fixture f = {.problem = {.n_types = 2, .n_services = 1},
                        .qps = {100, 30},
                        .price = {400, 100},
                        .load_qps = {1000},
                        .available = {50, 20}};
    // 20 x 30 = 600, and 4 x 100 for the rest.
    assert_plan(aim(&f), PROVISION_GREEDY, (uint32_t[]){4, 20});
}
END_TEST

// The programme beats both where servers of a type are few: known by hand.
START_TEST(headroom_is_asked_for)
{
    struct fixture f = {.problem = {.n_types = 1, .n_services = 1, .headroom_frac = 0.1},
                        .qps = {10},
                        .price = {3},
                        .load_qps = {100},
                        .available = {20}};
    for (int method = 0; method < N_PROVISION_METHODS; method++)
        assert_plan(aim(&f), (enum provision_method)method, (uint32_t[]){11});
    struct answer a = solve(&f.problem, PROVISION_OPTIMAL);
    ck_assert_double_eq(a.provision.objective, 33);
    ck_assert_double_eq(a.provision.bound, 33);
    ck_assert(a.provision.proven);
    release(&a);
}
END_TEST

// ---- against brute force ------------------------------------------------------------------------

static uint32_t draw(uint64_t seed, uint64_t *at, uint32_t n)
{
    struct rng_stream stream = rng_stream(seed, RNG_TEST, 0);
    uint64_t words[2];
    rng_block(&stream, (*at)++, words);
    return rng_below((uint32_t)words[0], n);
}

// Small, some of it impossible, some of a type useless, some loads nil.
static struct fixture random_small(uint64_t seed)
{
    uint64_t at = 0;
    struct fixture f = {
        .problem = {.n_types = 1 + draw(seed, &at, 3), .n_services = 1 + draw(seed, &at, 2)}};
    f.problem.headroom_frac = draw(seed, &at, 2) ? 0.05 : 0;
    bool whole_prices = draw(seed, &at, 2);
    for (uint32_t h = 0; h < f.problem.n_types; h++) {
        f.available[h] = draw(seed, &at, 5);
        for (uint32_t m = 0; m < f.problem.n_services; m++) {
            uint32_t i = h * f.problem.n_services + m;
            uint32_t qps = draw(seed, &at, 60);
            f.qps[i] = qps < 10 ? 0 : qps / (seed % 3 ? 1.0 : 7.3);
            f.price[i] = whole_prices ? 1 + draw(seed, &at, 4) : 0.1 + 1e-3 * draw(seed, &at, 900);
        }
    }
    for (uint32_t m = 0; m < f.problem.n_services; m++)
        f.load_qps[m] = 3.7 * draw(seed, &at, 40);
    return f;
}

// The least cost of all plans; INFINITY: there is none.
static double brute(const struct provision_problem *problem, uint32_t *plan, uint32_t i)
{
    if (i == problem->n_types * problem->n_services)
        return provision_is_plan(problem, plan) ? provision_cost(problem, plan) : INFINITY;
    double best = INFINITY;
    for (plan[i] = 0; plan[i] <= problem->available[i / problem->n_services]; plan[i]++)
        best = fmin(best, brute(problem, plan, i + 1));
    plan[i] = 0;
    return best;
}

// What a shortage must be whatever the problem: of demands, not negative, of something, and serving
// that much less is possible when servers may be split.
static void check_shortage(const struct provision_problem *problem, const struct answer *a)
{
    double sum_qps = 0;
    for (uint32_t m = 0; m < problem->n_services; m++) {
        double missing_qps = a->shortage.missing_qps[m];
        ck_assert(missing_qps >= 0);
        ck_assert_double_le(missing_qps, provision_demand_qps(problem, m) * (1 + 1e-9));
        sum_qps += missing_qps;
    }
    ck_assert_double_gt(sum_qps, 0);
}

// 1500 small problems: the optimum is that of brute force and is proven, the bound is no higher, no
// method is cheaper, and what is said to be impossible is.
START_TEST(agrees_with_brute_force)
{
    int n_found = 0, n_impossible = 0, n_failed = 0;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        struct fixture f = random_small(seed);
        const struct provision_problem *problem = aim(&f);
        uint32_t plan[MOST_CELLS] = {0};
        double best = brute(problem, plan, 0);
        for (int method = 0; method < N_PROVISION_METHODS; method++) {
            struct answer a = solve(problem, (enum provision_method)method);
            ck_assert_int_eq(a.state == PROVISION_IMPOSSIBLE, isinf(best));
            if (a.state == PROVISION_FOUND)
                ck_assert_double_ge(a.provision.objective, best * (1 - 1e-12));
            n_failed += a.state == PROVISION_FAILED;
            if (a.state == PROVISION_IMPOSSIBLE)
                check_shortage(problem, &a);
            if (method == PROVISION_OPTIMAL && a.state != PROVISION_IMPOSSIBLE) {
                ck_assert_int_eq(a.state, PROVISION_FOUND);
                ck_assert_double_le(a.provision.objective, best * (1 + 1e-6));
                ck_assert_double_le(a.provision.bound, a.provision.objective);
                ck_assert(a.provision.proven);
                n_found++;
            }
            n_impossible += method == PROVISION_OPTIMAL && a.state == PROVISION_IMPOSSIBLE;
            release(&a);
        }
    }
    // The draw has all kinds, or the test would not say much.
    ck_assert_int_ge(n_found, 300);
    ck_assert_int_ge(n_impossible, 300);
    ck_assert_int_ge(n_failed, 10);
}
END_TEST

// ---- a day of ten types and six services --------------------------------------------------------

static struct fixture random_day(uint64_t seed, double hour)
{
    uint64_t at = 0;
    struct fixture f = {
        .problem = {.n_types = MOST_TYPES, .n_services = MOST_SERVICES, .headroom_frac = 0.05}};
    for (uint32_t h = 0; h < MOST_TYPES; h++) {
        f.available[h] = 100 / (1 + h / 2) + draw(seed, &at, 10);
        double speed = 100 * (1 + 0.5 * h), power_w = 200 + 60 * h;
        for (uint32_t m = 0; m < MOST_SERVICES; m++) {
            uint32_t i = h * MOST_SERVICES + m;
            f.qps[i] = speed * (0.3 + 0.002 * draw(seed, &at, 1000)) / (1 + m);
            f.price[i] = power_w * (0.8 + 0.0004 * draw(seed, &at, 1000));
        }
    }
    for (uint32_t m = 0; m < MOST_SERVICES; m++)
        f.load_qps[m] = 4000.0 / (1 + m) * (0.6 + 0.4 * sin(2 * M_PI * (hour + 2 * m) / 24));
    return f;
}

// A day's 24 programmes, for watts: never worse than the others, within half a percent of the
// bound.
START_TEST(day_of_programmes)
{
    for (int hour = 0; hour < 24; hour++) {
        struct fixture f = random_day(1, hour);
        struct answer best = solve(aim(&f), PROVISION_OPTIMAL);
        ck_assert_int_eq(best.state, PROVISION_FOUND);
        ck_assert_double_le(best.provision.bound, best.provision.objective);
        ck_assert_double_le(best.provision.objective, 1.005 * best.provision.bound);
        for (int method = 0; method < PROVISION_OPTIMAL; method++) {
            struct answer a = solve(&f.problem, (enum provision_method)method);
            if (a.state == PROVISION_FOUND)
                ck_assert_double_le(best.provision.objective, a.provision.objective);
            release(&a);
        }
        release(&best);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", greedy_uses_up_what_others_need},
        {"core", blind_takes_in_proportion},
        {"core", blind_skips_useless_types},
        {"core", greedy_goes_by_worth},
        {"core", headroom_is_asked_for},
        {"core", agrees_with_brute_force},
        {"core", day_of_programmes},
    };
    return suite_run("provision", tests, sizeof tests / sizeof *tests);
}
