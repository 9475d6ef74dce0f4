// SPDX-License-Identifier: Apache-2.0
#include "cluster/run.h"

#include <sched.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "base/wallclock.h"
#include "cluster/balancer.h"
#include "cluster/exchange_local.h"
#include "cluster/exchange_mpi.h"
#include "cluster/policy.h"
#include "cluster/consensus.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/gather.h"
#include "results/interim.h"

enum {
    // Windows a balancer may advance before the others of its rank get their turn: long enough to
    // stay in cache, short enough that other ranks are fed.
    TURN_WINDOWS = 32,
    // Cells that get a turn before messages and signals are looked at.
    TURN_CELLS = 64,
    // Turns without anything to do before the processor is offered to others.
    IDLE_SPINS = 64
};
#define PROGRESS_EVERY_S 0.1
// How often a rank says what it wants.
#define ROUND_EVERY_S 1e-3
// How often p95 is looked at, and the part of the time that it may take.
#define LOOK_EVERY_S 0.5
#define LOOK_PART 1000

// Everything one rank holds of a run.
struct fleet {
    const struct fleet_config *config;
    const struct run_options *options;
    struct record *record;
    MPI_Comm comm;
    int rank, n_ranks;
    struct layout *layout;
    const struct layout_part *watched; // the part with the server that is; NULL: none
    struct svctab **tabs;              // [group * n_services + service]
    struct svctab **slow_tabs;         // likewise; NULL where no server of the group is slow
    const struct qsize **sizes;        // [service]
    struct qsize **own_sizes;          // [service] made here; NULL where borrowed
    struct server_block **blocks;      // [part]
    struct cpu_job *jobs;              // scratch of all blocks
    struct balancer **balancers;       // [cell]
    struct exchange_local local;
    struct exchange_mpi *mpi; // NULL on one rank
    uint32_t *active;         // cells of this rank that are not done, in any order
    uint32_t n_active, next_active;
    int n_idle; // turns without anything to do
    struct consensus consensus;
    struct interim *interim;            // NULL: nobody asks for p95
    bool looks;                         // a look at it is under way
    size_t n_looked;                    // values of it in the round that is open
    double next_look_s, look_s;         // when the next begins, and what this one has cost
    uint64_t n_queries, n_queries_here; // simulated by all ranks and by this one, a moment ago
    int64_t saved_ns;                   // what was behind all ranks when they stopped
    double next_round_s, next_count_s, next_progress_s;
};

// Free times of cores are int64 nanoseconds, 292 years: a backlog that could come near is no study.
#define LONGEST_BACKLOG_S 1e9

// All queries of a server as they are on average, and one of the largest: what is above that has no
// probability worth naming within the nine times that are left.
static int check_backlog(const struct fleet *fleet, const struct svctab *tab, uint32_t service,
                         const struct group_config *group, struct err *err)
{
    const struct fleet_config *config = fleet->config;
    const struct service_traffic *traffic = &config->services[service].traffic;
    const struct qsize *sizes = fleet->sizes[service];
    uint32_t longest = (uint32_t)traffic->history.max_items; // if any: all as the longest
    double n_servers = 0, mean_ns = 0, most_ns = 0, factor = slow_worst(&group->slow);
    double n_cores = (double)group->platform->cores;
    for (uint32_t g = 0; g < config->n_groups; g++)
        n_servers += config->groups[g].n_servers;
    for (uint32_t items = qsize_min_items(sizes); items <= qsize_max_items(sizes); items++) {
        double work_ns = (double)(tab->history ? svctab_history_work_ns(tab, items, longest)
                                               : tab->work_ns[items]);
        mean_ns += qsize_pmf(sizes, items) * work_ns;
        most_ns = work_ns > most_ns ? work_ns : most_ns;
    }
    double n_queries = arrival_mean_qps(&traffic->arrivals, traffic->rate_qps) / n_servers *
                       simtime_to_s(config->duration_ns);
    double backlog_ns = (n_queries * mean_ns + most_ns) * (1 + tab->cold_extra) * factor / n_cores;
    if (backlog_ns * 1e-9 > LONGEST_BACKLOG_S)
        return err_set(err, ERR_STUDY,
                       "the backlog could exceed %g s of work per core: expected a lower rate, a "
                       "shorter duration or shorter service times",
                       LONGEST_BACKLOG_S);
    return 0;
}

static int create_tabs(struct fleet *fleet, struct err *err)
{
    const struct fleet_config *config = fleet->config;
    size_t n = (size_t)config->n_groups * config->n_services;
    fleet->tabs = mem_calloc(n, sizeof *fleet->tabs);
    fleet->slow_tabs = mem_calloc(n, sizeof *fleet->slow_tabs);
    for (uint32_t g = 0; g < config->n_groups; g++)
        for (uint32_t i = 0; i < config->n_services; i++) {
            const struct group_config *group = &config->groups[g];
            size_t at = (size_t)g * config->n_services + i;
            struct svctab **tab = &fleet->tabs[at];
            uint32_t n_cores = (uint32_t)group->platform->cores;
            struct dispatch_config dispatch = sched_dispatch(group, i);
            *tab = svctab_create_cached(fleet->options->times, &config->services[i], &dispatch,
                                        group->costs[i], n_cores, err);
            if (!*tab || check_backlog(fleet, *tab, i, group, err))
                return err_prefix(err, "group %s, service %s", group->name,
                                  config->services[i].name);
            if (group->slow.frac > 0)
                fleet->slow_tabs[at] = svctab_scaled(*tab, group->slow.factor);
        }
    return 0;
}

static int create_sizes(struct fleet *fleet, struct err *err)
{
    const struct fleet_config *config = fleet->config;
    fleet->sizes = mem_calloc(config->n_services, sizeof(const struct qsize *));
    fleet->own_sizes = mem_calloc(config->n_services, sizeof(struct qsize *));
    for (uint32_t i = 0; i < config->n_services; i++) {
        fleet->sizes[i] = config->sizes ? config->sizes[i] : NULL;
        if (!fleet->sizes[i])
            fleet->sizes[i] = fleet->own_sizes[i] =
                qsize_create(&config->services[i].traffic.sizes, err);
        if (!fleet->sizes[i])
            return err_prefix(err, "service %s: sizes", config->services[i].name);
    }
    return 0;
}

// The part of the layout that holds the server that is watched; NULL: none is.
static const struct layout_part *watched_part(const struct fleet *fleet)
{
    const struct layout *layout = fleet->layout;
    const struct timeline *timeline = fleet->options->timeline;
    for (uint32_t p = 0; timeline && p < layout->n_parts; p++)
        if (timeline->server - layout->parts[p].first_in_fleet < layout->parts[p].n_servers)
            return &layout->parts[p];
    return NULL;
}

static bool is_wanted(const struct fleet *fleet, uint32_t cell)
{
    return !fleet->watched || cell == fleet->watched->cell;
}

static void create_blocks(struct fleet *fleet)
{
    const struct fleet_config *config = fleet->config;
    const struct layout *layout = fleet->layout;
    const struct cpu_kernel *kernel = cpu_kernel_best();
    fleet->blocks = mem_calloc(layout->n_parts, sizeof(struct server_block *));
    fleet->jobs = mem_aligned(64, SERVER_CHUNK * sizeof *fleet->jobs);
    for (uint32_t p = 0; p < layout->n_parts; p++) {
        const struct layout_part *part = &layout->parts[p];
        if (part->rank != fleet->rank || !is_wanted(fleet, part->cell))
            continue;
        size_t row = (size_t)part->group * config->n_services;
        struct server_block_config block = {
            .fleet = config,
            .group = part->group,
            .cell = part->cell,
            .first_in_cell = part->first_in_cell,
            .first_in_fleet = part->first_in_fleet,
            .n_servers = part->n_servers,
            .layout = layout,
            .part = p,
            .tabs = (const struct svctab *const *)fleet->tabs + row,
            .slow_tabs = config->groups[part->group].slow.frac > 0
                             ? (const struct svctab *const *)fleet->slow_tabs + row
                             : NULL,
            .wants_completions = fleet_has_feedback(config),
            .unit = policy_load_unit(&config->balancer),
            .kernel = kernel,
            .record = fleet->record,
            .timeline = part == fleet->watched ? fleet->options->timeline : NULL,
            .jobs = fleet->jobs};
        fleet->blocks[p] = server_block_create(&block);
    }
}

static struct exchange *create_exchange(struct fleet *fleet)
{
    if (fleet->n_ranks == 1) {
        exchange_local_init(&fleet->local, fleet->blocks);
        return &fleet->local.base;
    }
    fleet->mpi = exchange_mpi_create(&(struct exchange_mpi_config){
        fleet->comm, fleet->layout, fleet->blocks, fleet_wants_answers(fleet->config)});
    return exchange_mpi_base(fleet->mpi);
}

static int create_balancers(struct fleet *fleet, struct err *err)
{
    struct exchange *exchange = create_exchange(fleet);
    fleet->balancers = mem_calloc(fleet->layout->n_cells, sizeof(struct balancer *));
    for (uint32_t cell = 0; cell < fleet->layout->n_cells; cell++) {
        struct balancer_setup setup = {.fleet = fleet->config,
                                       .layout = fleet->layout,
                                       .tabs = (const struct svctab *const *)fleet->tabs,
                                       .sizes = fleet->sizes,
                                       .cell = cell,
                                       .exchange = exchange,
                                       .record = fleet->record};
        if (fleet->layout->balancer_rank[cell] != fleet->rank)
            continue;
        if (!is_wanted(fleet, cell))
            continue;
        fleet->balancers[cell] = balancer_create(&setup, err);
        if (!fleet->balancers[cell])
            return -1;
    }
    if (fleet->mpi)
        exchange_mpi_listen(fleet->mpi, fleet->balancers);
    return 0;
}

static int create(struct fleet *fleet, struct err *err)
{
    fleet->layout = layout_create(fleet->config, fleet->n_ranks, fleet->options->layout);
    fleet->watched = watched_part(fleet);
    if (create_sizes(fleet, err) || create_tabs(fleet, err))
        return -1;
    create_blocks(fleet);
    if (create_balancers(fleet, err) < 0)
        return -1;
    return mem_is_short() ? err_set(err, ERR_FAIL,
                                    "out of memory before its first query: expected fewer servers, "
                                    "cells or bins, or more memory")
                          : 0;
}

static void release(struct fleet *fleet)
{
    const struct fleet_config *config = fleet->config;
    for (uint32_t cell = 0; fleet->balancers && cell < fleet->layout->n_cells; cell++)
        balancer_destroy(fleet->balancers[cell]);
    for (uint32_t p = 0; fleet->blocks && p < fleet->layout->n_parts; p++)
        server_block_destroy(fleet->blocks[p]);
    for (size_t i = 0; fleet->tabs && i < (size_t)config->n_groups * config->n_services; i++) {
        svctab_destroy(fleet->tabs[i]);
        svctab_destroy(fleet->slow_tabs[i]);
    }
    for (uint32_t i = 0; i < config->n_services; i++)
        qsize_destroy(fleet->own_sizes[i]);
    mem_free(fleet->own_sizes);
    mem_free(fleet->sizes);
    exchange_mpi_destroy(fleet->mpi);
    layout_destroy(fleet->layout);
    interim_destroy(fleet->interim);
    mem_free(fleet->active);
    mem_free(fleet->balancers);
    mem_free(fleet->blocks);
    mem_free(fleet->jobs);
    mem_free(fleet->tabs);
    mem_free(fleet->slow_tabs);
}

// ---- one turn -----------------------------------------------------------------------------------

// How far the slowest balancer of this rank has come.
static int64_t reached_ns(const struct fleet *fleet)
{
    int64_t least_ns = fleet->config->duration_ns;
    for (uint32_t cell = 0; cell < fleet->layout->n_cells; cell++) {
        if (!fleet->balancers[cell])
            continue;
        int64_t ns = balancer_reached_ns(fleet->balancers[cell]);
        least_ns = ns < least_ns ? ns : least_ns;
    }
    return least_ns;
}

static uint64_t n_recorded(const struct record *record)
{
    uint64_t n = 0;
    size_t n_tallies = (size_t)record->shape.n_bins * record->shape.n_services * N_PATHS;
    for (size_t i = 0; i < n_tallies; i++)
        n +=
            record->tallies[i].n_queries + record->tallies[i].n_lost + record->tallies[i].n_pending;
    return n;
}

static void tell_progress(struct fleet *fleet)
{
    const struct run_options *options = fleet->options;
    if (!options->progress || fleet->rank != 0 || wallclock_s() < fleet->next_progress_s)
        return;
    fleet->next_progress_s = wallclock_s() + PROGRESS_EVERY_S;
    uint64_t n_queries = options->control ? fleet->n_queries : n_recorded(fleet->record);
    options->progress(options->progress_user, reached_ns(fleet), n_queries);
}

// A turn for the next few balancers of this rank that are not done, or until one has passed a
// stride; true when any advanced.
static bool turn(struct fleet *fleet)
{
    bool advanced = false;
    uint32_t n = fleet->n_active < TURN_CELLS ? fleet->n_active : TURN_CELLS;
    enum balancer_state state = BALANCER_ADVANCED;
    for (uint32_t k = 0; k < n && state != BALANCER_PASSED; k++) {
        fleet->next_active = fleet->next_active < fleet->n_active ? fleet->next_active : 0;
        uint32_t *cell = &fleet->active[fleet->next_active];
        state = BALANCER_ADVANCED;
        for (int i = 0; i < TURN_WINDOWS && state == BALANCER_ADVANCED; i++) {
            state = balancer_step(fleet->balancers[*cell]);
            advanced |= state == BALANCER_ADVANCED || state == BALANCER_PASSED;
        }
        if (state == BALANCER_DONE)
            *cell = fleet->active[--fleet->n_active]; // cells are independent: any order will do
        else
            fleet->next_active++;
    }
    return advanced;
}

// Cells that are not wanted are closed at once, for the ranks that wait for that.
static void list_active(struct fleet *fleet)
{
    struct exchange *exchange = fleet->mpi ? exchange_mpi_base(fleet->mpi) : &fleet->local.base;
    fleet->active = mem_calloc(fleet->layout->n_cells, sizeof *fleet->active);
    for (uint32_t cell = 0; cell < fleet->layout->n_cells; cell++)
        if (fleet->balancers[cell])
            fleet->active[fleet->n_active++] = cell;
        else if (fleet->layout->balancer_rank[cell] == fleet->rank)
            exchange->type->close(exchange, cell);
}

static void count_cost(const struct fleet *fleet, double begin_s, struct run_cost *cost)
{
    cost->wall_s = wallclock_s() - begin_s;
    cost->n_queries = n_recorded(fleet->record);
    cost->n_windows = 0;
    for (uint32_t cell = 0; cell < fleet->layout->n_cells; cell++)
        if (fleet->balancers[cell])
            cost->n_windows += balancer_n_windows(fleet->balancers[cell]);
    cost->bytes_sent = fleet->mpi ? exchange_mpi_bytes_sent(fleet->mpi) : 0;
}

// ---- standing still -----------------------------------------------------------------------------

// Handles messages until none is under way between any ranks, which have all stopped stepping:
// that is so when as many have been handled as were sent and a further round finds the same.
static int stand_still(struct fleet *fleet, struct err *err)
{
    int64_t last[2] = {-1, -1}, now[2] = {0};
    while (fleet->mpi) {
        int n_handled;
        exchange_mpi_count(fleet->mpi, &now[0], &now[1]);
        consensus_say(&fleet->consensus, now, 2);
        do {
            if (exchange_mpi_poll(fleet->mpi, &n_handled, err))
                return -1;
            sched_yield();
        } while (!consensus_heard(&fleet->consensus, now));
        if (fleet->consensus.mpi_error != MPI_SUCCESS)
            return mpi_err_check(fleet->consensus.mpi_error, "agree on the end of a run", err);
        if (now[0] == now[1] && now[0] == last[0] && now[1] == last[1])
            break;
        memcpy(last, now, sizeof last);
    }
    while (fleet->mpi && !exchange_mpi_sent(fleet->mpi))
        sched_yield();
    return 0;
}

// Where every cell is: its next arrival, and what is behind all of them.
static int find_times(struct fleet *fleet, int64_t *next_ns, int64_t *reached, struct err *err)
{
    int rc = MPI_SUCCESS, n_cells = (int)fleet->layout->n_cells;
    *reached = reached_ns(fleet);
    for (int cell = 0; cell < n_cells; cell++)
        next_ns[cell] = fleet->balancers[cell] ? balancer_next_ns(fleet->balancers[cell]) : -1;
    if (fleet->n_ranks > 1)
        rc = MPI_Allreduce(MPI_IN_PLACE, next_ns, n_cells, MPI_INT64_T, MPI_MAX, fleet->comm);
    if (fleet->n_ranks > 1 && rc == MPI_SUCCESS)
        rc = MPI_Allreduce(MPI_IN_PLACE, reached, 1, MPI_INT64_T, MPI_MIN, fleet->comm);
    return mpi_err_check(rc, "share how far the cells are", err);
}

static int save(struct fleet *fleet, struct err *err)
{
    int64_t reached = 0, *next_ns = mem_calloc(fleet->layout->n_cells, sizeof *next_ns);
    struct snapshot state = {.layout = fleet->layout,
                             .balancers = fleet->balancers,
                             .blocks = fleet->blocks,
                             .next_ns = next_ns};
    struct run_cost cost = {0};
    const struct run_control *control = fleet->options->control;
    struct record *total = NULL;
    int rc = stand_still(fleet, err);
    if (rc == 0)
        rc = find_times(fleet, next_ns, &reached, err);
    fleet->saved_ns = reached;
    if (rc == 0) {
        snapshot_settle(&state);
        count_cost(fleet, 0, &cost);
        state.n_windows = cost.n_windows;
        state.bytes_sent = cost.bytes_sent;
        rc = gather_record(fleet->comm, fleet->record, &total, err);
        state.total = total;
    }
    if (rc == 0)
        rc = control->save(control->user, &state, reached, err);
    record_destroy(total);
    mem_free(next_ns);
    return rc;
}

static int load(struct fleet *fleet, struct err *err)
{
    const struct run_control *control = fleet->options->control;
    struct snapshot state = {.layout = fleet->layout,
                             .balancers = fleet->balancers,
                             .blocks = fleet->blocks,
                             .record = fleet->rank == 0 ? fleet->record : NULL};
    if (!control || !control->load)
        return 0;
    int rc = control->load(control->user, &state, err);
    return err_agree(fleet->comm, rc == 0 ? snapshot_taken(&state, err) : -1, err);
}

// A rank whose reserve is in use lets all others know, and they leave together: what one asked for
// beyond it would end the program, and who waits for that rank would wait for ever.
static int give_up(struct fleet *fleet, struct err *err)
{
    if (stand_still(fleet, err) < 0)
        return -1;
    return err_set(err, ERR_FAIL,
                   "out of memory at %.6g s of %.6g s: expected a load that the fleet holds, fewer "
                   "servers, cells or bins, or more memory",
                   simtime_to_s(reached_ns(fleet)), simtime_to_s(fleet->config->duration_ns));
}

// ---- the loop -----------------------------------------------------------------------------------

// What the ranks decided in a round.
struct decision {
    enum run_wish wish;
    bool all_done, is_short; // of memory
};

// What a rank says in a round; results are the sums.
enum says { SAYS_SAVE, SAYS_STOP, SAYS_NOT_DONE, SAYS_QUERIES, SAYS_SHORT, SAYS_LOOK, N_SAYS };
_Static_assert((int)N_SAYS + (int)INTERIM_VALUES <= CONSENSUS_VALUES, "all that is said has room");

// Rank 0's clock begins a look at p95, whose rounds go along with those of the run. It may not cost
// more than its part of the time, however many bins and services there are.
static size_t say_look(struct fleet *fleet, double now_s, int64_t *values)
{
    if (!fleet->looks)
        return 0;
    size_t n = interim_say(fleet->interim, reached_ns(fleet), values);
    fleet->look_s += wallclock_s() - now_s;
    return n;
}

static void hear_look(struct fleet *fleet, const int64_t *values)
{
    if (!interim_hear(fleet->interim, values))
        return;
    double now_s = wallclock_s(), pause_s = LOOK_PART * fleet->look_s;
    fleet->next_look_s = now_s + (pause_s > LOOK_EVERY_S ? pause_s : LOOK_EVERY_S);
    fleet->look_s = 0;
    fleet->looks = false;
    if (fleet->rank == 0)
        *fleet->options->p95_s = interim_p95_s(fleet->interim);
}

static void say(struct fleet *fleet, bool done, double now_s, int64_t values[CONSENSUS_VALUES])
{
    enum run_wish wish = fleet->options->control->wish(fleet->options->control->user);
    if (now_s >= fleet->next_count_s) { // looks at every tally
        fleet->next_count_s = now_s + PROGRESS_EVERY_S;
        fleet->n_queries_here = n_recorded(fleet->record);
    }
    values[SAYS_SAVE] = wish == RUN_SAVE;
    values[SAYS_STOP] = wish == RUN_SAVE_AND_STOP;
    values[SAYS_NOT_DONE] = !done;
    values[SAYS_QUERIES] = (int64_t)fleet->n_queries_here;
    values[SAYS_SHORT] = mem_is_short();
    values[SAYS_LOOK] = fleet->interim && fleet->rank == 0 && now_s >= fleet->next_look_s;
    fleet->n_looked = say_look(fleet, now_s, values + N_SAYS);
    fleet->next_round_s = now_s + ROUND_EVERY_S;
    if (fleet->n_ranks > 1)
        consensus_say(&fleet->consensus, values, N_SAYS + fleet->n_looked);
}

// Speaks when it is time to, hears when all have; true when a round has just ended. A rank alone
// agrees with itself.
static bool decide(struct fleet *fleet, bool done, struct decision *decision)
{
    int64_t values[CONSENSUS_VALUES];
    double now_s = wallclock_s();
    if (!fleet->consensus.open && (done || now_s >= fleet->next_round_s))
        say(fleet, done, now_s, values);
    else if (fleet->n_ranks == 1)
        return false;
    if (fleet->n_ranks > 1 && !consensus_heard(&fleet->consensus, values))
        return false;
    fleet->n_queries = (uint64_t)values[SAYS_QUERIES];
    decision->wish = values[SAYS_STOP]   ? RUN_SAVE_AND_STOP
                     : values[SAYS_SAVE] ? RUN_SAVE
                                         : RUN_GO_ON;
    decision->all_done = values[SAYS_NOT_DONE] == 0;
    decision->is_short = values[SAYS_SHORT] > 0;
    if (fleet->n_looked > 0)
        hear_look(fleet, values + N_SAYS);
    else
        fleet->looks = values[SAYS_LOOK] > 0;
    return true;
}

// One round of work; *done: nothing is left to do here, unless a message comes.
static int advance(struct fleet *fleet, bool *done, struct err *err)
{
    int n_handled = 0;
    bool advanced = turn(fleet);
    if (fleet->mpi && exchange_mpi_poll(fleet->mpi, &n_handled, err))
        return -1;
    *done =
        fleet->n_active == 0 && (!fleet->mpi || (n_handled == 0 && exchange_mpi_idle(fleet->mpi)));
    fleet->n_idle = advanced || n_handled ? 0 : fleet->n_idle + 1;
    if (fleet->n_idle > IDLE_SPINS)
        sched_yield(); // more ranks than cores: let the one we wait for run
    tell_progress(fleet);
    return 0;
}

// To the end, or until all agree to stop. Without control nobody has to agree: a rank that has
// nothing left to do leaves.
static int loop(struct fleet *fleet, bool *stopped, struct err *err)
{
    for (;;) {
        bool done;
        struct decision decision;
        if (advance(fleet, &done, err) < 0)
            return -1;
        if (!fleet->options->control) {
            if (done)
                return 0;
            continue;
        }
        if (!decide(fleet, done, &decision))
            continue;
        if (fleet->consensus.mpi_error != MPI_SUCCESS)
            return mpi_err_check(fleet->consensus.mpi_error, "agree on the end of a run", err);
        if (decision.all_done)
            return 0;
        if (decision.is_short)
            return give_up(fleet, err);
        if (decision.wish != RUN_GO_ON && save(fleet, err) < 0)
            return -1;
        *stopped = decision.wish == RUN_SAVE_AND_STOP;
        if (*stopped)
            return 0;
    }
}

int run_fleet(MPI_Comm comm, const struct fleet_config *config, const struct run_options *options,
              struct record *record, struct run_cost *cost, struct err *err)
{
    struct fleet fleet = {.config = config, .options = options, .record = record};
    MPI_Comm_dup(comm, &fleet.comm);
    MPI_Comm_set_errhandler(fleet.comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(fleet.comm, &fleet.rank);
    MPI_Comm_size(fleet.comm, &fleet.n_ranks);
    fleet.consensus = consensus_start(fleet.comm);
    mem_hold_reserve();
    int rc = err_agree(fleet.comm, create(&fleet, err), err);
    if (rc == 0)
        rc = load(&fleet, err);
    if (rc == 0) {
        double begin_s = wallclock_s();
        cost->stopped = false;
        if (options->p95_s && options->control) {
            *options->p95_s = ci_none();
            fleet.interim = interim_create(record, (uint32_t)fleet.n_ranks);
            fleet.next_look_s = begin_s + LOOK_EVERY_S;
        }
        list_active(&fleet);
        rc = loop(&fleet, &cost->stopped, err);
        // What a stopped run has not come to may take hours.
        bool ended = !cost->stopped || fleet.saved_ns >= config->duration_ns;
        for (uint32_t p = 0; ended && p < fleet.layout->n_parts; p++)
            if (fleet.blocks[p])
                server_block_finish(fleet.blocks[p]);
        count_cost(&fleet, begin_s, cost);
        rc = err_agree(fleet.comm, rc, err);
    }
    release(&fleet);
    mem_release_reserve();
    MPI_Comm_free(&fleet.comm);
    return rc;
}
