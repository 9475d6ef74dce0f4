// SPDX-License-Identifier: Apache-2.0
#include "cluster/accel.h"

#include "base/mem.h"

void accel_pool_init(struct accel_pool *pool, uint32_t n_servers, uint32_t n_streams, bool overlap)
{
    *pool = (struct accel_pool){.n_servers = n_servers, .n_streams = n_streams, .overlap = overlap};
    pool->streams = mem_calloc((size_t)n_servers * n_streams, sizeof *pool->streams);
    pool->servers = mem_calloc(n_servers, sizeof *pool->servers);
}

void accel_pool_release(struct accel_pool *pool)
{
    for (uint32_t s = 0; pool->servers && s < pool->n_servers; s++)
        mem_free(pool->servers[s].open);
    mem_free(pool->servers);
    mem_free(pool->streams);
    *pool = (struct accel_pool){0};
}

static void forget_ended(struct accel_server *server, int64_t t_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < server->n_open; i++)
        if (server->open[i].end_ns > t_ns)
            server->open[kept++] = server->open[i];
    server->n_open = kept;
}

static void remember(struct accel_server *server, int64_t now_ns, int64_t begin_ns, int64_t end_ns)
{
    if (server->n_open == server->open_cap) {
        forget_ended(server, now_ns);
        if (2 * server->n_open >= server->open_cap) {
            server->open_cap = server->open_cap ? 2 * server->open_cap : 8;
            server->open = mem_realloc(server->open, server->open_cap, sizeof *server->open);
        }
    }
    server->open[server->n_open++] = (struct accel_interval){begin_ns, end_ns};
}

static uint32_t first_free(const struct accel_pool *pool, uint32_t server)
{
    const int64_t *streams = pool->streams + (size_t)server * pool->n_streams;
    uint32_t first = 0;
    for (uint32_t i = 1; i < pool->n_streams; i++)
        if (streams[i] < streams[first])
            first = i;
    return first;
}

static int64_t later(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

int64_t accel_assign(struct accel_pool *pool, uint32_t server, struct accel_job *job)
{
    return accel_assign_to(pool, server, first_free(pool, server), job);
}

int64_t accel_assign_to(struct accel_pool *pool, uint32_t server, uint32_t stream,
                        struct accel_job *job)
{
    struct accel_server *state = &pool->servers[server];
    int64_t *free_ns = &pool->streams[(size_t)server * pool->n_streams + stream];
    int64_t held_ns = job->compute_ns, ready_ns = job->start_ns;
    if (pool->overlap) {
        ready_ns = later(ready_ns, state->link_free_ns) + job->load_ns;
        state->link_free_ns = ready_ns;
    } else {
        held_ns += job->load_ns;
    }
    int64_t begin_ns = later(ready_ns, *free_ns);
    job->begin_ns = begin_ns;
    job->load_begin_ns = pool->overlap ? ready_ns - job->load_ns : begin_ns;
    job->stream = stream;
    job->finish_ns = *free_ns = begin_ns + held_ns;
    remember(state, job->start_ns, begin_ns, job->finish_ns);
    job->wait_ns = job->finish_ns - job->start_ns - job->load_ns - job->compute_ns;
    return held_ns;
}

int64_t accel_backlog_ns(struct accel_pool *pool, uint32_t server, int64_t t_ns, int64_t *drain_ns)
{
    struct accel_server *state = &pool->servers[server];
    forget_ended(state, t_ns);
    int64_t backlog_ns = 0;
    for (size_t i = 0; i < state->n_open; i++)
        backlog_ns += state->open[i].end_ns - later(state->open[i].begin_ns, t_ns);
    int64_t first_ns = pool->streams[(size_t)server * pool->n_streams + first_free(pool, server)];
    first_ns = later(first_ns, state->link_free_ns);
    *drain_ns = first_ns > t_ns ? first_ns - t_ns : 0;
    return backlog_ns;
}

int64_t accel_cut(struct accel_pool *pool, uint32_t server, int64_t t_ns)
{
    struct accel_server *state = &pool->servers[server];
    int64_t *streams = pool->streams + (size_t)server * pool->n_streams, drain_ns;
    int64_t cut_ns = accel_backlog_ns(pool, server, t_ns, &drain_ns);
    for (uint32_t i = 0; i < pool->n_streams; i++)
        streams[i] = streams[i] > t_ns ? t_ns : streams[i];
    state->link_free_ns = state->link_free_ns > t_ns ? t_ns : state->link_free_ns;
    state->n_open = 0;
    return cut_ns;
}

void accel_save(const struct accel_pool *pool, uint32_t server, struct blob *blob)
{
    const struct accel_server *state = &pool->servers[server];
    const int64_t *streams = pool->streams + (size_t)server * pool->n_streams;
    blob_put(blob, streams, pool->n_streams * sizeof *streams);
    blob_put_i64(blob, state->link_free_ns);
    blob_put_u64(blob, state->n_open);
    blob_put(blob, state->open, state->n_open * sizeof *state->open);
}

void accel_load(struct accel_pool *pool, uint32_t server, struct blob_reader *reader)
{
    struct accel_server *state = &pool->servers[server];
    int64_t *streams = pool->streams + (size_t)server * pool->n_streams;
    blob_get(reader, streams, pool->n_streams * sizeof *streams);
    state->link_free_ns = blob_get_i64(reader);
    uint64_t n = blob_get_u64(reader);
    if (n > blob_left(reader) / sizeof *state->open) {
        blob_refuse(reader);
        return;
    }
    state->n_open = state->open_cap = n;
    state->open = mem_realloc(state->open, n, sizeof *state->open);
    blob_get(reader, state->open, n * sizeof *state->open);
}
