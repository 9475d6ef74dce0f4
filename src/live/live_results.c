// SPDX-License-Identifier: Apache-2.0
#include "live/live_results.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_record.h"
#include "live/live_replay.h"

const char *const live_results_rows[] = {"measured",
                                         "simulated",
                                         "without cold cores",
                                         "without noise",
                                         "as with one core busy",
                                         "at its own speed",
                                         "its own service times",
                                         "and gaps",
                                         NULL};

static struct meta *meta_of(const struct study *study, int64_t end_ns)
{
    struct meta *meta = study_meta(study);
    char *name = mem_printf("%s, measured", meta->study_name);
    mem_free(meta->study_name);
    mem_free(meta->study_digest);
    meta->study_name = name;
    meta->study_digest = mem_strdup("");
    meta->duration_ns = end_ns;
    return meta;
}

static struct record_shape shape_of(const struct study *study, int64_t end_ns)
{
    return (struct record_shape){.n_services = (uint32_t)study->n_services,
                                 .n_groups = 1,
                                 .n_bins = (uint32_t)study->settings.bins + (study->warmup_ns > 0),
                                 .n_servers = study->fleet.groups[0].n_servers,
                                 .warmup_ns = study->warmup_ns,
                                 .end_ns = end_ns,
                                 .n_slowest = study->fleet.n_slowest,
                                 .all_queries = study->fleet.all_queries};
}

bool live_results_any(const struct study *study, int64_t end_ns)
{
    return end_ns - study->warmup_ns >= study->settings.bins;
}

int live_results_make(const struct study *study, const struct live_log *log, int64_t end_ns,
                      struct live_results *to, struct err *err)
{
    const struct record_shape shape = shape_of(study, end_ns);
    *to = (struct live_results){.gap_mean_s = 0};
    if (!live_results_any(study, end_ns))
        return err_set(err, ERR_FAIL, "stopped at %.3g s%s: nothing is measured",
                       simtime_to_s(end_ns),
                       study->warmup_ns > 0 ? ", before the warm-up was over" : "");
    to->meta = meta_of(study, end_ns);
    to->measured = record_create(&shape);
    live_record_fill(log, to->measured);
    to->summary = summary_create(to->measured, to->meta);
    to->window = (struct live_window){to->summary->fleet.first_bin, to->summary->fleet.n_bins,
                                      log->plan->n_servers * log->plan->n_workers};
    for (size_t i = 0; i < log->n_requests; i++)
        to->gap_mean_s += simtime_to_s(log->requests[i].begin_ns - log->requests[i].ready_ns) /
                          (double)log->n_requests;
    live_compare_row(&to->window, to->measured, NULL, &to->rows[LIVE_ROW_MEASURED]);
    to->has_row[LIVE_ROW_MEASURED] = true;
    return 0;
}

int live_results_simulate(MPI_Comm comm, const struct study *study, const struct live_log *log,
                          struct live_results *to, struct err *err)
{
    const struct record_shape shape = shape_of(study, study->settings.duration_ns);
    *to = (struct live_results){.meta = meta_of(study, study->settings.duration_ns),
                                .measured = record_create(&shape)};
    int rc = live_simulate(comm, log, LIVE_ALL_TERMS, 1, to->measured, err);
    if (rc == 0)
        to->summary = summary_create(to->measured, to->meta);
    else
        live_results_release(to);
    return rc;
}

static void compare_replay(const struct live_log *log, bool gaps, struct live_results *to)
{
    int at = gaps ? LIVE_ROW_REPLAY_GAPS : LIVE_ROW_REPLAY;
    struct record *record = record_create(&to->measured->shape);
    struct live_log *replay = live_replay(log, gaps);
    live_record_fill(replay, record);
    live_compare_row(&to->window, to->measured, record, &to->rows[at]);
    to->has_row[at] = true;
    live_log_destroy(replay);
    record_destroy(record);
}

static int compare_simulated(MPI_Comm comm, const struct live_log *log, int at, double slower,
                             struct live_results *to, struct err *err)
{
    int term = at == LIVE_ROW_OWN_SPEED ? LIVE_ALL_TERMS : at - LIVE_ROW_TERMS;
    struct record *record = record_create(&to->measured->shape);
    int rc = live_simulate(comm, log, (enum live_term)term, slower, record, err);
    if (rc == 0)
        live_compare_row(&to->window, to->measured, record, &to->rows[at]);
    to->has_row[at] = rc == 0;
    record_destroy(record);
    return rc;
}

int live_results_compare(MPI_Comm comm, const struct live_log *log, struct live_results *to,
                         struct err *err)
{
    int rc = 0;
    for (int term = 0; term < N_LIVE_TERMS && rc == 0; term++)
        if (live_simulate_has(log->plan, (enum live_term)term))
            rc = compare_simulated(comm, log, LIVE_ROW_TERMS + term, 1, to, err);
    double slower = 1 / (1 + to->rows[LIVE_ROW_TERMS].number[FIDELITY_BUSY].error_frac.value);
    if (rc == 0 && isfinite(slower))
        rc = compare_simulated(comm, log, LIVE_ROW_OWN_SPEED, slower, to, err);
    if (rc == 0) {
        compare_replay(log, false, to);
        compare_replay(log, true, to);
    }
    return rc;
}

struct fidelity live_results_fidelity(const struct live_results *results)
{
    struct fidelity fidelity = {.n = 0};
    for (int r = 0; r < N_LIVE_ROWS; r++)
        if (results->has_row[r])
            fidelity_add(&fidelity, live_results_rows[r], &results->rows[r]);
    return fidelity;
}

void live_results_release(struct live_results *results)
{
    meta_destroy(results->meta);
    record_destroy(results->measured);
    summary_destroy(results->summary);
    *results = (struct live_results){.gap_mean_s = 0};
}
