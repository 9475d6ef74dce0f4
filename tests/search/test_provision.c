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
        ck_assert(assignment_is_plan(problem, a.provision.n_servers));
        ck_assert_double_eq(a.provision.objective, assignment_cost(problem, a.provision.n_servers));
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
        return assignment_is_plan(problem, plan) ? assignment_cost(problem, plan) : INFINITY;
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
        ck_assert_double_le(missing_qps, assignment_demand_qps(problem, m) * (1 + 1e-9));
        sum_qps += missing_qps;
    }
    ck_assert_double_gt(sum_qps, 0);
}

// 1000 small problems: the optimum is that of brute force and is proven, the bound is no higher, no
// method is cheaper, and what is said to be impossible is.
START_TEST(agrees_with_brute_force)
{
    int n_found = 0, n_impossible = 0, n_failed = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
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
    ck_assert_int_ge(n_found, 200);
    ck_assert_int_ge(n_impossible, 200);
    ck_assert_int_ge(n_failed, 5);
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

// ---- limits -------------------------------------------------------------------------------------

// No load: no servers, by any method, even where there are none.
START_TEST(no_load)
{
    struct fixture f = two_by_two();
    f.load_qps[0] = f.load_qps[1] = 0;
    const uint32_t none[MOST_CELLS] = {0};
    for (int method = 0; method < N_PROVISION_METHODS; method++)
        assert_plan(aim(&f), (enum provision_method)method, none);
    f.available[0] = f.available[1] = 0;
    for (int method = 0; method < N_PROVISION_METHODS; method++)
        assert_plan(&f.problem, (enum provision_method)method, none);
    f.problem.n_types = 0;
    for (int method = 0; method < N_PROVISION_METHODS; method++)
        assert_plan(&f.problem, (enum provision_method)method, none);
}
END_TEST

// By all methods alike: there is none, and so much is missing of each service.
static void assert_missing(const struct provision_problem *problem, const double *missing_qps)
{
    for (int method = 0; method < N_PROVISION_METHODS; method++) {
        struct answer a = solve(problem, (enum provision_method)method);
        ck_assert_int_eq(a.state, PROVISION_IMPOSSIBLE);
        for (uint32_t m = 0; m < problem->n_services; m++)
            ck_assert_double_eq_tol(a.shortage.missing_qps[m], missing_qps[m],
                                    1e-6 * assignment_demand_qps(problem, m));
        release(&a);
    }
}

// No servers at all: everything is missing, headroom included.
START_TEST(no_servers)
{
    struct fixture f = two_by_two();
    f.available[0] = f.available[1] = 0;
    f.problem.headroom_frac = 0.5;
    assert_missing(aim(&f), (double[]){3000, 4800});
    f.problem.n_types = 0;
    assert_missing(&f.problem, (double[]){3000, 4800});
}
END_TEST

// A service that no type holds is missing as a whole; the other lacks nothing.
START_TEST(service_nobody_holds)
{
    struct fixture f = two_by_two();
    f.qps[1] = NAN;
    f.qps[3] = -1;
    assert_missing(aim(&f), (double[]){0, 3200});
    f.qps[1] = INFINITY; // not a measurement either
    assert_missing(&f.problem, (double[]){0, 3200});
}
END_TEST

// One type, two services that ask for 150 % of it: both lack the same third, whatever their size.
START_TEST(shortage_is_shared)
{
    struct fixture f = {.problem = {.n_types = 1, .n_services = 2},
                        .qps = {10, 100},
                        .price = {1, 1},
                        .load_qps = {500, 10000},
                        .available = {100}};
    assert_missing(aim(&f), (double[]){500 / 3.0, 10000 / 3.0});
}
END_TEST

// What is hopeless for one service is no reason to give up others: service 0 lacks half even with
// all of type 0, its only one; service 1 has type 1 to itself and lacks nothing.
START_TEST(hopeless_service_alone_lacks)
{
    struct fixture f = {.problem = {.n_types = 2, .n_services = 2},
                        .qps = {10, 0, 0, 10},
                        .price = {1, 0, 0, 1},
                        .load_qps = {200, 100},
                        .available = {10, 10}};
    assert_missing(aim(&f), (double[]){100, 0});
}
END_TEST

// Three services that would do with two thirds of a server each, of which there are two: whole, one
// is left with nothing.
START_TEST(only_split_would_do)
{
    struct fixture f = {.problem = {.n_types = 2, .n_services = 2},
                        .qps = {60, 60, 60, 60},
                        .price = {1, 1, 1, 1},
                        .load_qps = {90, 90},
                        .available = {2, 1}};
    // 180 asked for, 180 there in halves; whole servers leave one with 60 of its 90.
    struct answer a = solve(aim(&f), PROVISION_OPTIMAL);
    ck_assert_int_eq(a.state, PROVISION_IMPOSSIBLE);
    ck_assert_double_eq(a.shortage.missing_qps[0] + a.shortage.missing_qps[1], 30);
    ck_assert_double_eq(a.shortage.missing_qps[0] * a.shortage.missing_qps[1], 0);
    release(&a);
}
END_TEST

// The largest fleet there can be: four thousand million of each of two types, in no time.
START_TEST(largest_fleet)
{
    struct fixture f = {.problem = {.n_types = 2, .n_services = 2},
                        .qps = {1, 1, 2, 2},
                        .price = {1, 1, 1.5, 1.5},
                        .load_qps = {4e9, 5e9},
                        .available = {UINT32_MAX, UINT32_MAX}};
    for (int method = 0; method < N_PROVISION_METHODS; method++) {
        struct answer a = solve(aim(&f), (enum provision_method)method);
        ck_assert_int_eq(a.state, PROVISION_FOUND);
        release(&a);
    }
    f.load_qps[0] = 1e10;
    assert_missing(&f.problem, (double[]){1e10 * (1 - 3 * (double)UINT32_MAX / 1.5e10),
                                          5e9 * (1 - 3 * (double)UINT32_MAX / 1.5e10)});
}
END_TEST

// Numbers of any size: loads of a millionth, servers a million million times larger, prices to
// match.
START_TEST(any_units)
{
    const double units[] = {1e-12, 1e-6, 1, 1e6, 1e12};
    for (size_t q = 0; q < sizeof units / sizeof *units; q++)
        for (size_t p = 0; p < sizeof units / sizeof *units; p++) {
            struct fixture f = random_day(3, 12), scaled = f;
            for (int i = 0; i < MOST_CELLS; i++) {
                scaled.qps[i] *= units[q];
                scaled.price[i] *= units[p];
            }
            for (int m = 0; m < MOST_SERVICES; m++)
                scaled.load_qps[m] *= units[q];
            struct answer a = solve(aim(&f), PROVISION_OPTIMAL);
            struct answer b = solve(aim(&scaled), PROVISION_OPTIMAL);
            ck_assert_int_eq(b.state, PROVISION_FOUND);
            // Both proven to the solver's tolerance of 10^-7.
            ck_assert_double_eq_tol(b.provision.objective / units[p], a.provision.objective,
                                    1e-6 * a.provision.objective);
            release(&a);
            release(&b);
        }
    struct fixture f = {.problem = {.n_types = 2, .n_services = 1},
                        .qps = {1e15, 1e-9},
                        .price = {7, 1},
                        .load_qps = {1e-3},
                        .available = {3, 1000}};
    assert_plan(aim(&f), PROVISION_OPTIMAL, (uint32_t[]){1, 0});
}
END_TEST

// A knapsack known to defeat branch and bound: the load is the largest that the five sizes cannot
// add up to exactly (Aardal and Lenstra, 2004). The search ends at its limit, with a plan no worse
// than greedy's and an honest bound, which is the load itself.
START_TEST(limit_on_nodes)
{
    struct fixture f = {.problem = {.n_types = 5, .n_services = 1},
                        .qps = {12223, 12224, 36674, 61119, 85569},
                        .price = {12223, 12224, 36674, 61119, 85569},
                        .load_qps = {89643481},
                        .available = {9000, 9000, 9000, 9000, 9000}};
    struct answer a = solve(aim(&f), PROVISION_OPTIMAL), greedy = solve(aim(&f), PROVISION_GREEDY);
    ck_assert_int_eq(a.state, PROVISION_FOUND);
    ck_assert(!a.provision.proven);
    ck_assert_double_le(a.provision.objective, greedy.provision.objective);
    ck_assert_double_eq_tol(a.provision.bound, f.load_qps[0], 1);
    ck_assert_double_gt(a.provision.objective, f.load_qps[0]);
    release(&greedy);
    release(&a);
}
END_TEST

// ---- properties ---------------------------------------------------------------------------------

// Any shape and tightness, with holes. Often nearly impossible, which is where rounding hurts.
static struct fixture random_any(uint64_t seed)
{
    uint64_t at = 0;
    struct fixture f = {.problem = {.n_types = 1 + draw(seed, &at, MOST_TYPES),
                                    .n_services = 1 + draw(seed, &at, MOST_SERVICES)}};
    double held_qps[MOST_SERVICES] = {0};
    for (uint32_t h = 0; h < f.problem.n_types; h++) {
        f.available[h] = draw(seed, &at, 4) ? draw(seed, &at, 60) : 0;
        for (uint32_t m = 0; m < f.problem.n_services; m++) {
            uint32_t i = h * f.problem.n_services + m;
            f.qps[i] = draw(seed, &at, 5) ? 0.1 * (1 + draw(seed, &at, 500)) : 0;
            f.price[i] = 0.1 * (1 + draw(seed, &at, 100));
            held_qps[m] += f.qps[i] * f.available[h];
        }
    }
    double tight = 0.3 + 0.01 * draw(seed, &at, 250);
    for (uint32_t m = 0; m < f.problem.n_services; m++)
        f.load_qps[m] = floor(tight * held_qps[m] / f.problem.n_services);
    return f;
}

// What must hold of the answers to any problem.
static void check_any(const struct provision_problem *problem, int *n_states)
{
    struct answer best = solve(problem, PROVISION_OPTIMAL);
    n_states[best.state]++;
    if (best.state == PROVISION_FOUND) {
        ck_assert_double_gt(best.provision.bound, -1e-9);
        ck_assert_double_le(best.provision.bound, best.provision.objective);
        if (best.provision.proven)
            ck_assert_double_eq(best.provision.bound, best.provision.objective);
    }
    if (best.state == PROVISION_IMPOSSIBLE)
        check_shortage(problem, &best);
    for (int method = 0; method < PROVISION_OPTIMAL; method++) {
        struct answer a = solve(problem, (enum provision_method)method);
        ck_assert(isnan(a.provision.bound) || a.state != PROVISION_FOUND);
        if (a.state == PROVISION_FOUND) {
            ck_assert_int_eq(best.state, PROVISION_FOUND);
            ck_assert_double_le(best.provision.objective, a.provision.objective);
            ck_assert_double_ge(a.provision.objective, best.provision.bound);
        }
        ck_assert_int_eq(a.state == PROVISION_IMPOSSIBLE, best.state == PROVISION_IMPOSSIBLE);
        release(&a);
    }
    release(&best);
}

// What is missing is just enough: with so much less asked for, whole servers nearly do (each type
// may be split once per service), and with a little less given up not even split ones.
static void check_least(const struct fixture *f, double given_up, bool possible)
{
    struct fixture less = *f;
    struct answer a = solve(aim(&less), PROVISION_OPTIMAL);
    ck_assert_int_eq(a.state, PROVISION_IMPOSSIBLE);
    for (uint32_t m = 0; m < f->problem.n_services; m++)
        less.load_qps[m] -= given_up * a.shortage.missing_qps[m];
    for (uint32_t h = 0; possible && h < f->problem.n_types; h++)
        less.available[h] += f->problem.n_services;
    release(&a);
    a = solve(aim(&less), PROVISION_OPTIMAL);
    ck_assert_int_eq(a.state, possible ? PROVISION_FOUND : PROVISION_IMPOSSIBLE);
    release(&a);
}

START_TEST(any_problem)
{
    int n_states[N_PROVISION_STATES] = {0};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fixture f = random_any(seed);
        int before = n_states[PROVISION_IMPOSSIBLE];
        check_any(aim(&f), n_states);
        if (n_states[PROVISION_IMPOSSIBLE] > before) {
            check_least(&f, 1 - 1e-9, true);
            check_least(&f, 0.99, false);
        }
    }
    ck_assert_int_ge(n_states[PROVISION_FOUND], 50);
    ck_assert_int_ge(n_states[PROVISION_IMPOSSIBLE], 50);
}
END_TEST

// Asked again, the same to the last server.
START_TEST(same_again)
{
    struct fixture f = random_day(2, 7);
    struct answer a = solve(aim(&f), PROVISION_OPTIMAL), b = solve(&f.problem, PROVISION_OPTIMAL);
    ck_assert_mem_eq(a.provision.n_servers, b.provision.n_servers,
                     MOST_CELLS * sizeof *a.provision.n_servers);
    ck_assert_double_eq(a.provision.bound, b.provision.bound);
    release(&a);
    release(&b);
}
END_TEST

// What was released is empty, and may be released again.
START_TEST(released_twice)
{
    struct fixture f = two_by_two();
    struct answer a = solve(aim(&f), PROVISION_OPTIMAL);
    release(&a);
    ck_assert_ptr_null(a.provision.n_servers);
    release(&a);
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
        {"core", any_problem},
        {"core", same_again},
        {"limits", no_load},
        {"limits", no_servers},
        {"limits", service_nobody_holds},
        {"limits", shortage_is_shared},
        {"limits", hopeless_service_alone_lacks},
        {"limits", only_split_would_do},
        {"limits", largest_fleet},
        {"limits", any_units},
        {"limits", limit_on_nodes},
        {"errors", released_twice},
    };
    return suite_run("provision", tests, sizeof tests / sizeof *tests);
}
