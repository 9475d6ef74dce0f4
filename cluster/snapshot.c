// SPDX-License-Identifier: Apache-2.0
#include "cluster/snapshot.h"

#include <string.h>

enum item_kind { ITEM_CELL = 1, ITEM_SERVERS = 2, ITEM_RECORD = 3 };

// Servers are cut into items of about this many bytes.
#define ITEM_BYTES (UINT64_C(1) << 20)

// Before every item. `bytes` follow it.
struct item_head {
    uint32_t kind; // enum item_kind
    uint32_t cell;
    uint32_t group, first_in_cell, n_servers; // ITEM_SERVERS
    uint32_t reserved;
    int64_t next_ns; // of the cell
    uint64_t bytes;
};

void snapshot_settle(const struct snapshot *state)
{
    for (uint32_t p = 0; p < state->layout->n_parts; p++)
        if (state->blocks[p])
            server_block_settle(state->blocks[p], state->next_ns[state->layout->parts[p].cell],
                                NULL);
}

// ---- making -------------------------------------------------------------------------------------

// Room for the head; returns where it lies.
static size_t begin_item(struct blob *frame)
{
    const struct item_head none = {0};
    blob_put(frame, &none, sizeof none);
    return frame->n - sizeof none;
}

static void end_item(struct blob *frame, size_t at, struct item_head head)
{
    head.bytes = frame->n - at - sizeof head;
    memcpy(frame->bytes + at, &head, sizeof head);
}

static bool make_record(struct snapshot *state, struct blob *frame)
{
    if (!state->total || state->record_made)
        return false;
    size_t at = begin_item(frame);
    record_save(state->total, frame);
    end_item(frame, at, (struct item_head){.kind = ITEM_RECORD});
    state->record_made = true;
    return true;
}

static bool make_cell(struct snapshot *state, struct blob *frame)
{
    uint32_t *cell = &state->next_cell;
    while (*cell < state->layout->n_cells && !state->balancers[*cell])
        ++*cell;
    if (*cell == state->layout->n_cells)
        return false;
    size_t at = begin_item(frame);
    balancer_save(state->balancers[*cell], frame);
    end_item(
        frame, at,
        (struct item_head){.kind = ITEM_CELL, .cell = *cell, .next_ns = state->next_ns[*cell]});
    ++*cell;
    return true;
}

static bool make_servers(struct snapshot *state, struct blob *frame)
{
    const struct layout *layout = state->layout;
    while (state->next_part < layout->n_parts && !state->blocks[state->next_part])
        state->next_part++;
    if (state->next_part == layout->n_parts)
        return false;
    const struct layout_part *part = &layout->parts[state->next_part];
    const struct server_block *block = state->blocks[state->next_part];
    uint64_t most = ITEM_BYTES / server_block_bytes(block) + 1;
    uint32_t first = state->next_server, left = part->n_servers - first;
    uint32_t n = left < most ? left : (uint32_t)most;
    size_t at = begin_item(frame);
    server_block_save(block, first, n, frame);
    end_item(frame, at,
             (struct item_head){.kind = ITEM_SERVERS,
                                .cell = part->cell,
                                .group = part->group,
                                .first_in_cell = part->first_in_cell + first,
                                .n_servers = n,
                                .next_ns = state->next_ns[part->cell]});
    state->next_server += n;
    if (n == left) {
        state->next_part++;
        state->next_server = 0;
    }
    return true;
}

bool snapshot_make(void *user, struct blob *frame)
{
    struct snapshot *state = user;
    while (frame->n < SNAPSHOT_FRAME_BYTES &&
           (make_record(state, frame) || make_cell(state, frame) || make_servers(state, frame)))
        ;
    return frame->n > 0;
}

// ---- taking -------------------------------------------------------------------------------------

static int take_record(struct snapshot *state, struct blob_reader *item, struct err *err)
{
    state->n_records_taken++;
    return state->record ? record_load(state->record, item, err) : 0;
}

static int take_cell(struct snapshot *state, const struct item_head *head, struct blob_reader *item,
                     struct err *err)
{
    struct balancer *balancer = state->balancers[head->cell];
    state->n_cells_taken++;
    return balancer ? balancer_load(balancer, item, err) : 0;
}

// The servers may belong to several parts here, and to none.
static int take_servers(struct snapshot *state, const struct item_head *head,
                        const struct blob_reader *item, struct err *err)
{
    const struct layout *layout = state->layout;
    uint64_t end = (uint64_t)head->first_in_cell + head->n_servers;
    state->n_servers_taken += head->n_servers;
    for (uint32_t p = layout->first_part[head->cell]; p < layout->first_part[head->cell + 1]; p++) {
        const struct layout_part *part = &layout->parts[p];
        if (!state->blocks[p] || part->group != head->group || part->first_in_cell >= end ||
            part->first_in_cell + part->n_servers <= head->first_in_cell)
            continue;
        struct blob_reader again = *item;
        server_block_load(state->blocks[p], (int64_t)head->first_in_cell - part->first_in_cell,
                          head->n_servers, head->next_ns, &again);
        if (blob_end(&again, err) < 0)
            return -1;
    }
    return 0;
}

static int take_item(struct snapshot *state, const struct item_head *head, struct blob_reader *item,
                     struct err *err)
{
    const struct layout *layout = state->layout;
    int rc = 0;
    switch (head->kind) {
    case ITEM_RECORD:
        rc = take_record(state, item, err);
        return rc == 0 && state->record ? blob_end(item, err) : rc;
    case ITEM_CELL:
        rc = take_cell(state, head, item, err);
        return rc == 0 && state->balancers[head->cell] ? blob_end(item, err) : rc;
    case ITEM_SERVERS:
        if (head->n_servers <= layout->n_servers[head->cell])
            return take_servers(state, head, item, err);
        break;
    default:
        break;
    }
    return err_set(err, ERR_FAIL, "damaged state");
}

int snapshot_take(void *user, struct blob_reader *frame, struct err *err)
{
    struct snapshot *state = user;
    while (blob_left(frame) > 0) {
        struct item_head head;
        blob_get(frame, &head, sizeof head);
        const void *bytes = blob_take(frame, head.bytes);
        if (!bytes || head.cell >= state->layout->n_cells || head.next_ns < 0)
            return err_set(err, ERR_FAIL, "damaged state");
        struct blob_reader item = blob_read(bytes, head.bytes);
        if (take_item(state, &head, &item, err) < 0)
            return -1;
    }
    return blob_end(frame, err);
}

int snapshot_taken(const struct snapshot *state, struct err *err)
{
    if (state->n_cells_taken == state->layout->n_cells && state->n_records_taken == 1 &&
        state->n_servers_taken == state->layout->n_fleet_servers)
        return 0;
    return err_set(err, ERR_FAIL, "the state of some cells or servers is missing");
}
