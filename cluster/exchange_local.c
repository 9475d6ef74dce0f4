// SPDX-License-Identifier: Apache-2.0
#include "cluster/exchange_local.h"

static bool is_local(const struct exchange *exchange, uint32_t part)
{
    (void)exchange;
    (void)part;
    return true;
}

static bool has_room(struct exchange *exchange)
{
    (void)exchange;
    return true;
}

static bool deliver(struct exchange *exchange, const struct parcel *parcel,
                    struct completions *completions)
{
    struct exchange_local *local = (struct exchange_local *)exchange;
    struct server_block *block = local->blocks[parcel->part];
    server_block_run(block, parcel->queries, parcel->n, completions);
    if (parcel->until_ns > 0)
        server_block_settle(block, parcel->until_ns, completions);
    return true;
}

static bool pass(struct exchange *exchange, uint32_t part, uint64_t window, int64_t until_ns,
                 struct completions *completions)
{
    (void)window;
    server_block_settle(((struct exchange_local *)exchange)->blocks[part], until_ns, completions);
    return true;
}

static void close_cell(struct exchange *exchange, uint32_t cell)
{
    (void)exchange;
    (void)cell;
}

static const struct exchange_type local_type = {"local", is_local, has_room,
                                                deliver, pass,     close_cell};

void exchange_local_init(struct exchange_local *exchange, struct server_block **blocks)
{
    exchange->base.type = &local_type;
    exchange->blocks = blocks;
}
