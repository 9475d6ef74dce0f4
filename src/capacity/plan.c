// SPDX-License-Identifier: Apache-2.0
#include "capacity/plan.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_rows.h"
#include "search/dayplan.h"
#include "traces/daycurve.h"

// What plans of one scheduler are made of. Its arrays of numbers lie one behind the other, from qps
// on, which owns them.
struct book {
    const struct study *study;
    const struct capacity_result *answer;
    uint32_t n_types, n_services, n_intervals;
    const struct capacity_tuple *tuples; // [type][service]
    double *qps, *price;                 // [type][service]
    double *load_qps, *most_qps;         // [interval][service] at peak; [service] of the whole day
    double *intensity;                   // [interval], grams per kWh; NaN without a curve
    bool counts_embodied;                // in the objective: some type has embodied carbon
    struct dayplan_config day;
    double hours; // of an interval
};

// One plan of the day. Counts lie one behind the other from `assigned` on, and costs before bounds:
// these two own them.
struct draft {
    bool found;
    uint32_t *assigned;     // [interval][type][service]
    uint32_t *on, *started; // [interval][type]
    double *cost;           // [interval] objective of what is assigned
    double *bound;          // [interval]; NaN: none
    double total;           // objective over the day
};

// Where the worst shortage is.
struct shortage {
    bool any;
    uint32_t interval, service;
    double missing_qps, frac; // frac: of what was asked for
};

// ---- the book -----------------------------------------------------------------------------------

const char *plan_objective_unit(int objective)
{
    static const char *const units[] = {[OBJECTIVE_SERVERS] = "1",
                                        [OBJECTIVE_POWER] = "W",
                                        [OBJECTIVE_COST] = "USD h-1",
                                        [OBJECTIVE_CARBON] = "g h-1"};
    return units[objective];
}

double plan_carbon_g_per_kwh(const struct study_capacity *capacity, uint32_t interval)
{
    const struct reals *curve = &capacity->carbon_g_per_kwh;
    if (curve->n == 0)
        return NAN;
    return daycurve_mean(curve, interval * capacity->interval_s / capacity->day_s,
                         (interval + 1) * capacity->interval_s / capacity->day_s);
}

double plan_embodied_g_per_h(const struct study_group *group)
{
    const struct platform *platform = &group->platform;
    double g_per_h = platform_embodied_g_per_h(&platform->embodied);
    return platform->has_accelerator
               ? g_per_h + platform_embodied_g_per_h(&platform->accelerator.embodied)
               : g_per_h;
}

// Of one server that serves that service. Where carbon is counted, watts: inside an interval, whose
// intensity is one number, the least of one is the least of the other; prices_at() adds what is
// embodied.
static double price_of(const struct book *book, uint32_t type, const struct capacity_tuple *tuple)
{
    switch (book->study->capacity.objective) {
    case OBJECTIVE_SERVERS:
        return 1;
    case OBJECTIVE_COST:
        return book->study->groups[type].price_usd_per_h;
    default:
        return tuple->at_qps.power_w;
    }
}

static void open_book(struct book *book, const struct study *study,
                      const struct capacity_result *answer, uint32_t scheduler)
{
    const struct study_capacity *capacity = &study->capacity;
    uint32_t n_types = answer->n_types, n_services = answer->n_services;
    size_t n_pairs = (size_t)n_types * n_services;
    *book = (struct book){.study = study,
                          .answer = answer,
                          .n_types = n_types,
                          .n_services = n_services,
                          .n_intervals = answer->n_intervals,
                          .tuples = answer->tuples + scheduler * n_pairs,
                          .hours = capacity->interval_s / CAPACITY_S_PER_H};
    book->day = (struct dayplan_config){answer->n_intervals, n_types, capacity->interval_s,
                                        capacity->startup_s, capacity->min_on_s};
    book->qps =
        mem_calloc(2 * n_pairs + n_services + (size_t)answer->n_intervals * (n_services + 1),
                   sizeof *book->qps);
    book->price = book->qps + n_pairs;
    book->most_qps = book->price + n_pairs;
    book->intensity = book->most_qps + n_services;
    book->load_qps = book->intensity + answer->n_intervals;
    for (size_t pair = 0; pair < n_pairs; pair++) {
        const struct capacity_tuple *tuple = &book->tuples[pair];
        book->qps[pair] = tuple->state == CAPACITY_FOUND ? tuple->qps : 0;
        book->price[pair] = price_of(book, (uint32_t)(pair / n_services), tuple);
    }
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        for (uint32_t m = 0; m < n_services; m++) {
            size_t at = (size_t)i * n_services + m;
            book->load_qps[at] = answer->demand[at].peak_qps;
            book->most_qps[m] = fmax(book->most_qps[m], book->load_qps[at]);
        }
        book->intensity[i] = plan_carbon_g_per_kwh(capacity, i);
    }
    for (uint32_t h = 0; h < n_types && capacity->objective == OBJECTIVE_CARBON; h++)
        book->counts_embodied |= plan_embodied_g_per_h(&study->groups[h]) > 0;
}

// The prices of a moment of that intensity; caller mem_free()s.
static double *prices_at(const struct book *book, double g_per_kwh)
{
    size_t n_pairs = (size_t)book->n_types * book->n_services;
    double *price = mem_calloc(n_pairs, sizeof *price);
    memcpy(price, book->price, n_pairs * sizeof *price);
    for (size_t pair = 0; book->counts_embodied && pair < n_pairs; pair++)
        price[pair] = price[pair] / 1000 * g_per_kwh +
                      plan_embodied_g_per_h(&book->study->groups[pair / book->n_services]);
    return price;
}

static double mean_intensity(const struct book *book)
{
    double sum = 0;
    for (uint32_t i = 0; i < book->n_intervals; i++)
        sum += book->intensity[i];
    return sum / book->n_intervals;
}

// Servers on over all intervals and types: so many rows has an assignment.
static size_t n_rows(const struct book *book)
{
    return (size_t)book->n_intervals * book->n_types;
}

static struct draft new_draft(const struct book *book)
{
    size_t n = n_rows(book);
    struct draft draft = {.total = NAN};
    draft.assigned = mem_calloc(n * (book->n_services + 2), sizeof *draft.assigned);
    draft.on = draft.assigned + n * book->n_services;
    draft.started = draft.on + n;
    draft.cost = mem_calloc(2 * (size_t)book->n_intervals, sizeof *draft.cost);
    draft.bound = draft.cost + book->n_intervals;
    for (uint32_t i = 0; i < book->n_intervals; i++)
        draft.bound[i] = NAN; // a plan taken from another method brings none
    return draft;
}

static void drop_draft(struct draft *draft)
{
    mem_free(draft->assigned);
    mem_free(draft->cost);
}

// All but the bounds, which are of the method that found them.
static void copy_draft(const struct book *book, struct draft *to, const struct draft *from)
{
    memcpy(to->assigned, from->assigned,
           n_rows(book) * (book->n_services + 2) * sizeof *to->assigned);
    memcpy(to->cost, from->cost, book->n_intervals * sizeof *to->cost);
    to->found = from->found;
    to->total = from->total;
}

// ---- what a plan costs --------------------------------------------------------------------------

static const uint32_t *assigned_at(const struct book *book, const struct draft *draft, uint32_t i)
{
    return draft->assigned + (size_t)i * book->n_types * book->n_services;
}

static uint32_t in_use(const struct book *book, const uint32_t *assigned, uint32_t type)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < book->n_services; m++)
        n += assigned[(size_t)type * book->n_services + m];
    return n;
}

static double idle_w(const struct book *book, uint32_t type)
{
    return book->tuples[(size_t)type * book->n_services].idle_w;
}

static double planned_w(const struct book *book, const struct draft *draft, uint32_t i)
{
    const uint32_t *assigned = assigned_at(book, draft, i);
    const uint32_t *on = draft->on + (size_t)i * book->n_types;
    double sum = 0;
    for (uint32_t h = 0; h < book->n_types; h++) {
        sum += (on[h] - in_use(book, assigned, h)) * idle_w(book, h);
        for (uint32_t m = 0; m < book->n_services; m++) {
            size_t at = (size_t)h * book->n_services + m;
            if (assigned[at] > 0)
                sum += assigned[at] * book->tuples[at].at_qps.power_w;
        }
    }
    return sum;
}

enum weight { WEIGHT_ONE, WEIGHT_PRICE, WEIGHT_EMBODIED };

static double weight_of(const struct study_group *group, enum weight weight)
{
    double price = group->price_usd_per_h;
    return weight == WEIGHT_ONE        ? 1
           : weight == WEIGHT_EMBODIED ? plan_embodied_g_per_h(group)
           : price > 0                 ? price
                                       : (double)NAN;
}

// Servers that are on, and those that start, each with a weight; NaN where a weight is missing.
static double weighed(const struct book *book, const uint32_t *n, uint32_t i, enum weight weight)
{
    double sum = 0;
    for (uint32_t h = 0; h < book->n_types; h++) {
        uint32_t servers = n[(size_t)i * book->n_types + h];
        if (servers > 0)
            sum += servers * weight_of(&book->study->groups[h], weight);
    }
    return sum;
}

// On for the interval and starting before it, in weight times hours.
static double weighed_h(const struct book *book, const struct draft *draft, uint32_t i,
                        enum weight weight)
{
    return weighed(book, draft->on, i, weight) * book->hours +
           weighed(book, draft->started, i, weight) * book->day.startup_s / CAPACITY_S_PER_H;
}

// With what the servers that start for the interval take before it.
static double interval_wh(const struct book *book, const struct draft *draft, uint32_t i)
{
    double starting_w = 0;
    for (uint32_t h = 0; h < book->n_types; h++)
        starting_w += draft->started[(size_t)i * book->n_types + h] * idle_w(book, h);
    return planned_w(book, draft, i) * book->hours +
           starting_w * book->day.startup_s / CAPACITY_S_PER_H;
}

// Its part of the day's objective, in the objective's unit times hours.
static double interval_total(const struct book *book, const struct draft *draft, uint32_t i)
{
    switch (book->study->capacity.objective) {
    case OBJECTIVE_SERVERS:
        return weighed_h(book, draft, i, WEIGHT_ONE);
    case OBJECTIVE_COST:
        return weighed_h(book, draft, i, WEIGHT_PRICE);
    case OBJECTIVE_POWER:
        return interval_wh(book, draft, i);
    default:
        return interval_wh(book, draft, i) / 1000 * book->intensity[i] +
               weighed_h(book, draft, i, WEIGHT_EMBODIED);
    }
}

// From what is assigned to what is on, which the minimum on-time may make more, and to the day's
// objective.
static void account(const struct book *book, struct draft *draft, enum dayplan_strategy strategy)
{
    uint32_t *needed = mem_calloc(n_rows(book), sizeof *needed);
    for (uint32_t i = 0; i < book->n_intervals; i++)
        for (uint32_t h = 0; h < book->n_types; h++)
            needed[(size_t)i * book->n_types + h] = in_use(book, assigned_at(book, draft, i), h);
    dayplan_fill(&book->day, strategy, needed, draft->on, draft->started);
    mem_free(needed);
    draft->total = 0;
    for (uint32_t i = 0; i < book->n_intervals; i++)
        draft->total += interval_total(book, draft, i);
    draft->found = true;
}

// ---- one interval -------------------------------------------------------------------------------

static void note_shortage(const struct book *book, const double *load_qps, uint32_t interval,
                          const double *missing_qps, struct shortage *worst)
{
    double all = 0, asked = 0, most = -1;
    uint32_t service = 0;
    for (uint32_t m = 0; m < book->n_services; m++) {
        all += missing_qps[m];
        asked += load_qps[m] * (1 + book->study->capacity.headroom_frac);
        if (missing_qps[m] > most) {
            most = missing_qps[m];
            service = m;
        }
    }
    if (worst->any && all / asked <= worst->frac)
        return;
    *worst = (struct shortage){true, interval, service, most, all / asked};
}

// How a plan is looked for, from which servers.
struct supply {
    enum provision_method method;
    const uint32_t *available;     // [type]
    const struct provision *spare; // where the method finds no plan; NULL: none
};

// Who asks for how much, for a solution of one moment.
struct moment {
    const double *load_qps; // [service]
    uint32_t interval;      // for a message
    double g_per_kwh;
    enum provision_state state;
    struct provision found; // where state is PROVISION_FOUND; provision_release()
};

// A plan for the moment, or none. `worst` may be NULL.
static int solve(const struct book *book, const struct supply *supply, struct moment *moment,
                 struct shortage *worst, struct err *err)
{
    double *price = prices_at(book, moment->g_per_kwh);
    const struct provision_problem problem = {
        .n_types = book->n_types,
        .n_services = book->n_services,
        .qps = book->qps,
        .price = price,
        .load_qps = moment->load_qps,
        .available = supply->available,
        .headroom_frac = book->study->capacity.headroom_frac,
    };
    struct provision_shortage shortage;
    int rc =
        provision_solve(&problem, supply->method, &moment->state, &moment->found, &shortage, err);
    mem_free(price);
    if (rc < 0)
        return -1;
    if (moment->state == PROVISION_IMPOSSIBLE && worst)
        note_shortage(book, moment->load_qps, moment->interval, shortage.missing_qps, worst);
    provision_release_shortage(&shortage);
    return 0;
}

// Grams per hour from watts, where these stand for them.
static double in_unit(const struct book *book, double objective, uint32_t i)
{
    bool carbon = book->study->capacity.objective == OBJECTIVE_CARBON && !book->counts_embodied;
    return carbon ? objective / 1000 * book->intensity[i] : objective;
}

static void put_interval(const struct book *book, struct draft *draft, uint32_t i,
                         const struct provision *found)
{
    size_t n_pairs = (size_t)book->n_types * book->n_services;
    memcpy(draft->assigned + i * n_pairs, found->n_servers, n_pairs * sizeof *draft->assigned);
    draft->cost[i] = in_unit(book, found->objective, i);
    draft->bound[i] = in_unit(book, found->bound, i);
}

// Every interval from one supply.
static int solve_day(const struct book *book, const struct supply *supply, struct draft *draft,
                     struct shortage *worst, struct err *err)
{
    bool all = true;
    for (uint32_t i = 0; i < book->n_intervals; i++) {
        struct moment moment = {.load_qps = book->load_qps + (size_t)i * book->n_services,
                                .interval = i,
                                .g_per_kwh = book->intensity[i]};
        if (solve(book, supply, &moment, worst, err) < 0)
            return -1;
        if (moment.state == PROVISION_FOUND)
            put_interval(book, draft, i, &moment.found);
        else if (supply->spare)
            put_interval(book, draft, i, supply->spare);
        else
            all = false;
        provision_release(&moment.found);
    }
    draft->found = all;
    return 0;
}

// ---- one method ---------------------------------------------------------------------------------

// The servers of a plan for all peaks at once, and each interval's own from these.
static int draft_pool(const struct book *book, enum provision_method method, struct draft *draft,
                      struct err *err)
{
    const struct supply all = {method, book->answer->available, NULL};
    struct moment peak = {.load_qps = book->most_qps, .g_per_kwh = mean_intensity(book)};
    int rc = solve(book, &all, &peak, NULL, err);
    if (rc == 0 && peak.state == PROVISION_FOUND) {
        uint32_t *pool = mem_calloc(book->n_types, sizeof *pool);
        for (uint32_t h = 0; h < book->n_types; h++)
            pool[h] = in_use(book, peak.found.n_servers, h);
        // The plan for all peaks serves every interval.
        const struct supply own = {method, pool, &peak.found};
        rc = solve_day(book, &own, draft, NULL, err);
        mem_free(pool);
    }
    provision_release(&peak.found);
    return rc;
}

// Both strategies of one method; drafts[N_DAYPLAN_STRATEGIES] are there. They start from the same
// plans of the intervals, which are solved once.
static int draft_method(const struct book *book, enum provision_method method, struct draft *drafts,
                        struct shortage *worst, struct err *err)
{
    struct draft *follow = &drafts[DAYPLAN_FOLLOW], *peak = &drafts[DAYPLAN_PEAK];
    const struct supply all = {method, book->answer->available, NULL};
    struct draft pool = new_draft(book);
    int rc = solve_day(book, &all, follow, worst, err);
    if (rc == 0 && follow->found) {
        copy_draft(book, peak, follow);
        // What no plan of the interval is below holds for any provisioning.
        memcpy(peak->bound, follow->bound, book->n_intervals * sizeof *peak->bound);
        account(book, follow, DAYPLAN_FOLLOW);
        account(book, peak, DAYPLAN_PEAK);
        rc = draft_pool(book, method, &pool, err);
        if (rc == 0 && pool.found) {
            account(book, &pool, DAYPLAN_PEAK);
            if (pool.total < peak->total)
                copy_draft(book, peak, &pool);
        }
    }
    drop_draft(&pool);
    return rc;
}

// ---- into the answer ----------------------------------------------------------------------------

static struct capacity_step step_of(const struct book *book, const struct draft *draft, uint32_t i)
{
    struct capacity_step step = {0};
    for (uint32_t h = 0; h < book->n_types; h++) {
        step.n_on += draft->on[(size_t)i * book->n_types + h];
        step.n_started += draft->started[(size_t)i * book->n_types + h];
    }
    step.objective = draft->cost[i];
    step.bound = draft->bound[i];
    step.planned_w = planned_w(book, draft, i);
    step.simulated_w = NAN;
    step.cost_usd_per_h = weighed(book, draft->on, i, WEIGHT_PRICE);
    step.carbon_g_per_h = step.planned_w / 1000 * book->intensity[i];
    step.embodied_g_per_h = weighed(book, draft->on, i, WEIGHT_EMBODIED);
    return step;
}

static struct capacity_total total_of(const struct book *book, const struct draft *draft)
{
    struct capacity_total total = {
        .state = CAPACITY_FOUND, .simulated_kwh = NAN, .margin_cost_usd = NAN};
    for (uint32_t h = 0; h < book->n_types; h++) {
        struct dayplan_time time = dayplan_time(&book->day, draft->on, draft->started, h);
        total.server_h += time.on_s / CAPACITY_S_PER_H;
        total.starting_h += time.starting_s / CAPACITY_S_PER_H;
    }
    for (uint32_t i = 0; i < book->n_intervals; i++) {
        uint32_t n_on = (uint32_t)weighed(book, draft->on, i, WEIGHT_ONE);
        double wh = interval_wh(book, draft, i);
        total.peak_servers = n_on > total.peak_servers ? n_on : total.peak_servers;
        total.planned_kwh += wh / 1000;
        total.cost_usd += weighed_h(book, draft, i, WEIGHT_PRICE);
        total.embodied_kg += weighed_h(book, draft, i, WEIGHT_EMBODIED) / 1000;
        total.carbon_kg += wh / 1000 * book->intensity[i] / 1000;
    }
    total.objective = draft->total;
    return total;
}

static void publish(const struct book *book, const struct draft *draft,
                    struct capacity_result *answer, size_t at)
{
    size_t n_on = n_rows(book);
    if (!draft->found) {
        answer->totals[at].state = CAPACITY_BEYOND;
        return;
    }
    memcpy(answer->n_assigned + at * n_on * book->n_services, draft->assigned,
           n_on * book->n_services * sizeof *draft->assigned);
    memcpy(answer->n_on + at * n_on, draft->on, n_on * sizeof *draft->on);
    for (uint32_t i = 0; i < book->n_intervals; i++)
        answer->steps[at * book->n_intervals + i] = step_of(book, draft, i);
    answer->totals[at] = total_of(book, draft);
}

static void publish_margin(const struct book *book, const struct draft *draft,
                           struct capacity_result *answer, size_t at)
{
    if (!draft->found)
        return;
    const struct capacity_total total = total_of(book, draft);
    answer->totals[at].margin_servers = total.peak_servers;
    answer->totals[at].margin_cost_usd = total.cost_usd;
}

static int place_of(const char *name, const char *const *names)
{
    int i = 0;
    while (names[i] && strcmp(names[i], name) != 0)
        i++;
    assert(names[i]); // the study's reader knows them
    return i;
}

static bool is_asked(const struct capacity_result *answer, int method)
{
    for (uint32_t a = 0; a < answer->n_allocations; a++) {
        int asked = place_of(answer->allocations[a], provision_method_names);
        if (asked == method || asked == PROVISION_OPTIMAL)
            return true;
    }
    return false;
}

// The optimal day is no dearer than the others'.
static bool improve(const struct book *book,
                    struct draft drafts[N_PROVISION_METHODS][N_DAYPLAN_STRATEGIES])
{
    bool borrowed = false;
    for (int p = 0; p < N_DAYPLAN_STRATEGIES; p++) {
        struct draft *best = &drafts[PROVISION_OPTIMAL][p];
        for (int m = 0; m < PROVISION_OPTIMAL; m++) {
            const struct draft *other = &drafts[m][p];
            if (!other->found || (best->found && best->total <= other->total))
                continue;
            copy_draft(book, best, other);
            borrowed = true;
        }
    }
    return borrowed;
}

static void say_shortage(const struct book *book, const struct shortage *worst, char *text,
                         size_t size)
{
    if (!worst->any) {
        snprintf(text, size, "no allocation found a plan for every interval of the day");
        return;
    }
    size_t at = (size_t)worst->interval * book->n_services + worst->service;
    double asked_qps = book->load_qps[at] * (1 + book->study->capacity.headroom_frac);
    int digits = asked_qps < 1000 ? 1 : 0;
    char *time = capacity_rows_time(book->answer, worst->interval);
    snprintf(text, size,
             "no fleet of these servers can meet the demand: service \"%.60s\" lacks %.*f qps of "
             "%.*f qps (headroom included) in the interval at %s (the worst of the day)",
             book->study->services[worst->service].name, digits, worst->missing_qps, digits,
             asked_qps, time);
    mem_free(time);
}

static int draft_all(const struct book *book,
                     struct draft drafts[N_PROVISION_METHODS][N_DAYPLAN_STRATEGIES],
                     struct plan_outcome *outcome, struct err *err)
{
    struct shortage worst = {.any = false};
    for (int m = 0; m < N_PROVISION_METHODS; m++)
        if (is_asked(book->answer, m) &&
            draft_method(book, (enum provision_method)m, drafts[m], &worst, err) < 0)
            return -1;
    outcome->borrowed = is_asked(book->answer, PROVISION_OPTIMAL) && improve(book, drafts);
    for (int m = 0; m < N_PROVISION_METHODS; m++)
        outcome->possible |= drafts[m][DAYPLAN_FOLLOW].found;
    if (!outcome->possible)
        say_shortage(book, &worst, outcome->text, sizeof outcome->text);
    return 0;
}

// Where a plan's books go.
typedef void (*publish_fn)(const struct book *book, const struct draft *draft,
                           struct capacity_result *answer, size_t at);

static int fill(const struct study *study, struct capacity_result *answer, uint32_t scheduler,
                publish_fn put, struct plan_outcome *outcome, struct err *err)
{
    struct book book;
    struct draft drafts[N_PROVISION_METHODS][N_DAYPLAN_STRATEGIES];
    open_book(&book, study, answer, scheduler);
    for (int m = 0; m < N_PROVISION_METHODS; m++)
        for (int p = 0; p < N_DAYPLAN_STRATEGIES; p++)
            drafts[m][p] = new_draft(&book);
    *outcome = (struct plan_outcome){.possible = false};
    int rc = draft_all(&book, drafts, outcome, err);
    for (uint32_t a = 0; rc == 0 && a < answer->n_allocations; a++)
        for (uint32_t p = 0; p < answer->n_provisionings; p++)
            put(&book,
                &drafts[place_of(answer->allocations[a], provision_method_names)]
                       [place_of(answer->provisionings[p], dayplan_strategy_names)],
                answer, capacity_result_plan_at(answer, scheduler, a, p));
    for (int m = 0; m < N_PROVISION_METHODS; m++)
        for (int p = 0; p < N_DAYPLAN_STRATEGIES; p++)
            drop_draft(&drafts[m][p]);
    mem_free(book.qps);
    return rc;
}

// Planned twice: as asked, and with the margin on top, of which only the number of servers and the
// cost are kept.
int plan_fill(const struct study *study, struct capacity_result *answer, uint32_t scheduler,
              struct plan_outcome *outcome, struct err *err)
{
    struct study more = *study;
    struct study_capacity *capacity = &more.capacity;
    struct plan_outcome ignored;
    capacity->headroom_frac = (1 + capacity->headroom_frac) * (1 + capacity->margin_frac) - 1;
    if (fill(study, answer, scheduler, publish, outcome, err) < 0)
        return -1;
    return capacity->margin_frac > 0 ? fill(&more, answer, scheduler, publish_margin, &ignored, err)
                                     : 0;
}
