// SPDX-License-Identifier: Apache-2.0
#include "capacity/sample.h"

#include <math.h>
#include <stddef.h>

#include "runs/checkpointing.h"
#include "runs/crew.h"
#include "runs/footprint.h"
#include "capacity/sample_fleet.h"
#include "runs/memo.h"
#include "runs/verdict.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/run.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/gather.h"
#include "results/record.h"

// Between two calls of the watch: so many queries per rank, about a second, and no more slices.
#define BATCH_QUERIES 8e6
#define BATCH_SLICES 256

struct sample_bench {
    MPI_Comm comm;
    int rank, n_ranks;
    struct memo *memo;
    struct svctab_cache *times; // of every cost that was needed
    struct record *record;      // cleared and used again; NULL before the first
    sample_watch_fn watch;      // NULL: nobody
    sample_tell_fn tell;        // likewise
    void *user;
    double from_frac, to_frac; // of what is told
    // Of the sample_run() under way: simulated and about all queries; of the slice under way.
    double n_done, n_all, n_slice;
    int64_t slice_ns;
};

// ---- what can be cut ----------------------------------------------------------------------------

int sample_check(const struct study *study, struct err *err)
{
    const struct outage_config *outages = &study->outages;
    bool whole_cells = false; // does traffic ever move from one cell to another?
    for (size_t i = 0; i < outages->n_events; i++)
        whole_cells |= outages->events[i].whole_cell;
    for (size_t g = 0; g < study->n_groups; g++)
        if (study->group_configs[g].on.n_steps > 0)
            return err_set(err, ERR_STUDY,
                           "fleet: group \"%.60s\" switches servers by a list of times, which a "
                           "piece of a day does not see; expected no \"on\" there",
                           study->group_configs[g].name);
    if (outages->failover && whole_cells)
        return err_set(err, ERR_STUDY,
                       "failures.failover: traffic of cells that are out goes to the others, so "
                       "cells are not independent and none can stand for all; expected \"failover: "
                       "false\"");
    if (outages->n_events > 0)
        return err_set(err, ERR_STUDY,
                       "failures.events: a list belongs to a time and to servers that a piece of "
                       "the day does not see; expected \"mtbf\" and \"mttr\" instead");
    return 0;
}

// ---- the bench ----------------------------------------------------------------------------------

struct sample_bench *sample_bench_create(MPI_Comm comm, struct memo *memo)
{
    struct sample_bench *bench = mem_calloc(1, sizeof *bench);
    *bench = (struct sample_bench){
        .comm = comm, .memo = memo, .times = svctab_cache_create(), .to_frac = 1};
    MPI_Comm_rank(comm, &bench->rank);
    MPI_Comm_size(comm, &bench->n_ranks);
    return bench;
}

void sample_bench_destroy(struct sample_bench *bench)
{
    if (!bench)
        return;
    svctab_cache_destroy(bench->times);
    record_destroy(bench->record);
    mem_free(bench);
}

void sample_watch(struct sample_bench *bench, sample_watch_fn watch, sample_tell_fn tell,
                  void *user)
{
    bench->watch = watch;
    bench->tell = tell;
    bench->user = user;
}

void sample_share(struct sample_bench *bench, double from_frac, double to_frac)
{
    bench->from_frac = from_frac;
    bench->to_frac = to_frac;
}

void sample_release(struct slice_result *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t s = 0; s < results[i].n_services; s++)
            mem_free(results[i].services[s].counts);
        mem_free(results[i].services);
        mem_free(results[i].trials);
        results[i] = (struct slice_result){0};
    }
}

// ---- from a record to a result ------------------------------------------------------------------

static void add_tally(const struct tally *tally, struct slice_service *out, uint32_t *end)
{
    uint32_t first, last;
    out->n_queries += tally->n_queries;
    out->n_late += tally->n_late;
    out->n_lost += tally->n_lost;
    if (!record_tally_range(tally, &first, &last))
        return;
    out->first = *end == 0 || first < out->first ? first : out->first;
    *end = last + 1 > *end ? last + 1 : *end;
}

// Only the buckets that have queries are kept: a slice has few of the thousands, and there are very
// many slices. Service `slot` of the record over its measured bins.
static void harvest_service(const struct record *record, uint32_t slot, struct slice_service *out)
{
    uint32_t first_bin = record->shape.warmup_ns > 0, end = 0;
    for (uint32_t bin = first_bin; bin < record->shape.n_bins; bin++)
        for (int path = 0; path < N_PATHS; path++)
            add_tally(record_tally(record, bin, slot, (enum record_path)path), out, &end);
    out->n_counts = end > out->first ? end - out->first : 0;
    out->counts = mem_calloc(out->n_counts, sizeof *out->counts);
    for (uint32_t bin = first_bin; bin < record->shape.n_bins; bin++)
        for (int path = 0; path < N_PATHS; path++) {
            const struct tally *tally = record_tally(record, bin, slot, (enum record_path)path);
            for (uint32_t i = 0; tally->n_queries > 0 && i < out->n_counts; i++)
                out->counts[i] += tally->hist[out->first + i];
        }
}

static void harvest_servers(const struct sample_fleet *sampled, const struct record *record,
                            struct slice_result *out)
{
    for (uint32_t g = 0; g < sampled->fleet.n_groups; g++) {
        const struct group_config *group = &sampled->fleet.groups[g];
        const struct platform *platform = group->platform;
        double streams = platform->has_accelerator ? (double)platform->accelerator.streams : 0;
        out->core_s += (double)group->n_servers * (double)platform->cores * out->length_s;
        out->stream_s += (double)group->n_servers * streams * out->length_s;
        for (uint32_t bin = record->shape.warmup_ns > 0; bin < record->shape.n_bins; bin++) {
            const struct group_tally *tally = record_group(record, bin, g);
            out->cpu_busy_ns += tally->busy_ns[PART_CPU];
            out->accel_busy_ns += tally->busy_ns[PART_ACCEL];
            out->energy_uj += tally->energy_uj[PART_CPU] + tally->energy_uj[PART_ACCEL];
        }
    }
}

// Of a fleet that has nothing to do; services[] is there.
static struct slice_result idle_result(const struct slice *slice)
{
    struct slice_result out = {.n_services = slice->fleet->n_services,
                               .length_s = simtime_to_s(slice->length_ns),
                               .overall = measurement_none(VERDICT_UNSURE)};
    out.overall.stable = VERDICT_MET;
    out.services = mem_calloc(out.n_services, sizeof *out.services);
    out.trials = slice->by_service ? mem_calloc(out.n_services, sizeof *out.trials) : NULL;
    for (uint32_t i = 0; out.trials && i < out.n_services; i++)
        out.trials[i] = measurement_none(VERDICT_NOT_ASKED);
    return out;
}

// Into an idle result, from the record of all ranks.
static void harvest(const struct sample_fleet *sampled, const struct slice *slice,
                    const struct record *record, struct slice_result *out)
{
    const struct verdict_scope scope = {
        0, slice->fleet->study->tune.p99_bound,
        out->trials ? mem_calloc(sampled->fleet.n_services, sizeof *out->trials) : NULL};
    struct meta *meta = study_fleet_meta(&sampled->fleet);
    out->share_frac = (double)sampled->n_servers / (double)sampled->of_servers;
    for (uint32_t i = 0; i < out->n_services; i++)
        if (sampled->slots[i] != SAMPLE_FLEET_NO_SLOT)
            harvest_service(record, sampled->slots[i], &out->services[i]);
    harvest_servers(sampled, record, out);
    out->overall = verdict_of(record, meta, &scope);
    out->overall.cpu_util_frac = (double)out->cpu_busy_ns * 1e-9 / out->core_s;
    out->overall.accel_util_frac =
        out->stream_s > 0 ? (double)out->accel_busy_ns * 1e-9 / out->stream_s : (double)NAN;
    for (uint32_t i = 0; scope.services && i < out->n_services; i++) {
        if (sampled->slots[i] == SAMPLE_FLEET_NO_SLOT)
            continue;
        out->trials[i] = scope.services[sampled->slots[i]];
        out->trials[i].cpu_util_frac = out->overall.cpu_util_frac;
        out->trials[i].accel_util_frac = out->overall.accel_util_frac;
    }
    mem_free(scope.services);
    meta_destroy(meta);
}

// ---- results as bytes ---------------------------------------------------------------------------

// A result, then each service with its counts behind it. The bytes are of one program on one kind
// of machine, as the memo's head and MPI see to.
static void pack(const struct slice_result *result, struct blob *blob)
{
    blob_put(blob, result, offsetof(struct slice_result, services));
    for (uint32_t i = 0; i < result->n_services; i++) {
        const struct slice_service *service = &result->services[i];
        blob_put(blob, service, offsetof(struct slice_service, counts));
        blob_put(blob, service->counts, service->n_counts * sizeof *service->counts);
    }
    if (result->trials)
        blob_put(blob, result->trials, result->n_services * sizeof *result->trials);
}

static int unpack_service(struct blob_reader *reader, struct slice_service *service)
{
    blob_get(reader, service, offsetof(struct slice_service, counts));
    if (service->first > HIST_N_BUCKETS || service->n_counts > HIST_N_BUCKETS - service->first) {
        service->n_counts = 0;
        return blob_refuse(reader);
    }
    service->counts = mem_calloc(service->n_counts, sizeof *service->counts);
    blob_get(reader, service->counts, service->n_counts * sizeof *service->counts);
    return 0;
}

// The answer to that slice. On error the result is empty.
static int unpack(struct blob_reader *reader, const struct slice *slice,
                  struct slice_result *result)
{
    uint32_t n_services = slice->fleet->n_services;
    *result = (struct slice_result){0};
    blob_get(reader, result, offsetof(struct slice_result, services));
    bool good = result->n_services == n_services;
    result->n_services = good ? n_services : 0;
    result->services = mem_calloc(result->n_services, sizeof *result->services);
    for (uint32_t i = 0; good && i < n_services; i++)
        good = unpack_service(reader, &result->services[i]) == 0;
    if (good && slice->by_service) {
        result->trials = mem_calloc(n_services, sizeof *result->trials);
        blob_get(reader, result->trials, n_services * sizeof *result->trials);
    }
    if (good && !reader->short_of)
        return 0;
    sample_release(result, 1);
    return -1;
}

// ---- one slice ----------------------------------------------------------------------------------

// One to be simulated.
struct task {
    const struct slice *slice;
    struct slice_result *result;
    struct sample_fleet *sampled; // owned
    uint64_t key;                 // of its answer in the memo
    double queries;               // about
};

// The bench's record, empty. Pieces of a day have one shape, and a record is large.
static struct record *fresh_record(struct sample_bench *bench, const struct task *task)
{
    const struct sample_fleet *sampled = task->sampled;
    const struct slice *slice = task->slice;
    const struct record_shape shape = {.n_services = sampled->fleet.n_services,
                                       .n_groups = sampled->fleet.n_groups,
                                       .n_bins = slice->n_bins + (slice->warmup_ns > 0),
                                       .n_servers = (uint32_t)sampled->n_servers,
                                       .warmup_ns = slice->warmup_ns,
                                       .end_ns = sampled->fleet.duration_ns};
    if (!bench->record || !record_reshape(bench->record, &shape)) {
        record_destroy(bench->record);
        bench->record = record_create(&shape);
    }
    return bench->record;
}

static struct sample_reached reached(const struct sample_bench *bench, double n_queries)
{
    double part = bench->n_all > 0 ? fmin(n_queries / bench->n_all, 1) : 1;
    return (struct sample_reached){(uint64_t)n_queries,
                                   bench->from_frac + part * (bench->to_frac - bench->from_frac)};
}

// In a slice that all ranks, or the only one, simulate.
static void on_progress(void *user, int64_t reached_ns, uint64_t n_queries)
{
    const struct sample_bench *bench = user;
    (void)n_queries; // of this rank alone
    const struct sample_reached now = reached(
        bench, bench->n_done + bench->n_slice * (double)reached_ns / (double)bench->slice_ns);
    bench->tell(bench->user, &now);
}

// Collective (comm), whose rank 0 appends the answer to *bytes.
static int simulate(struct sample_bench *bench, MPI_Comm comm, const struct task *task,
                    struct blob *bytes, struct err *err)
{
    struct run_options options = {.layout = LAYOUT_AUTO, .times = bench->times};
    struct run_cost cost = {0};
    struct record *total = NULL;
    unsigned long long n_simulated;
    int rank, n_ranks;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &n_ranks);
    int fits = footprint_check(&task->sampled->fleet, task->slice->n_bins + 1, n_ranks, err);
    if (err_agree(comm, fits, err) < 0)
        return err_prefix(err, "%llu servers", (unsigned long long)task->sampled->n_servers);
    struct record *record = fresh_record(bench, task);
    // Where several ranks agree at the end of every short run they wait for each other.
    options.control = n_ranks == 1 ? &checkpointing_stop_only : NULL;
    bench->n_slice = task->queries;
    bench->slice_ns = task->sampled->fleet.duration_ns;
    if (bench->tell && n_ranks == bench->n_ranks) {
        options.progress = on_progress;
        options.progress_user = bench;
    }
    int rc = run_fleet(comm, &task->sampled->fleet, &options, record, &cost, err);
    bench->n_done += task->queries;
    n_simulated = cost.n_queries;
    if (rc == 0 && cost.stopped)
        rc = err_set(err, ERR_FAIL, "stopped by a signal");
    if (rc == 0)
        rc = mpi_err_check(
            MPI_Allreduce(MPI_IN_PLACE, &n_simulated, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, comm),
            "sum a sample's queries", err);
    if (rc == 0 && n_ranks > 1)
        rc = gather_record(comm, record, &total, err);
    if (rc == 0 && rank == 0) {
        struct slice_result result = idle_result(task->slice);
        harvest(task->sampled, task->slice, total ? total : record, &result);
        result.overall.n_queries = n_simulated;
        pack(&result, bytes);
        sample_release(&result, 1);
    }
    record_destroy(total);
    return rc;
}

// ---- many ---------------------------------------------------------------------------------------

// Every rank's bytes to all: readers[n_ranks] over *all, which the caller frees.
static int exchange(const struct sample_bench *bench, const struct blob *mine,
                    struct blob_reader *readers, unsigned char **all, struct err *err)
{
    int *sizes = mem_calloc(2 * (size_t)bench->n_ranks, sizeof *sizes);
    int *places = sizes + bench->n_ranks, n = (int)mine->n;
    size_t total = 0;
    int rc = MPI_Allgather(&n, 1, MPI_INT, sizes, 1, MPI_INT, bench->comm);
    for (int r = 0; r < bench->n_ranks; total += (size_t)sizes[r++])
        places[r] = (int)total;
    if (rc == MPI_SUCCESS && total > INT32_MAX)
        rc = MPI_ERR_COUNT;
    if (rc == MPI_SUCCESS) {
        *all = mem_alloc(total);
        rc = MPI_Allgatherv(mine->bytes, n, MPI_BYTE, *all, sizes, places, MPI_BYTE, bench->comm);
    }
    for (int r = 0; r < bench->n_ranks && rc == MPI_SUCCESS; r++)
        readers[r] = blob_read(*all + places[r], (size_t)sizes[r]);
    mem_free(sizes);
    return mpi_err_check(rc, "share the answers of samples", err);
}

// Slices are small, and ranks that simulate one together wait for each other at every window, so
// side by side is faster. A batch: each slice by a rank of its own where there are enough of them,
// else all by all. Every rank makes its answers in the order of the tasks, and in that order they
// are taken.
static int run_batch(struct sample_bench *bench, struct task *tasks, size_t n, struct err *err)
{
    bool together = n < (size_t)bench->n_ranks;
    uint32_t *owner = mem_calloc(n, sizeof *owner);
    double *weights = mem_calloc(n, sizeof *weights);
    struct blob_reader *readers = mem_calloc((size_t)bench->n_ranks, sizeof *readers);
    unsigned char *all = NULL;
    struct blob mine = {0};
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        weights[i] = tasks[i].queries;
    if (!together)
        crew_deal((uint32_t)bench->n_ranks, weights, (uint32_t)n, owner);
    for (size_t i = 0; i < n && rc == 0; i++)
        if (together || (int)owner[i] == bench->rank)
            rc = simulate(bench, together ? bench->comm : MPI_COMM_SELF, &tasks[i], &mine, err);
    if (rc == 0 && mine.n > INT32_MAX)
        rc = err_set(err, ERR_FAIL, "the answers of slices are too long to be sent");
    rc = err_agree(bench->comm, rc, err);
    if (rc == 0)
        rc = exchange(bench, &mine, readers, &all, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct blob_reader *reader = &readers[owner[i]];
        size_t begin = reader->at;
        if (unpack(reader, tasks[i].slice, tasks[i].result) < 0)
            rc = err_set(err, ERR_FAIL, "the answer of a sampled simulation is damaged");
        else if (bench->memo)
            rc =
                memo_add(bench->memo, tasks[i].key, reader->bytes + begin, reader->at - begin, err);
    }
    mem_free(all);
    blob_release(&mine);
    mem_free(readers);
    mem_free(weights);
    mem_free(owner);
    return rc;
}

// How many of the tasks are done before somebody is told.
static size_t batch_of(const struct sample_bench *bench, const struct task *tasks, size_t n)
{
    double queries = 0;
    size_t i = 0;
    while (i < n && i < (size_t)BATCH_SLICES * (size_t)bench->n_ranks &&
           queries < BATCH_QUERIES * bench->n_ranks)
        queries += tasks[i++].queries;
    return i;
}

// n_queries: of answers that need no simulation.
static int run_all(struct sample_bench *bench, struct task *tasks, size_t n, uint64_t n_queries,
                   struct err *err)
{
    bench->n_all = (double)n_queries;
    for (size_t i = 0; i < n; i++)
        bench->n_all += tasks[i].queries;
    for (size_t i = 0, end = 0;; end = i + batch_of(bench, &tasks[i], n - i)) {
        bench->n_done = (double)n_queries;
        if (end > i && run_batch(bench, &tasks[i], end - i, err) < 0)
            return -1;
        for (; i < end; i++)
            n_queries += tasks[i].result->overall.n_queries;
        struct sample_reached now = reached(bench, (double)n_queries);
        now.done_frac = i == n ? bench->to_frac : now.done_frac;
        if (bench->watch && bench->watch(bench->user, &now, err) < 0)
            return -1;
        if (i == n)
            return 0;
    }
}

// Takes the answer from the memo when it has one; else what is to be done.
static bool recall(const struct sample_bench *bench, struct task *task)
{
    struct blob question = {0};
    if (!bench->memo)
        return false;
    sample_fleet_describe(task->slice, &question);
    task->key = memo_key(question.bytes, question.n);
    blob_release(&question);
    size_t n;
    const void *answer = memo_find(bench->memo, task->key, &n);
    if (!answer)
        return false;
    struct blob_reader reader = blob_read(answer, n);
    if (unpack(&reader, task->slice, task->result) == 0 && blob_left(&reader) == 0)
        return true;
    sample_release(task->result, 1);
    return false;
}

int sample_run(struct sample_bench *bench, const struct slice *slices, size_t n,
               struct slice_result *results, struct err *err)
{
    struct task *tasks = mem_calloc(n, sizeof *tasks);
    uint64_t n_recalled = 0;
    size_t n_tasks = 0;
    for (size_t i = 0; i < n; i++) {
        struct task task = {&slices[i], &results[i], sample_fleet_create(&slices[i]), 0, 0};
        results[i] = (struct slice_result){0};
        if (!task.sampled) {
            results[i] = idle_result(&slices[i]);
        } else if (recall(bench, &task)) {
            n_recalled += results[i].overall.n_queries;
            sample_fleet_destroy(task.sampled);
        } else {
            task.queries = sample_fleet_queries(task.sampled);
            tasks[n_tasks++] = task;
        }
    }
    int rc = run_all(bench, tasks, n_tasks, n_recalled, err);
    for (size_t i = 0; i < n_tasks; i++)
        sample_fleet_destroy(tasks[i].sampled);
    mem_free(tasks);
    if (rc < 0)
        sample_release(results, n);
    return rc;
}
