// SPDX-License-Identifier: Apache-2.0
#include "runs/eval.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runs/checkpointing.h"
#include "runs/footprint.h"
#include "base/mem.h"
#include "base/revision.h"
#include "base/simtime.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/gather.h"
#include "results/file/durable.h"
#include "results/record.h"
#include "results/file/run_result.h"
#include "study/doc.h"

// Bins from which a run that was stopped is summed up.
#define LEAST_BINS 2

// How many machines the ranks are on: every machine's first rank counts as one.
static int count_nodes(MPI_Comm comm)
{
    MPI_Comm node;
    int rank, first, n_nodes;
    if (MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) != MPI_SUCCESS)
        return 0;
    MPI_Comm_rank(node, &rank);
    MPI_Comm_free(&node);
    first = rank == 0;
    return MPI_Allreduce(&first, &n_nodes, 1, MPI_INT, MPI_SUM, comm) == MPI_SUCCESS ? n_nodes : 0;
}

int eval_open(struct eval *eval, struct err *err)
{
    // There may be threads (recfleet serve), but the main one alone calls MPI.
    int threads;
    if (mpi_err_check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &threads), "start", err) < 0)
        return -1;
    if (threads < MPI_THREAD_FUNNELED) {
        MPI_Finalize();
        return err_set(err, ERR_FAIL,
                       "this MPI lets no process have threads: expected MPI_THREAD_FUNNELED");
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    eval->self = MPI_COMM_SELF;
    int rc = MPI_Comm_dup(MPI_COMM_WORLD, &eval->comm);
    if (mpi_err_check(rc, "make a communicator", err) < 0) {
        MPI_Finalize();
        return -1;
    }
    MPI_Comm_set_errhandler(eval->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(eval->comm, &eval->rank);
    MPI_Comm_size(eval->comm, &eval->n_ranks);
    eval->n_nodes = count_nodes(eval->comm);
    return 0;
}

void eval_close(struct eval *eval)
{
    MPI_Comm_free(&eval->comm);
    MPI_Finalize();
}

int eval_agree(const struct eval *eval, int rc, struct err *err)
{
    return err_agree(eval->comm, rc, err);
}

// *size < DOC_MAX_BYTES fits an int.
char *eval_read_text(const struct eval *eval, const char *path, size_t *size, struct err *err)
{
    char *data = NULL;
    unsigned long long bytes = 0;
    if (eval->rank == 0)
        data = doc_load_file(path, DOC_MAX_BYTES, size, err);
    if (err_agree(eval->comm, eval->rank == 0 && !data ? -1 : 0, err) < 0)
        return NULL;
    if (eval->rank == 0)
        bytes = *size;
    int rc = MPI_Bcast(&bytes, 1, MPI_UNSIGNED_LONG_LONG, 0, eval->comm);
    if (eval->rank != 0)
        data = mem_calloc(bytes + 1, 1);
    if (rc == MPI_SUCCESS)
        rc = MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, eval->comm);
    *size = bytes;
    if (mpi_err_check(rc, "send the study to all ranks", err) == 0)
        return data;
    mem_free(data);
    return NULL;
}

struct survey *eval_read_survey(const struct eval *eval, const struct survey_source *source,
                                struct err *err)
{
    struct survey_source ours = *source;
    ours.text = eval_read_text(eval, source->path, &ours.size, err);
    if (!ours.text)
        return NULL;
    struct survey *survey = survey_create(&ours, err);
    if (err_agree(eval->comm, survey ? 0 : -1, err) == 0)
        return survey;
    survey_destroy(survey);
    return NULL;
}

static struct record *make_record(const struct study *study, const struct meta *meta)
{
    const struct record_shape shape = {
        .n_services = (uint32_t)study->n_services,
        .n_groups = (uint32_t)study->n_groups,
        .n_bins = (uint32_t)study->settings.bins + (study->warmup_ns > 0),
        .n_servers = meta->n_servers,
        .warmup_ns = study->warmup_ns,
        .end_ns = study->settings.duration_ns,
        .n_slowest = study->fleet.n_slowest,
        .all_queries = study->fleet.all_queries,
    };
    return record_create(&shape);
}

// What the run cost all ranks together.
static int sum_cost(const struct eval *eval, const struct run_cost *cost, struct run_info *info,
                    struct err *err)
{
    unsigned long long mine[3] = {cost->n_queries, cost->n_windows, cost->bytes_sent}, all[3];
    int rc = MPI_Allreduce(mine, all, 3, MPI_UNSIGNED_LONG_LONG, MPI_SUM, eval->comm);
    if (rc == MPI_SUCCESS)
        rc = MPI_Allreduce(&cost->wall_s, &info->wall_s, 1, MPI_DOUBLE, MPI_MAX, eval->comm);
    if (mpi_err_check(rc, "sum the run's cost", err) < 0)
        return -1;
    info->n_queries = all[0];
    info->n_windows = all[1];
    info->bytes_sent = all[2];
    return 0;
}

void eval_stamp(const struct eval *eval, const char *command, struct eval_stamp *stamp,
                struct run_info *info)
{
    time_t now = time(NULL);
    const char *n_nodes = getenv("SLURM_JOB_NUM_NODES");
    int length = 0;
    struct tm tm;
    *stamp = (struct eval_stamp){.date = ""};
    strftime(stamp->date, sizeof stamp->date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    if (gethostname(stamp->host, sizeof stamp->host - 1) != 0)
        stamp->host[0] = '\0';
    if (MPI_Get_library_version(stamp->mpi_version, &length) == MPI_SUCCESS)
        stamp->mpi_version[strcspn(stamp->mpi_version, "\n")] = '\0';
    *info = (struct run_info){.date = stamp->date,
                              .host = stamp->host,
                              .mpi_version = stamp->mpi_version,
                              .command = command,
                              .git_revision = revision,
                              .job_id = getenv("SLURM_JOB_ID"),
                              .nodes = getenv("SLURM_JOB_NODELIST"),
                              .n_nodes = n_nodes ? atoi(n_nodes) : eval->n_nodes,
                              .n_ranks = eval->n_ranks};
}

// Sums up, writes the file, and only then removes what was saved.
static int finish(const struct eval *eval, const struct eval_options *options,
                  const struct record *total, struct eval_result *result, struct err *err)
{
    int rc = 0;
    if (eval->rank == 0) {
        result->summary = summary_create(total, result->meta);
        const struct run_result_input input = {result->meta, result->summary, total, &result->info,
                                               NULL};
        rc = run_result_write(&input, options->output, options->force, err);
    }
    rc = eval_agree(eval, rc, err);
    if (rc == 0 && eval->rank == 0)
        durable_remove(result->checkpoint);
    return rc;
}

// What a run that was stopped has up to there: the summary of its bins that are complete; nothing
// where they are too few. The record is cut, and the meta's duration with it.
static void sum_up_part(struct record *total, struct eval_result *result)
{
    bool ended = result->stopped_ns >= total->shape.end_ns; // stopped with nothing left to do
    uint32_t n_bins =
        ended ? total->shape.n_bins : record_bin_of(&total->shape, result->stopped_ns);
    if (n_bins < LEAST_BINS + (total->shape.warmup_ns > 0))
        return;
    result->meta->duration_ns = record_bin_start_ns(&total->shape, n_bins);
    total->shape.end_ns = result->meta->duration_ns;
    total->shape.n_bins = n_bins;
    result->summary = summary_create(total, result->meta);
}

// The run, from where it resumes to where it is stopped or to its results.
static int run_kept(const struct eval *eval, const struct study *study,
                    const struct eval_options *options, struct eval_result *result, struct err *err)
{
    const struct checkpointing_config config = {.path = result->checkpoint,
                                                .resume = options->resume,
                                                .resume_from = options->resume_from,
                                                .force = options->force,
                                                .every_ns = study->checkpoint.every_ns,
                                                .quiet = options->quiet,
                                                .meta = result->meta};
    // Before the run: a place where nothing can be saved is told now, not after hours.
    struct checkpointing *keep = checkpointing_create(eval->comm, &config, err);
    if (!keep)
        return -1;
    struct record *record = make_record(study, result->meta), *total = NULL;
    struct fleet_config fleet = study->fleet;
    struct run_options run = options->run;
    struct run_cost cost = {0};
    fleet.window_ns = options->window_ns;
    run.control = checkpointing_control(keep);
    int rc = run_fleet(eval->comm, &fleet, &run, record, &cost, err);
    if (rc == 0)
        rc = sum_cost(eval, &cost, &result->info, err);
    checkpointing_account(keep, &result->info);
    result->stopped = rc == 0 && cost.stopped;
    result->stopped_ns = result->stopped ? checkpointing_reached_ns(keep) : 0;
    if (rc == 0)
        rc = gather_record(eval->comm, record, &total, err);
    record_destroy(record); // before the summary: there may be many servers
    if (rc == 0 && !result->stopped)
        rc = finish(eval, options, total, result, err);
    else if (rc == 0 && total)
        sum_up_part(total, result);
    record_destroy(total);
    checkpointing_destroy(keep);
    return rc;
}

// Results at the place of the checkpoint would be removed with it.
static int check_names(const char *output, const char *checkpoint, struct err *err)
{
    char *previous = durable_previous(checkpoint);
    int rc = 0;
    if (durable_same(output, checkpoint) || durable_same(output, previous))
        rc = err_set(err, ERR_STUDY, "checkpoint %s: is where the results go", checkpoint);
    mem_free(previous);
    return rc;
}

int eval_run(const struct eval *eval, const struct study *study, const struct eval_options *options,
             struct eval_result *result, struct err *err)
{
    uint32_t n_bins = (uint32_t)study->settings.bins + 1;
    *result = (struct eval_result){.stopped = false};
    if (eval_agree(eval, footprint_check(&study->fleet, n_bins, eval->n_ranks, err), err) < 0)
        return -1;
    result->meta = study_meta(study);
    eval_stamp(eval, options->command, &result->stamp, &result->info);
    result->info.layout = layout_mode_names[options->run.layout];
    result->info.window_ns = options->window_ns;
    result->checkpoint = options->checkpoint ? mem_strdup(options->checkpoint)
                                             : study_checkpoint_path(study, options->output);
    int rc = eval->rank == 0 ? check_names(options->output, result->checkpoint, err) : 0;
    rc = eval_agree(eval, rc, err);
    if (rc == 0)
        rc = run_kept(eval, study, options, result, err);
    if (rc < 0)
        eval_release(result);
    return rc;
}

static int check_watch(const struct fleet_config *fleet, const struct timeline *timeline,
                       uint32_t n_servers, struct err *err)
{
    if (timeline->server >= n_servers)
        return err_set(err, ERR_STUDY, "server %u: expected 0 to %u, the servers of the fleet",
                       timeline->server, n_servers - 1);
    if (timeline->from_ns >= timeline->to_ns)
        return err_set(err, ERR_STUDY,
                       "from %.9g s to %.9g s: expected a range of more than no time",
                       simtime_to_s(timeline->from_ns), simtime_to_s(timeline->to_ns));
    if (timeline->to_ns > fleet->duration_ns)
        return err_set(err, ERR_STUDY, "to %.9g s: expected at most %.9g s, the study's duration",
                       simtime_to_s(timeline->to_ns), simtime_to_s(fleet->duration_ns));
    return 0;
}

// What comes after the range does not change what is in it. But with outages a query of the range
// may be lost after it, so that all of the time is needed.
int eval_watch(const struct eval *eval, const struct study *study, struct timeline *timeline,
               struct err *err)
{
    struct fleet_config fleet = study->fleet;
    struct meta *meta = study_fleet_meta(&fleet);
    struct run_options options = {.timeline = timeline};
    struct run_cost cost = {0};
    int rc = check_watch(&fleet, timeline, meta->n_servers, err);
    if (rc == 0)
        rc = footprint_check(&fleet, 1, eval->n_ranks, err);
    if (rc == 0 && !fleet_has_outages(&fleet))
        fleet.duration_ns = timeline->to_ns;
    const struct record_shape shape = {.n_services = fleet.n_services,
                                       .n_groups = fleet.n_groups,
                                       .n_bins = 1,
                                       .n_servers = meta->n_servers,
                                       .end_ns = fleet.duration_ns};
    meta_destroy(meta);
    if (eval_agree(eval, rc, err) < 0)
        return -1;
    fleet.sample_frac = 0;
    struct record *record = record_create(&shape);
    rc = run_fleet(eval->comm, &fleet, &options, record, &cost, err);
    record_destroy(record);
    if (rc == 0)
        rc = gather_timeline(eval->comm, timeline, err);
    if (rc == 0 && timeline->full)
        rc = err_set(
            err, ERR_STUDY, "more than %u requests from %.9g s to %.9g s: expected a shorter range",
            TIMELINE_MOST_SLICES, simtime_to_s(timeline->from_ns), simtime_to_s(timeline->to_ns));
    return eval_agree(eval, rc, err);
}

void eval_release(struct eval_result *result)
{
    meta_destroy(result->meta);
    summary_destroy(result->summary);
    mem_free(result->checkpoint);
    result->meta = NULL;
    result->summary = NULL;
    result->checkpoint = NULL;
}
