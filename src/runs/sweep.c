// SPDX-License-Identifier: Apache-2.0
#include "runs/sweep.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "runs/crew.h"
#include "runs/checkpointing.h"
#include "runs/progress.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "par/mpi_err.h"
#include "results/file/durable.h"

// Of news to rank 0, and of its word to stop.
enum { NEWS_TAG = 1, STOP_TAG = 2 };
// How often a crew says how far it is, and rank 0 looks for news when it has nothing else to do.
#define NEWS_EVERY_S 0.5
#define IDLE_NS 2000000
_Static_assert(sizeof(struct survey_point) <= 128 && GRID_MAX_POINTS * 128L < 0x7fffffffL,
               "the facts of all points go into one message");

int sweep_look(const struct eval *eval, struct survey *survey, const bool *chosen, struct err *err)
{
    // A point's facts are zero but on the one rank that looks, so OR puts them together.
    memset(survey->points, 0, survey->n_points * sizeof(struct survey_point));
    survey_look(survey, chosen, (uint32_t)eval->rank, (uint32_t)eval->n_ranks);
    int n_bytes = (int)(survey->n_points * sizeof(struct survey_point));
    return mpi_err_check(
        MPI_Allreduce(MPI_IN_PLACE, survey->points, n_bytes, MPI_BYTE, MPI_BOR, eval->comm),
        "share what is known of the points", err);
}

// ---- news ---------------------------------------------------------------------------------------

enum news_kind { NEWS_REACHED, NEWS_DONE, NEWS_FAILED, NEWS_STOPPED, NEWS_LEFT };

// How much of the work is done, and how much of that was there before, done by a run that this one
// resumes.
struct stretch {
    double work, from_work;
    uint64_t n_queries, from_queries;
};

// From the rank that speaks for a crew to rank 0. Short enough to be sent without waiting.
struct news {
    int32_t kind;
    uint32_t crew, point;
    struct stretch so_far; // of the point
    struct ci p95_s;       // likewise
    char reason[ERR_TEXT_MAX];
};

// Everything one rank holds of a sweep.
struct sweep {
    const struct eval *eval;
    struct survey *survey;
    const struct sweep_options *options;
    struct crew *crew;
    struct eval team;           // the crew's ranks
    uint32_t n_units, n_before; // of this round, and done in the one before
    uint32_t *points;           // [n_units] what is to be done
    double *weights;            // [n_units]
    uint32_t *order;            // [n_units]: units, the longest first
    uint32_t *owner;            // [n_units]: crew of each
    uint32_t point;             // under way
    int64_t end_ns;             // of it
    int64_t from_ns;            // where it resumes from; -1: not known yet
    uint64_t from_queries;
    struct ci p95_s; // of it, so far
    double told_s;   // when the last news was sent
    bool stopping;   // start no other point
    bool heard_stop; // rank 0 has said so
    // Of rank 0 alone.
    struct progress progress;
    double all_work;
    struct stretch done; // of all points that are done or failed
    struct news *latest; // [crews]: of the point that each is at; else NEWS_LEFT
    uint32_t n_left;     // crews that have no more to do
    struct sweep_outcome *outcome;
};

static struct survey_point *facts_of(const struct sweep *sweep, uint32_t point)
{
    return &sweep->survey->points[point];
}

// No point is for nothing, however few its queries.
static double work_of(const struct sweep *sweep, uint32_t point)
{
    return facts_of(sweep, point)->work_s + 0.01;
}

static void add_stretch(struct stretch *sum, const struct stretch *more)
{
    sum->work += more->work;
    sum->from_work += more->from_work;
    sum->n_queries += more->n_queries;
    sum->from_queries += more->from_queries;
}

static void show(struct sweep *sweep)
{
    struct stretch sum = sweep->done;
    const struct news *only = NULL; // of the one point that runs
    uint32_t n_running = 0;
    for (uint32_t c = 0; c < crew_n(sweep->crew); c++) {
        if (sweep->latest[c].kind != NEWS_REACHED)
            continue;
        only = &sweep->latest[c];
        n_running++;
        add_stretch(&sum, &only->so_far);
    }
    if (n_running == 1)
        progress_p95(&sweep->progress, only->point, only->p95_s);
    else
        progress_no_p95(&sweep->progress);
    progress_points(&sweep->progress, sweep->outcome->n_done + sweep->outcome->n_failed,
                    sweep->n_before + sweep->n_units);
    progress_from(&sweep->progress, sum.from_work / sweep->all_work, sum.from_queries);
    progress_update(&sweep->progress, sum.work / sweep->all_work, sum.n_queries);
}

// A crew has stopped or rank 0 was told to: let all others know, once.
static void spread_stop(struct sweep *sweep)
{
    if (sweep->heard_stop)
        return;
    sweep->heard_stop = sweep->stopping = true;
    sweep->outcome->stopped = true;
    for (uint32_t c = 0; c < crew_n(sweep->crew); c++) {
        int speaker = crew_speaker(sweep->crew, c);
        if (speaker != 0)
            MPI_Send(NULL, 0, MPI_BYTE, speaker, STOP_TAG, sweep->eval->comm);
        else if (sweep->point != UINT32_MAX)
            raise(SIGUSR2); // waits until the run looks for it
    }
}

// Rank 0 hears of a crew. What comes after a point's end replaces what was told on the way, so that
// nothing is counted twice.
static void take(struct sweep *sweep, const struct news *news)
{
    struct sweep_outcome *out = sweep->outcome;
    sweep->latest[news->crew] = *news;
    if (news->kind == NEWS_REACHED)
        return;
    if (news->kind == NEWS_LEFT) {
        sweep->n_left++;
    } else if (news->kind == NEWS_STOPPED) {
        spread_stop(sweep);
    } else {
        bool done = news->kind == NEWS_DONE;
        facts_of(sweep, news->point)->state = done ? POINTDIR_DONE : POINTDIR_FAILED;
        add_stretch(&sweep->done, &news->so_far);
        out->n_queries += news->so_far.n_queries;
        out->n_done += done;
        if (done)
            return;
        out->failures =
            mem_realloc(out->failures, (size_t)out->n_failed + 1, sizeof *out->failures);
        out->failures[out->n_failed++] =
            (struct sweep_failure){news->point, mem_strdup(news->reason)};
    }
}

// A send of this size returns before it is received (MPI's eager protocol), and rank 0 looks for
// news while its own points run; so no crew waits for it.
static void tell(struct sweep *sweep, const struct news *news)
{
    sweep->told_s = wallclock_s();
    if (sweep->eval->rank == 0)
        take(sweep, news);
    else
        MPI_Send(news, sizeof *news, MPI_BYTE, 0, NEWS_TAG, sweep->eval->comm);
}

// What a speaker has been sent meanwhile.
static void listen(struct sweep *sweep)
{
    const struct eval *eval = sweep->eval;
    int there = 0;
    MPI_Status status;
    while (eval->rank == 0 &&
           MPI_Iprobe(MPI_ANY_SOURCE, NEWS_TAG, eval->comm, &there, &status) == MPI_SUCCESS &&
           there) {
        struct news news;
        if (MPI_Recv(&news, sizeof news, MPI_BYTE, status.MPI_SOURCE, NEWS_TAG, eval->comm,
                     MPI_STATUS_IGNORE) == MPI_SUCCESS)
            take(sweep, &news);
    }
    if (eval->rank == 0) {
        show(sweep);
    } else if (!sweep->heard_stop &&
               MPI_Iprobe(0, STOP_TAG, eval->comm, &there, &status) == MPI_SUCCESS && there) {
        MPI_Recv(NULL, 0, MPI_BYTE, 0, STOP_TAG, eval->comm, MPI_STATUS_IGNORE);
        sweep->heard_stop = sweep->stopping = true;
        if (sweep->point != UINT32_MAX)
            raise(SIGUSR2);
    }
}

// ---- one point ----------------------------------------------------------------------------------

// Of the point under way, if there is one: done up to reached_ns.
static struct news news_of(const struct sweep *sweep, enum news_kind kind, int64_t reached_ns,
                           uint64_t n_queries)
{
    struct news news;
    memset(&news, 0, sizeof news); // it travels as bytes
    news.kind = (int32_t)kind;
    news.crew = crew_index(sweep->crew);
    news.point = sweep->point;
    if (sweep->point == UINT32_MAX)
        return news;
    double per_ns = work_of(sweep, sweep->point) / (double)sweep->end_ns;
    news.so_far.work = (double)reached_ns * per_ns;
    news.so_far.n_queries = n_queries;
    news.p95_s = sweep->p95_s;
    if (sweep->from_ns > 0) {
        news.so_far.from_work = (double)sweep->from_ns * per_ns;
        news.so_far.from_queries = sweep->from_queries;
    }
    return news;
}

// Called in a run, on the rank that speaks for its crew.
static void on_progress(void *user, int64_t reached_ns, uint64_t n_queries)
{
    struct sweep *sweep = user;
    if (sweep->from_ns < 0) {
        sweep->from_ns = reached_ns;
        sweep->from_queries = n_queries;
    }
    if (sweep->eval->rank == 0 || wallclock_s() - sweep->told_s > NEWS_EVERY_S) {
        struct news news = news_of(sweep, NEWS_REACHED, reached_ns, n_queries);
        tell(sweep, &news);
    }
    listen(sweep);
}

// Whether to resume from the checkpoint before the last. One that cannot be used would hold up the
// point for ever: that of the edited study, or one that a disk has lost. What it would have saved
// is done again.
static bool look_at_checkpoint(const struct sweep *sweep, const char *checkpoint,
                               const char *previous)
{
    const char *digest = facts_of(sweep, sweep->point)->digest;
    if (!durable_exists(checkpoint) || checkpointing_usable(checkpoint, digest))
        return false;
    if (checkpointing_usable(previous, digest))
        return true;
    log_warn("%s: of the study or the program as it was before, or damaged; the point begins anew",
             checkpoint);
    durable_remove(checkpoint);
    return false;
}

// Collective (the crew). Returns what is to be told of it.
static struct news simulate(struct sweep *sweep, const struct study *study, struct err *err)
{
    const char *folder = sweep->survey->folder;
    char *output = pointdir_file(folder, sweep->point);
    char *checkpoint = pointdir_checkpoint(folder, sweep->point);
    char *previous = durable_previous(checkpoint);
    struct eval_result result = {.stopped = false};
    int from_previous = 0;
    if (sweep->team.rank == 0) {
        pointdir_forgive(folder, sweep->point);
        from_previous = look_at_checkpoint(sweep, checkpoint, previous);
    }
    MPI_Bcast(&from_previous, 1, MPI_INT, 0, sweep->team.comm);
    const struct eval_options options = {
        .run = {.progress = on_progress,
                .progress_user = sweep,
                .p95_s = sweep->options->progress ? &sweep->p95_s : NULL},
        .output = output,
        .force = true, // what is there may be replaced, or the point would not be done
        .command = sweep->options->command,
        .resume = true,
        .resume_from = from_previous ? previous : NULL,
        .checkpoint = checkpoint,
        .quiet = true,
    };
    int rc = eval_run(&sweep->team, study, &options, &result, err);
    enum news_kind kind = rc < 0 ? NEWS_FAILED : result.stopped ? NEWS_STOPPED : NEWS_DONE;
    struct news news = news_of(sweep, kind, sweep->end_ns, rc < 0 ? 0 : result.info.n_queries);
    if (rc == 0)
        eval_release(&result);
    mem_free(previous);
    mem_free(checkpoint);
    mem_free(output);
    return news;
}

static void do_point(struct sweep *sweep, uint32_t point)
{
    struct err err = {0};
    struct study *study = survey_study(sweep->survey, point, &err);
    sweep->point = point;
    sweep->from_ns = -1;
    sweep->p95_s = ci_none();
    sweep->end_ns = study ? study->settings.duration_ns : 1;
    struct news news = eval_agree(&sweep->team, study ? 0 : -1, &err) == 0
                           ? simulate(sweep, study, &err)
                           : news_of(sweep, NEWS_FAILED, sweep->end_ns, 0);
    study_destroy(study);
    sweep->point = UINT32_MAX;
    sweep->stopping |= news.kind == NEWS_STOPPED;
    if (sweep->team.rank != 0)
        return;
    if (news.kind == NEWS_FAILED) {
        memcpy(news.reason, err.text, sizeof news.reason);
        pointdir_fail(sweep->survey->folder, point, err.text);
    }
    tell(sweep, &news);
}

// ---- all points ---------------------------------------------------------------------------------

// May the crew start another point? All of its ranks say the same.
static bool may_start(struct sweep *sweep)
{
    if (sweep->team.rank == 0)
        listen(sweep);
    int stop = sweep->stopping || checkpointing_stop_waits(), any = 0;
    MPI_Allreduce(&stop, &any, 1, MPI_INT, MPI_LOR, sweep->team.comm);
    // A signal that waits here was meant for the sweep, though no run is under way to take it.
    if (any && !sweep->stopping && sweep->team.rank == 0) {
        struct news news = news_of(sweep, NEWS_STOPPED, 0, 0);
        tell(sweep, &news);
    }
    sweep->stopping |= any != 0;
    return !any;
}

static void do_mine(struct sweep *sweep)
{
    for (uint32_t u = 0; u < sweep->n_units; u++) {
        uint32_t unit = sweep->order[u];
        if (sweep->owner[unit] != crew_index(sweep->crew))
            continue;
        if (!may_start(sweep))
            break;
        do_point(sweep, sweep->points[unit]);
    }
    if (sweep->team.rank == 0) {
        struct news news = news_of(sweep, NEWS_LEFT, 0, 0);
        tell(sweep, &news);
    }
}

// What all must know to leave alike. A word to stop that came too late is taken off the wire.
static int share_outcome(struct sweep *sweep, struct err *err)
{
    struct sweep_outcome *out = sweep->outcome;
    int rc = MPI_Bcast(out, (int)offsetof(struct sweep_outcome, failures), MPI_BYTE, 0,
                       sweep->eval->comm);
    if (mpi_err_check(rc, "share the outcome of the sweep", err) < 0)
        return -1;
    if (out->stopped && sweep->eval->rank != 0 && sweep->team.rank == 0 && !sweep->heard_stop)
        MPI_Recv(NULL, 0, MPI_BYTE, 0, STOP_TAG, sweep->eval->comm, MPI_STATUS_IGNORE);
    return 0;
}

// Of the points that were begun or of the others.
static void make_units(struct sweep *sweep, bool begun)
{
    uint32_t n = 0, n_points = sweep->survey->n_points;
    sweep->points = mem_calloc(n_points, sizeof *sweep->points);
    sweep->weights = mem_calloc(n_points, sizeof *sweep->weights);
    sweep->all_work = 0;
    for (uint32_t p = 0; p < n_points; p++) {
        if (!sweep->options->todo[p] || facts_of(sweep, p)->begun != begun)
            continue;
        sweep->points[n] = p;
        sweep->weights[n] = work_of(sweep, p);
        sweep->all_work += sweep->weights[n++];
    }
    sweep->n_units = n;
    sweep->order = mem_calloc(n, sizeof *sweep->order);
    sweep->owner = mem_calloc(n, sizeof *sweep->owner);
    crew_order(sweep->weights, n, sweep->order);
}

static int with_crews(struct sweep *sweep, struct err *err)
{
    const struct eval *eval = sweep->eval;
    sweep->team.comm = crew_comm(sweep->crew);
    MPI_Comm_rank(sweep->team.comm, &sweep->team.rank);
    MPI_Comm_size(sweep->team.comm, &sweep->team.n_ranks);
    // Not counted where a crew may be part of several nodes: 0 says so.
    sweep->team.n_nodes = sweep->team.n_ranks == 1 || eval->n_nodes == 1;
    crew_deal(crew_n(sweep->crew), sweep->weights, sweep->n_units, sweep->owner);
    sweep->latest = mem_calloc(crew_n(sweep->crew), sizeof *sweep->latest);
    for (uint32_t c = 0; c < crew_n(sweep->crew); c++)
        sweep->latest[c].kind = NEWS_LEFT;
    sweep->n_before = sweep->outcome->n_done + sweep->outcome->n_failed;
    sweep->done = (struct stretch){0};
    sweep->n_left = 0;
    (sweep->options->json ? progress_start_json : progress_start)(
        &sweep->progress, eval->rank == 0 ? sweep->options->progress : NULL);
    do_mine(sweep);
    // Rank 0 has done its own and hears of the others.
    while (eval->rank == 0 && sweep->n_left < crew_n(sweep->crew)) {
        listen(sweep);
        if (checkpointing_stop_waits())
            spread_stop(sweep);
        nanosleep(&(struct timespec){0, IDLE_NS}, NULL);
    }
    progress_end(&sweep->progress, !sweep->outcome->stopped);
    mem_free(sweep->latest);
    return share_outcome(sweep, err);
}

// Collective (eval->comm).
static int do_round(struct sweep *sweep, bool begun, struct err *err)
{
    int rc = 0;
    make_units(sweep, begun);
    if (sweep->n_units > 0) {
        sweep->crew = crew_create(sweep->eval->comm, sweep->n_units, err);
        rc = eval_agree(sweep->eval, sweep->crew ? 0 : -1, err);
        if (rc == 0)
            rc = eval_agree(sweep->eval, with_crews(sweep, err), err);
        crew_destroy(sweep->crew);
    }
    mem_free(sweep->points);
    mem_free(sweep->weights);
    mem_free(sweep->order);
    mem_free(sweep->owner);
    return rc;
}

// A point that was begun and whose process did not end it comes when all others are done: perhaps
// it takes more memory than there is, and the kernel killed the process for it, and will again.
int sweep_run(const struct eval *eval, struct survey *survey, const struct sweep_options *options,
              struct sweep_outcome *outcome, struct err *err)
{
    struct sweep sweep = {.eval = eval,
                          .survey = survey,
                          .options = options,
                          .point = UINT32_MAX,
                          .outcome = outcome};
    *outcome = (struct sweep_outcome){0};
    int rc = do_round(&sweep, false, err);
    if (rc == 0 && !outcome->stopped)
        rc = do_round(&sweep, true, err);
    return rc;
}

void sweep_release(struct sweep_outcome *outcome)
{
    for (uint32_t i = 0; outcome->failures && i < outcome->n_failed; i++)
        mem_free(outcome->failures[i].reason);
    mem_free(outcome->failures);
    *outcome = (struct sweep_outcome){0};
}
