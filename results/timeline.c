// SPDX-License-Identifier: Apache-2.0
#include "results/timeline.h"

#include <string.h>

#include "base/mem.h"

void timeline_put(struct timeline *timeline, const struct timeline_slice *slice)
{
    if (timeline->n_slices == timeline->slices_cap) {
        timeline->slices_cap = timeline->slices_cap ? 2 * timeline->slices_cap : 256;
        timeline->slices =
            mem_realloc(timeline->slices, timeline->slices_cap, sizeof *timeline->slices);
    }
    timeline->slices[timeline->n_slices] = *slice;
    timeline->slices[timeline->n_slices++].query = (uint32_t)timeline->n_queries;
}

// A server that goes down ends what runs there, and what waits leaves it.
static void cut(struct timeline_slice *slice, int64_t down_ns)
{
    if (slice->end_ns <= down_ns)
        return;
    slice->fate = slice->begin_ns < down_ns ? TIMELINE_CUT : TIMELINE_DROPPED;
    slice->begin_ns = slice->fate == TIMELINE_CUT ? slice->begin_ns : down_ns;
    slice->ready_ns = slice->ready_ns < down_ns ? slice->ready_ns : down_ns;
    slice->end_ns = down_ns;
}

static bool touches(const struct timeline *timeline, int64_t begin_ns, int64_t end_ns)
{
    return begin_ns < timeline->to_ns && end_ns >= timeline->from_ns;
}

void timeline_end(struct timeline *timeline, const struct timeline_query *query)
{
    size_t kept = timeline->n_slices;
    while (kept > 0 && timeline->slices[kept - 1].query == timeline->n_queries)
        kept--;
    size_t first = kept;
    for (size_t i = first; i < timeline->n_slices; i++) {
        struct timeline_slice slice = timeline->slices[i];
        if (query->lost)
            cut(&slice, query->back_ns);
        if (touches(timeline, slice.ready_ns, slice.end_ns))
            timeline->slices[kept++] = slice;
    }
    timeline->full |= kept > TIMELINE_MOST_SLICES;
    timeline->n_slices = timeline->full ? first : kept;
    if (kept == first && !(query->lost && touches(timeline, query->back_ns, query->back_ns)))
        return;
    if (timeline->n_queries == TIMELINE_MOST_SLICES)
        timeline->full = true;
    if (timeline->full)
        return;
    if (timeline->n_queries == timeline->queries_cap) {
        timeline->queries_cap = timeline->queries_cap ? 2 * timeline->queries_cap : 256;
        timeline->queries =
            mem_realloc(timeline->queries, timeline->queries_cap, sizeof *timeline->queries);
    }
    timeline->queries[timeline->n_queries++] = *query;
}

void timeline_release(struct timeline *timeline)
{
    mem_free(timeline->queries);
    mem_free(timeline->slices);
    *timeline = (struct timeline){0};
}

void timeline_save(const struct timeline *timeline, struct blob *blob)
{
    blob_put(blob, timeline, sizeof *timeline);
    blob_put(blob, timeline->queries, timeline->n_queries * sizeof *timeline->queries);
    blob_put(blob, timeline->slices, timeline->n_slices * sizeof *timeline->slices);
}

int timeline_load(struct timeline *timeline, struct blob_reader *reader, struct err *err)
{
    struct timeline head = {0};
    blob_get(reader, &head, sizeof head);
    const void *queries = blob_take(reader, head.n_queries * sizeof *head.queries);
    const void *slices = blob_take(reader, head.n_slices * sizeof *head.slices);
    if (blob_end(reader, err) < 0)
        return -1;
    head.queries = mem_alloc(head.n_queries * sizeof *head.queries + 1);
    head.slices = mem_alloc(head.n_slices * sizeof *head.slices + 1);
    memcpy(head.queries, queries, head.n_queries * sizeof *head.queries);
    memcpy(head.slices, slices, head.n_slices * sizeof *head.slices);
    head.queries_cap = head.n_queries;
    head.slices_cap = head.n_slices;
    timeline_release(timeline);
    *timeline = head;
    return 0;
}
