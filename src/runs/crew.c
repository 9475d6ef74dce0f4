// SPDX-License-Identifier: Apache-2.0
#include "runs/crew.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs/checkpointing.h"
#include "base/mem.h"
#include "par/agree.h"
#include "par/mpi_err.h"

struct crew {
    MPI_Comm comm;            // of the crew
    int rank, n_ranks, n_all; // in the crew; ranks of all crews
    uint32_t n_crews, index;
    MPI_Comm *teams;   // [n_ranks + 1]: the crew cut into so many teams, made when first asked for
    struct memo *memo; // of what its searches measure; NULL: none
    struct crew_work work; // of this rank
    crew_watch_fn watch;   // NULL: nobody
    void *user;
    int n_teams; // that the tasks of the round under way are dealt out over; 0: no round
};

// Which of n parts a rank is in; parts are as even as can be, each of neighbouring ranks.
static int part_of(int rank, int n_ranks, int n_parts)
{
    return (int)((int64_t)rank * n_parts / n_ranks);
}

// The lowest rank of team t when n_ranks are cut into n_teams.
static int first_of(int team, int n_ranks, int n_teams)
{
    int rank = 0;
    while (part_of(rank, n_ranks, n_teams) < team)
        rank++;
    return rank;
}

struct crew *crew_create(MPI_Comm comm, uint32_t n_units, struct err *err)
{
    int rank, n_ranks;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &n_ranks);
    struct crew *crew = mem_calloc(1, sizeof *crew);
    // Neighbouring ranks are mostly on one node, so a crew talks over few networks.
    crew->n_all = n_ranks;
    crew->n_crews = n_units < (uint32_t)n_ranks ? n_units : (uint32_t)n_ranks;
    crew->index = (uint32_t)part_of(rank, n_ranks, (int)crew->n_crews);
    int rc = MPI_Comm_split(comm, (int)crew->index, rank, &crew->comm);
    if (mpi_err_check(rc, "split the ranks into crews", err) < 0) {
        mem_free(crew);
        return NULL;
    }
    MPI_Comm_set_errhandler(crew->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(crew->comm, &crew->rank);
    MPI_Comm_size(crew->comm, &crew->n_ranks);
    crew->teams = mem_calloc((size_t)crew->n_ranks + 1, sizeof *crew->teams);
    for (int i = 0; i <= crew->n_ranks; i++)
        crew->teams[i] = MPI_COMM_NULL;
    crew_begin(crew);
    return crew;
}

void crew_destroy(struct crew *crew)
{
    if (!crew)
        return;
    for (int i = 0; i <= crew->n_ranks; i++)
        if (crew->teams[i] != MPI_COMM_NULL)
            MPI_Comm_free(&crew->teams[i]);
    MPI_Comm_free(&crew->comm);
    mem_free(crew->teams);
    mem_free(crew);
}

uint32_t crew_n(const struct crew *crew)
{
    return crew->n_crews;
}

uint32_t crew_index(const struct crew *crew)
{
    return crew->index;
}

MPI_Comm crew_comm(const struct crew *crew)
{
    return crew->comm;
}

int crew_rank(const struct crew *crew)
{
    return crew->rank;
}

int crew_speaker(const struct crew *crew, uint32_t index)
{
    return first_of((int)index, crew->n_all, (int)crew->n_crews);
}

struct weighed {
    double weight;
    uint32_t number;
};

// The heaviest first, and of equal ones the one with the lower number.
static int compare_weighed(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    int order = (x->weight < y->weight) - (x->weight > y->weight);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

void crew_order(const double *weights, uint32_t n_units, uint32_t *order)
{
    struct weighed *units = mem_calloc(n_units, sizeof *units);
    for (uint32_t u = 0; u < n_units; u++)
        units[u] = (struct weighed){weights[u], u};
    qsort(units, n_units, sizeof *units, compare_weighed);
    for (uint32_t i = 0; i < n_units; i++)
        order[i] = units[i].number;
    mem_free(units);
}

void crew_deal(uint32_t n_crews, const double *weights, uint32_t n_units, uint32_t *owner)
{
    double *load = mem_calloc(n_crews, sizeof *load);
    // Longest first, to the one with least: within 4/3 of the best (Graham, 1969). The weights are
    // guesses anyway, and every rank must come to the same without a word between them.
    uint32_t *order = mem_calloc(n_units, sizeof *order);
    crew_order(weights, n_units, order);
    for (uint32_t i = 0; i < n_units; i++) {
        uint32_t unit = order[i], idlest = 0;
        for (uint32_t c = 1; c < n_crews; c++)
            if (load[c] < load[idlest])
                idlest = c;
        owner[unit] = idlest;
        load[idlest] += weights[unit];
    }
    mem_free(order);
    mem_free(load);
}

// Cuts the crew into n teams, unless that was done before.
static int make_teams(struct crew *crew, int n_teams, struct err *err)
{
    MPI_Comm *team = &crew->teams[n_teams];
    if (*team != MPI_COMM_NULL)
        return 0;
    int mine = part_of(crew->rank, crew->n_ranks, n_teams);
    int rc = MPI_Comm_split(crew->comm, mine, crew->rank, team);
    if (mpi_err_check(rc, "split the ranks of a crew", err) < 0)
        return -1;
    MPI_Comm_set_errhandler(*team, MPI_ERRORS_RETURN);
    return 0;
}

void crew_keep(struct crew *crew, struct memo *memo)
{
    crew->memo = memo;
}

// What was measured before the search was interrupted is not measured again.
static int measure_kept(const struct crew_bench *bench, MPI_Comm comm,
                        const struct measure_point *point, struct measurement *result,
                        struct err *err)
{
    struct memo *memo = bench->crew->memo;
    struct blob question = {0};
    size_t n;
    int rank, stop = checkpointing_stop_waits();
    int rc = MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, comm);
    if (mpi_err_check(rc, "agree whether to stop", err) < 0)
        return -1;
    if (stop)
        return err_set(err, ERR_FAIL, "stopped by a signal");
    probe_describe(bench->probe, point, &question);
    uint64_t key = memo_key(question.bytes, question.n);
    blob_release(&question);
    const void *kept = memo_find(memo, key, &n);
    if (kept && n == sizeof *result) {
        memcpy(result, kept, n);
        return 0;
    }
    MPI_Comm_rank(comm, &rank);
    rc = probe_measure(bench->probe, comm, point, result, err);
    if (rc == 0 && rank == 0)
        rc = memo_note(memo, key, result, sizeof *result, err);
    return err_agree(comm, rc, err);
}

void crew_watch(struct crew *crew, crew_watch_fn watch, void *user)
{
    crew->watch = watch;
    crew->user = user;
}

void crew_begin(struct crew *crew)
{
    crew->work =
        (struct crew_work){.rate_qps = NAN, .held_qps = NAN, .missed_qps = NAN, .best_qps = NAN};
}

const struct crew_work *crew_work(const struct crew *crew)
{
    return &crew->work;
}

static void begin_point(struct crew *crew, const struct measure_point *point)
{
    struct crew_work *work = &crew->work;
    if (isnan(work->rate_qps) || !settings_equal(&work->choice, &point->choice))
        work->held_qps = work->missed_qps = NAN;
    work->choice = point->choice;
    work->rate_qps = point->rate_qps;
    if (crew->watch)
        crew->watch(crew->user, work);
}

static void note_held(struct crew_work *work, const struct settings *choice, double rate_qps)
{
    if (work->best_qps >= rate_qps)
        return;
    work->best = *choice;
    work->best_qps = rate_qps;
}

static void end_point(struct crew_work *work, const struct measurement *result)
{
    enum measurement_verdict verdict = measurement_overall(result);
    work->n_queries += result->n_queries;
    if (verdict == VERDICT_MISSED)
        work->missed_qps = fmin(work->missed_qps, work->rate_qps);
    if (verdict != VERDICT_MET)
        return;
    work->held_qps = fmax(work->held_qps, work->rate_qps);
    note_held(work, &work->choice, work->rate_qps);
}

int crew_measure(void *user, const struct measure_point *point, struct measurement *result,
                 struct err *err)
{
    const struct crew_bench *bench = user;
    struct crew *crew = bench->crew;
    MPI_Comm comm = crew->n_teams ? crew->teams[crew->n_teams] : crew->comm;
    begin_point(crew, point);
    int rc = crew->memo ? measure_kept(bench, comm, point, result, err)
                        : probe_measure(bench->probe, comm, point, result, err);
    if (rc == 0)
        end_point(&crew->work, result);
    return rc;
}

int crew_share(MPI_Comm comm, int root, void *found, size_t n_bytes, struct trials *trials,
               const struct field *fields, struct err *err)
{
    unsigned long long n = trials->n;
    int rank;
    MPI_Comm_rank(comm, &rank);
    int rc = MPI_Bcast(found, (int)n_bytes, MPI_BYTE, root, comm);
    if (rc == MPI_SUCCESS)
        rc = MPI_Bcast(&n, 1, MPI_UNSIGNED_LONG_LONG, root, comm);
    if (mpi_err_check(rc, "share what a search found", err) < 0)
        return -1;
    if (rank != root) {
        trials_release(trials);
        *trials = (struct trials){mem_calloc(n + 1, sizeof *trials->v), n, n + 1};
    }
    rc = MPI_Bcast(trials->v, (int)(n * sizeof *trials->v), MPI_BYTE, root, comm);
    for (size_t i = 0; i < n; i++) // an address is of its process alone
        trials->v[i].point.choice.fields = fields;
    return mpi_err_check(rc, "share the trials of a search", err);
}

int crew_round(void *user, struct tuner_job *jobs, size_t n, struct err *err)
{
    const struct crew_bench *bench = user;
    struct crew *crew = bench->crew;
    if (n == 0)
        return 0;
    int n_teams = n < (size_t)crew->n_ranks ? (int)n : crew->n_ranks;
    int mine = part_of(crew->rank, crew->n_ranks, n_teams);
    int rc = make_teams(crew, n_teams, err);
    crew->n_teams = n_teams;
    for (size_t j = 0; rc == 0 && j < n; j++)
        if ((int)(j % (size_t)n_teams) == mine)
            rc = max_load_search(bench->config, &jobs[j].task, crew_measure, user,
                                 &jobs[j].capacity, &jobs[j].trials, err);
    crew->n_teams = 0;
    // All know of a failure before the first broadcast: a team that failed has nothing to share.
    rc = err_agree(crew->comm, rc, err);
    for (size_t j = 0; rc == 0 && j < n && crew->n_ranks > 1; j++) {
        int root = first_of((int)(j % (size_t)n_teams), crew->n_ranks, n_teams);
        rc = crew_share(crew->comm, root, &jobs[j].capacity, sizeof jobs[j].capacity,
                        &jobs[j].trials, jobs[j].task.choice.fields, err);
    }
    for (size_t j = 0; rc == 0 && j < n; j++) // those of other teams, too
        if (jobs[j].capacity.state == MAX_LOAD_FOUND)
            note_held(&crew->work, &jobs[j].task.choice, jobs[j].capacity.held_qps);
    return rc;
}
