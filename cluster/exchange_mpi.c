// SPDX-License-Identifier: Apache-2.0
#include "cluster/exchange_mpi.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "par/mpi_err.h"
#include "cluster/wire.h"

// Parcels under way per rank before its balancers wait: bounds memory, keeps the receivers busy.
enum { MAX_PARCELS_UNDER_WAY = 64, TAG = 1 };

// An outgoing message and its buffer, reused.
struct outgoing {
    unsigned char *bytes;
    size_t cap;
    MPI_Request request;
    bool busy, parcel;
};

struct exchange_mpi {
    struct exchange base;
    struct exchange_mpi_config config;
    struct balancer **balancers;
    int rank;
    struct outgoing *out;
    size_t n_out;
    size_t n_parcels_under_way;
    unsigned char *in;
    size_t in_cap;
    struct completions completions;
    uint32_t n_open_feeds; // parts here whose balancer is elsewhere and has not closed
    uint64_t bytes_sent;
    int64_t n_sent, n_handled; // messages
    int mpi_error;             // first failure of a send, MPI_SUCCESS when none
};

static void note(struct exchange_mpi *exchange, int rc)
{
    if (rc != MPI_SUCCESS && exchange->mpi_error == MPI_SUCCESS)
        exchange->mpi_error = rc;
}

static void reap_sent(struct exchange_mpi *exchange)
{
    for (size_t i = 0; i < exchange->n_out; i++) {
        struct outgoing *out = &exchange->out[i];
        int done = 0;
        if (!out->busy)
            continue;
        note(exchange, MPI_Test(&out->request, &done, MPI_STATUS_IGNORE));
        if (done) {
            out->busy = false;
            exchange->n_parcels_under_way -= out->parcel;
        }
    }
}

static struct outgoing *free_buffer(struct exchange_mpi *exchange, size_t bytes)
{
    struct outgoing *out = NULL;
    for (size_t i = 0; i < exchange->n_out && !out; i++)
        if (!exchange->out[i].busy)
            out = &exchange->out[i];
    if (!out) {
        exchange->out = mem_realloc(exchange->out, exchange->n_out + 1, sizeof *exchange->out);
        out = &exchange->out[exchange->n_out++];
        *out = (struct outgoing){.request = MPI_REQUEST_NULL};
    }
    if (out->cap < bytes) {
        out->cap = bytes;
        out->bytes = mem_realloc(out->bytes, bytes, 1);
    }
    return out;
}

// head->n records of record_bytes and, behind them, head->n_lost losses (`lost` NULL: none).
static void send_message(struct exchange_mpi *exchange, int rank, const struct wire_head *head,
                         const void *records, size_t record_bytes, const struct loss *lost)
{
    size_t lost_at = wire_bytes(head->n, record_bytes);
    size_t n_lost = lost ? head->n_lost : 0;
    size_t bytes = lost_at + n_lost * sizeof *lost;
    assert(bytes <= INT32_MAX);
    struct outgoing *out = free_buffer(exchange, bytes);
    memcpy(out->bytes, head, sizeof *head);
    if (head->n)
        memcpy(out->bytes + sizeof *head, records, head->n * record_bytes);
    if (n_lost)
        memcpy(out->bytes + lost_at, lost, n_lost * sizeof *lost);
    out->busy = true;
    out->parcel = head->kind == WIRE_QUERIES;
    exchange->n_parcels_under_way += out->parcel;
    exchange->bytes_sent += bytes;
    exchange->n_sent++;
    note(exchange, MPI_Isend(out->bytes, (int)bytes, MPI_BYTE, rank, TAG, exchange->config.comm,
                             &out->request));
}

// ---- what balancers see -------------------------------------------------------------------------

static bool is_local(const struct exchange *base, uint32_t part)
{
    const struct exchange_mpi *exchange = (const struct exchange_mpi *)base;
    return exchange->config.layout->parts[part].rank == exchange->rank;
}

static bool has_room(struct exchange *base)
{
    struct exchange_mpi *exchange = (struct exchange_mpi *)base;
    if (exchange->n_parcels_under_way >= MAX_PARCELS_UNDER_WAY)
        reap_sent(exchange);
    return exchange->n_parcels_under_way < MAX_PARCELS_UNDER_WAY;
}

static bool deliver(struct exchange *base, const struct parcel *parcel,
                    struct completions *completions)
{
    struct exchange_mpi *exchange = (struct exchange_mpi *)base;
    if (is_local(base, parcel->part)) {
        struct server_block *block = exchange->config.blocks[parcel->part];
        server_block_run(block, parcel->queries, parcel->n, completions);
        if (parcel->until_ns > 0)
            server_block_settle(block, parcel->until_ns, completions);
        return true;
    }
    const struct layout_part *part = &exchange->config.layout->parts[parcel->part];
    struct wire_head head = {.kind = WIRE_QUERIES,
                             .cell = part->cell,
                             .part = parcel->part,
                             .n = (uint32_t)parcel->n,
                             .window = parcel->window,
                             .until_ns = parcel->until_ns};
    send_message(exchange, part->rank, &head, parcel->queries, sizeof *parcel->queries, NULL);
    return false;
}

static bool pass(struct exchange *base, uint32_t part, uint64_t window, int64_t until_ns,
                 struct completions *completions)
{
    struct exchange_mpi *exchange = (struct exchange_mpi *)base;
    const struct layout_part *to = &exchange->config.layout->parts[part];
    struct wire_head head = {
        .kind = WIRE_PASS, .cell = to->cell, .part = part, .n = 1, .window = window};
    if (is_local(base, part))
        server_block_settle(exchange->config.blocks[part], until_ns, completions);
    else
        send_message(exchange, to->rank, &head, &until_ns, sizeof until_ns, NULL);
    return is_local(base, part);
}

static void close_cell(struct exchange *base, uint32_t cell)
{
    struct exchange_mpi *exchange = (struct exchange_mpi *)base;
    const struct layout *layout = exchange->config.layout;
    for (uint32_t p = layout->first_part[cell]; p < layout->first_part[cell + 1]; p++) {
        struct wire_head head = {.kind = WIRE_CLOSE, .cell = cell, .part = p};
        if (!is_local(base, p))
            send_message(exchange, layout->parts[p].rank, &head, NULL, 0, NULL);
    }
}

static const struct exchange_type mpi_type = {"mpi", is_local, has_room, deliver, pass, close_cell};

// ---- what comes in ------------------------------------------------------------------------------

// A balancer that listens counts the answers: it gets one even where there is nothing to tell.
static void send_answer(struct exchange_mpi *exchange, int from, const struct wire_head *head)
{
    const struct completions *completions = &exchange->completions;
    struct wire_head answer = {.kind = WIRE_REPORTS,
                               .cell = head->cell,
                               .part = head->part,
                               .n = (uint32_t)completions->n,
                               .window = head->window,
                               .n_lost = (uint32_t)completions->n_lost};
    send_message(exchange, from, &answer, completions->v, sizeof *completions->v,
                 completions->lost);
}

static void run_parcel(struct exchange_mpi *exchange, int from, const struct wire_head *head)
{
    const struct query *queries = (const void *)(exchange->in + sizeof *head);
    struct completions *completions = &exchange->completions;
    completions_clear(completions);
    server_block_run(exchange->config.blocks[head->part], queries, head->n, completions);
    if (head->until_ns > 0)
        server_block_settle(exchange->config.blocks[head->part], head->until_ns, completions);
    if (exchange->config.wants_answers)
        send_answer(exchange, from, head);
}

static void run_pass(struct exchange_mpi *exchange, int from, const struct wire_head *head)
{
    int64_t until_ns;
    memcpy(&until_ns, exchange->in + sizeof *head, sizeof until_ns);
    completions_clear(&exchange->completions);
    server_block_settle(exchange->config.blocks[head->part], until_ns, &exchange->completions);
    send_answer(exchange, from, head);
}

static void hear(struct exchange_mpi *exchange, const struct wire_head *head)
{
    unsigned char *records = exchange->in + sizeof *head;
    struct completions completions = {.v = (void *)records,
                                      .n = head->n,
                                      .lost = (void *)(records + head->n * sizeof *completions.v),
                                      .n_lost = head->n_lost};
    balancer_hear(exchange->balancers[head->cell], head->window, &completions);
}

static void handle(struct exchange_mpi *exchange, int from)
{
    struct wire_head head;
    memcpy(&head, exchange->in, sizeof head);
    if (head.kind == WIRE_QUERIES)
        run_parcel(exchange, from, &head);
    else if (head.kind == WIRE_PASS)
        run_pass(exchange, from, &head);
    else if (head.kind == WIRE_REPORTS)
        hear(exchange, &head);
    else
        exchange->n_open_feeds--;
}

int exchange_mpi_poll(struct exchange_mpi *exchange, int *n_handled, struct err *err)
{
    *n_handled = 0;
    for (;;) {
        int there = 0, bytes = 0;
        MPI_Message message;
        MPI_Status status;
        note(exchange,
             MPI_Improbe(MPI_ANY_SOURCE, TAG, exchange->config.comm, &there, &message, &status));
        if (exchange->mpi_error != MPI_SUCCESS)
            return mpi_err_check(exchange->mpi_error, "exchange messages between ranks", err);
        if (!there)
            return 0;
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        if (exchange->in_cap < (size_t)bytes) {
            exchange->in_cap = 2 * (size_t)bytes;
            mem_free(exchange->in);
            exchange->in = mem_aligned(64, exchange->in_cap);
        }
        note(exchange, MPI_Mrecv(exchange->in, bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE));
        if (exchange->mpi_error == MPI_SUCCESS)
            handle(exchange, status.MPI_SOURCE);
        exchange->n_handled++;
        ++*n_handled;
    }
}

bool exchange_mpi_sent(struct exchange_mpi *exchange)
{
    reap_sent(exchange);
    for (size_t i = 0; i < exchange->n_out; i++)
        if (exchange->out[i].busy)
            return false;
    return true;
}

bool exchange_mpi_idle(struct exchange_mpi *exchange)
{
    return exchange_mpi_sent(exchange) && exchange->n_open_feeds == 0;
}

void exchange_mpi_count(const struct exchange_mpi *exchange, int64_t *n_sent, int64_t *n_handled)
{
    *n_sent = exchange->n_sent;
    *n_handled = exchange->n_handled;
}

// ---- life ---------------------------------------------------------------------------------------

struct exchange_mpi *exchange_mpi_create(const struct exchange_mpi_config *config)
{
    struct exchange_mpi *exchange = mem_calloc(1, sizeof *exchange);
    exchange->base.type = &mpi_type;
    exchange->config = *config;
    exchange->mpi_error = MPI_SUCCESS;
    MPI_Comm_rank(config->comm, &exchange->rank);
    const struct layout *layout = config->layout;
    for (uint32_t p = 0; p < layout->n_parts; p++)
        exchange->n_open_feeds += layout->parts[p].rank == exchange->rank &&
                                  layout->balancer_rank[layout->parts[p].cell] != exchange->rank;
    return exchange;
}

void exchange_mpi_destroy(struct exchange_mpi *exchange)
{
    if (!exchange)
        return;
    for (size_t i = 0; i < exchange->n_out; i++)
        mem_free(exchange->out[i].bytes);
    mem_free(exchange->out);
    mem_free(exchange->in);
    completions_release(&exchange->completions);
    mem_free(exchange);
}

struct exchange *exchange_mpi_base(struct exchange_mpi *exchange)
{
    return &exchange->base;
}

void exchange_mpi_listen(struct exchange_mpi *exchange, struct balancer **balancers)
{
    exchange->balancers = balancers;
}

uint64_t exchange_mpi_bytes_sent(const struct exchange_mpi *exchange)
{
    return exchange->bytes_sent;
}
