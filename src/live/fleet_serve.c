// SPDX-License-Identifier: Apache-2.0
#include "live/fleet_serve.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/core_share.h"
#include "live/fleet_balancer.h"
#include "live/fleet_mail.h"
#include "live/fleet_server.h"
#include "live/live_clock.h"
#include "live/live_host.h"
#include "live/topology.h"
#include "par/agree.h"
#include "par/mpi_err.h"

#define LEAD_NS (20 * SIMTIME_MS) // from the start's being named until it
#define PIECE_BYTES (1 << 24)     // of a message with a part of a log

struct fleet {
    MPI_Comm comm;
    int rank, n_ranks;
    const struct live_plan *plan;
    const struct serve_config *config;
    struct serve_result *result;
    struct fleet_mail *mail;
    struct topology topology;
    int *cpus;     // [n_workers][cores_per_worker] of this rank's workers
    bool has_core; // for its main thread
    struct live_log *log;
    struct live_server *server; // NULL: the balancer's rank
    struct live_host host;
    int64_t start_ns;
};

// ---- cores --------------------------------------------------------------------------------------

// Everybody's cores, those of rank r at [r * n_most]; caller mem_free()s.
static int *gather_cpus(const struct fleet *fleet, int *n_cpus, size_t *n_most)
{
    size_t n = fleet->topology.n_cores;
    int mine = (int)n, most = 0;
    MPI_Allgather(&mine, 1, MPI_INT, n_cpus, 1, MPI_INT, fleet->comm);
    for (int r = 0; r < fleet->n_ranks; r++)
        most = n_cpus[r] > most ? n_cpus[r] : most;
    int *own = mem_calloc((size_t)most, sizeof *own);
    int *all = mem_calloc((size_t)most * (size_t)fleet->n_ranks, sizeof *all);
    uint32_t each = fleet->plan->cores_per_worker;
    topology_teams(&fleet->topology, each < n ? each : n, own);
    MPI_Allgather(own, most, MPI_INT, all, most, MPI_INT, fleet->comm);
    mem_free(own);
    *n_most = (size_t)most;
    return all;
}

// First the workers of every server, then the balancer, then the servers' main threads. Workers of
// one core may also do without one of their own.
static int share_cores(struct fleet *fleet, struct err *err)
{
    size_t n_servers = fleet->plan->n_servers, each = fleet->plan->cores_per_worker;
    size_t n_own = fleet->plan->n_workers * each; // of a server
    size_t n_claims = 2 * n_servers + 1, n_most;
    int *n_cpus = mem_calloc((size_t)fleet->n_ranks, sizeof *n_cpus);
    int *cpus = gather_cpus(fleet, n_cpus, &n_most);
    int *taken = mem_calloc(n_servers * n_own + n_servers + 1, sizeof *taken);
    struct core_claim *claims = mem_calloc(n_claims, sizeof *claims);
    for (size_t c = 0; c < n_claims; c++) {
        bool works = c < n_servers;
        size_t rank = works ? c + 1 : c - n_servers;
        claims[c] = (struct core_claim){
            .cpus = cpus + rank * n_most,
            .n_cpus = (size_t)n_cpus[rank],
            .n_wanted = works ? n_own : 1,
            .taken = taken + (works ? c * n_own : n_servers * n_own + c - n_servers)};
    }
    fleet->result->n_cores = (uint32_t)core_share_give(claims, n_claims);
    fleet->has_core = *claims[n_servers + (size_t)fleet->rank].taken >= 0;
    fleet->cpus = mem_calloc(n_own, sizeof *fleet->cpus);
    if (fleet->rank > 0)
        memcpy(fleet->cpus, claims[fleet->rank - 1].taken, n_own * sizeof *fleet->cpus);
    int rc = 0;
    for (size_t c = 0; c < n_servers && each > 1 && rc == 0; c++)
        if (claims[c].taken[0] < 0) // the same for all ranks
            rc = err_set(err, ERR_STUDY,
                         "%zu servers, each of %u worker%s of %zu cores (cores, cores_per_worker): "
                         "expected at most %u cores together, those that these ranks may use",
                         n_servers, fleet->plan->n_workers, fleet->plan->n_workers == 1 ? "" : "s",
                         each, fleet->result->n_cores);
    mem_free(claims);
    mem_free(taken);
    mem_free(cpus);
    mem_free(n_cpus);
    return rc;
}

// ---- logs ---------------------------------------------------------------------------------------

// What a server's rank says of itself, before its queries and its requests.
struct account {
    uint64_t n_queries, n_requests;
    uint32_t n_pinned, n_failed;
    struct interference interference;
    double table_frac;
    char kernels[160];
};

struct numbered_query {
    uint64_t number;
    struct live_query query;
};

static int send_bytes(const struct fleet *fleet, const void *bytes, size_t n)
{
    const char *at = bytes;
    int rc = MPI_SUCCESS;
    for (size_t m; n > 0 && rc == MPI_SUCCESS; at += m, n -= m) {
        m = n < PIECE_BYTES ? n : PIECE_BYTES;
        rc = MPI_Send(at, (int)m, MPI_BYTE, 0, 0, fleet->comm);
    }
    return rc;
}

static int receive_bytes(const struct fleet *fleet, int from, void *bytes, size_t n)
{
    char *at = bytes;
    int rc = MPI_SUCCESS;
    for (size_t m; n > 0 && rc == MPI_SUCCESS; at += m, n -= m) {
        m = n < PIECE_BYTES ? n : PIECE_BYTES;
        rc = MPI_Recv(at, (int)m, MPI_BYTE, from, 0, fleet->comm, MPI_STATUS_IGNORE);
    }
    return rc;
}

static int send_log(const struct fleet *fleet)
{
    const struct live_log *log = fleet->log;
    const struct live_host *host = &fleet->host;
    struct account account = {.n_requests = log->n_requests,
                              .n_pinned = host->n_pinned,
                              .n_failed = host->n_failed,
                              .interference = host->interference,
                              .table_frac = host->table_frac};
    struct numbered_query *queries = mem_calloc(log->plan->n_queries, sizeof *queries);
    memcpy(account.kernels, host->kernels, sizeof account.kernels);
    for (size_t i = 0; i < log->plan->n_queries; i++)
        if (log->queries[i].fate != LIVE_UNSENT)
            queries[account.n_queries++] = (struct numbered_query){i, log->queries[i]};
    int rc = send_bytes(fleet, &account, sizeof account);
    if (rc == MPI_SUCCESS)
        rc = send_bytes(fleet, queries, account.n_queries * sizeof *queries);
    if (rc == MPI_SUCCESS)
        rc = send_bytes(fleet, log->requests, log->n_requests * sizeof *log->requests);
    mem_free(queries);
    return rc;
}

static void add_account(struct serve_result *result, const struct account *account)
{
    result->n_pinned += account->n_pinned;
    result->n_failed += account->n_failed;
    interference_merge(&result->interference, &account->interference);
    result->table_frac = account->table_frac;
    memcpy(result->kernels, account->kernels, sizeof result->kernels);
}

static int receive_log(struct fleet *fleet, int from)
{
    struct live_log *log = fleet->log;
    struct account account = {0};
    int rc = receive_bytes(fleet, from, &account, sizeof account);
    struct numbered_query *queries = mem_calloc(account.n_queries, sizeof *queries);
    if (rc == MPI_SUCCESS)
        rc = receive_bytes(fleet, from, queries, account.n_queries * sizeof *queries);
    if (rc == MPI_SUCCESS)
        rc = receive_bytes(fleet, from, log->requests + log->n_requests,
                           account.n_requests * sizeof *log->requests);
    for (uint64_t i = 0; i < account.n_queries; i++)
        log->queries[queries[i].number] = queries[i].query;
    log->n_requests += account.n_requests;
    add_account(fleet->result, &account);
    mem_free(queries);
    return rc;
}

static int gather(struct fleet *fleet, struct err *err)
{
    int rc = MPI_SUCCESS;
    if (fleet->rank > 0)
        rc = send_log(fleet);
    for (int r = 1; fleet->rank == 0 && r < fleet->n_ranks && rc == MPI_SUCCESS; r++)
        rc = receive_log(fleet, r);
    return mpi_err_check(rc, "gather what the servers have measured", err);
}

// ---- the run ------------------------------------------------------------------------------------

static int open_server(struct fleet *fleet, struct err *err)
{
    const struct serve_config *config = fleet->config;
    const struct live_server_config server = {.log = fleet->log,
                                              .most_waiting = (uint32_t)config->most_waiting,
                                              .is_posted = true,
                                              .number = (uint32_t)fleet->rank - 1,
                                              .idle_sleeps = config->rests};
    fleet->server = live_server_create(&server);
    fleet->host = (struct live_host){.server = fleet->server,
                                     .plan = fleet->plan,
                                     .engine = config->engine,
                                     .setup = &config->setup,
                                     .cpus = fleet->cpus,
                                     .rests = config->rests,
                                     .fail_after = fleet->rank == 1 ? config->fail_after : 0};
    return live_host_open(&fleet->host, err);
}

static int balance(struct fleet *fleet, struct err *err)
{
    const struct serve_config *config = fleet->config;
    struct fleet_balancer balancer = {.mail = fleet->mail,
                                      .log = fleet->log,
                                      .start_ns = fleet->start_ns,
                                      .has_core = fleet->has_core,
                                      .stops = config->stops,
                                      .progress = config->progress,
                                      .user = config->user};
    int rc = fleet_balancer_run(&balancer, err);
    fleet->result->stopped = balancer.stopped;
    fleet->result->end_ns = balancer.end_ns;
    return rc;
}

static int serve(struct fleet *fleet, struct err *err)
{
    const struct serve_config *config = fleet->config;
    const struct fleet_server server = {.mail = fleet->mail,
                                        .host = &fleet->host,
                                        .has_core = fleet->has_core,
                                        .grace_ns = config->grace_ns,
                                        .stops = config->stops,
                                        .user = config->user};
    live_server_start(fleet->server, fleet->start_ns);
    live_host_begin(&fleet->host);
    return fleet_server_run(&server, err);
}

static int run(struct fleet *fleet, struct err *err)
{
    int rc = fleet->rank > 0 ? open_server(fleet, err) : 0;
    rc = err_agree(fleet->comm, rc, err);
    if (rc == 0) {
        fleet->start_ns = live_clock_ns() + LEAD_NS;
        rc = mpi_err_check(MPI_Bcast(&fleet->start_ns, 1, MPI_INT64_T, 0, fleet->comm),
                           "name the start to the servers", err);
        if (rc == 0)
            rc = fleet->rank == 0 ? balance(fleet, err) : serve(fleet, err);
        rc = err_agree(fleet->comm, rc, err);
    }
    if (fleet->rank > 0)
        live_host_close(&fleet->host);
    return rc == 0 ? err_agree(fleet->comm, gather(fleet, err), err) : rc;
}

int fleet_serve_run(MPI_Comm comm, const struct live_plan *plan, const struct serve_config *config,
                    struct serve_result *result, struct err *err)
{
    struct fleet fleet = {.comm = comm, .plan = plan, .config = config, .result = result};
    *result = (struct serve_result){.n_servers = plan->n_servers,
                                    .n_workers = plan->n_servers * plan->n_workers,
                                    .cores_per_worker = plan->cores_per_worker,
                                    .sent_by_thread = true};
    MPI_Comm_rank(comm, &fleet.rank);
    MPI_Comm_size(comm, &fleet.n_ranks);
    fleet.mail = fleet_mail_create(comm, err);
    if (err_agree(comm, fleet.mail ? 0 : -1, err) < 0)
        return -1;
    topology_read(&fleet.topology);
    int rc = share_cores(&fleet, err);
    result->sender_has_core = fleet.has_core;
    snprintf(result->processor, sizeof result->processor, "%s", fleet.topology.processor);
    fleet.log = live_log_create(plan);
    if (rc == 0)
        rc = run(&fleet, err);
    live_server_destroy(fleet.server);
    fleet_mail_destroy(fleet.mail);
    topology_release(&fleet.topology);
    mem_free(fleet.cpus);
    if (rc == 0 && fleet.rank == 0) {
        result->log = fleet.log;
        result->counts = live_log_count(result->log);
    } else {
        live_log_destroy(fleet.log);
    }
    return rc;
}
