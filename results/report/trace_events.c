// SPDX-License-Identifier: Apache-2.0
#include "results/report/trace_events.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/simtime.h"

// What waits for what; a counter each.
enum { WAITS_FOR_CORE, WAITS_FOR_ACCEL, N_COUNTERS };
static const char *const counter_names[] = {"waiting for a core", "waiting for the accelerator"};
static const char *const unit_names[] = {"core", "link", "stream"};

// Of one moment: counters before what begins then.
enum event_kind { EVENT_COUNTER, EVENT_LOST, EVENT_SLICE };
struct event {
    int64_t ts_ns;
    int64_t value;  // of a counter
    uint32_t kind;  // enum event_kind
    uint32_t index; // which counter, query or slice
};

struct writer {
    FILE *file;
    const struct timeline *timeline;
    const struct meta *meta;
    struct event *events;
    size_t n_events;
    bool comma;
};

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->ts_ns != y->ts_ns)
        return x->ts_ns < y->ts_ns ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static bool in_range(const struct timeline *timeline, int64_t ns)
{
    return ns >= timeline->from_ns && ns < timeline->to_ns;
}

static void add(struct writer *writer, int64_t ts_ns, enum event_kind kind, size_t index,
                int64_t value)
{
    writer->events[writer->n_events++] =
        (struct event){ts_ns, value, (uint32_t)kind, (uint32_t)index};
}

// ---- how many wait ------------------------------------------------------------------------------

struct change {
    int64_t at_ns, by;
};

static int by_moment(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

// Changes in order -> one event per moment at which the number is another.
static void add_levels(struct writer *writer, const struct change *changes, size_t n,
                       uint32_t counter)
{
    const struct timeline *timeline = writer->timeline;
    int64_t level = 0, shown = 0;
    size_t i = 0;
    for (; i < n && changes[i].at_ns <= timeline->from_ns; i++)
        level += changes[i].by;
    add(writer, timeline->from_ns, EVENT_COUNTER, counter, shown = level);
    while (i < n && changes[i].at_ns < timeline->to_ns) {
        int64_t at_ns = changes[i].at_ns;
        for (; i < n && changes[i].at_ns == at_ns; i++)
            level += changes[i].by;
        if (level != shown)
            add(writer, at_ns, EVENT_COUNTER, counter, shown = level);
    }
}

static void add_counter(struct writer *writer, uint32_t counter)
{
    const struct timeline *timeline = writer->timeline;
    struct change *changes = mem_alloc((2 * timeline->n_slices + 1) * sizeof *changes);
    size_t n = 0;
    for (size_t i = 0; i < timeline->n_slices; i++) {
        const struct timeline_slice *slice = &timeline->slices[i];
        bool on_core = slice->unit == TIMELINE_CORE;
        if (on_core != (counter == WAITS_FOR_CORE) || slice->begin_ns == slice->ready_ns)
            continue;
        changes[n++] = (struct change){slice->ready_ns, 1};
        changes[n++] = (struct change){slice->begin_ns, -1};
    }
    qsort(changes, n, sizeof *changes, by_moment);
    add_levels(writer, changes, n, counter);
    mem_free(changes);
}

// ---- collecting ---------------------------------------------------------------------------------

static bool is_drawn(const struct timeline *timeline, const struct timeline_slice *slice)
{
    bool inside = slice->begin_ns < timeline->to_ns && slice->end_ns > timeline->from_ns;
    return slice->fate != TIMELINE_DROPPED &&
           (inside || (slice->begin_ns == slice->end_ns && in_range(timeline, slice->begin_ns)));
}

static void collect(struct writer *writer)
{
    const struct timeline *timeline = writer->timeline;
    // A slice begins, and changes one counter when it comes to wait and when it no longer does.
    size_t most = 3 * timeline->n_slices + timeline->n_queries + N_COUNTERS;
    writer->events = mem_alloc(most * sizeof *writer->events);
    for (size_t i = 0; i < timeline->n_slices; i++)
        if (is_drawn(timeline, &timeline->slices[i]))
            add(writer, timeline->slices[i].begin_ns, EVENT_SLICE, i, 0);
    for (size_t i = 0; i < timeline->n_queries; i++)
        if (timeline->queries[i].lost && in_range(timeline, timeline->queries[i].back_ns))
            add(writer, timeline->queries[i].back_ns, EVENT_LOST, i, 0);
    add_counter(writer, WAITS_FOR_CORE);
    if (timeline->n_streams > 0)
        add_counter(writer, WAITS_FOR_ACCEL);
    qsort(writer->events, writer->n_events, sizeof *writer->events, by_time);
}

// ---- writing ------------------------------------------------------------------------------------

static void put_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c < ' ')
            fprintf(file, "\\u%04x", c);
        else
            fputc(c, file);
    }
    fputc('"', file);
}

static void put_us(FILE *file, const char *key, int64_t ns)
{
    fprintf(file, ",\"%s\":%" PRId64 ".%03" PRId64, key, ns / SIMTIME_US, ns % SIMTIME_US);
}

static uint32_t thread_of(const struct timeline *timeline, uint32_t unit, uint32_t lane)
{
    switch (unit) {
    case TIMELINE_CORE:
        return 1 + lane;
    case TIMELINE_LINK:
        return 1 + timeline->n_cores;
    default:
        return 2 + timeline->n_cores + lane;
    }
}

// An event up to its phase's own members.
static void begin_event(struct writer *writer, const char *phase, const char *name, uint32_t thread)
{
    fputs(writer->comma ? ",\n" : "\n", writer->file);
    writer->comma = true;
    fprintf(writer->file, "{\"ph\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"name\":", phase,
            writer->timeline->server, thread);
    put_text(writer->file, name);
}

static void put_name(struct writer *writer, const char *what, uint32_t thread, const char *name)
{
    begin_event(writer, "M", what, thread);
    fputs(",\"args\":{\"name\":", writer->file);
    put_text(writer->file, name);
    fputs("}}", writer->file);
}

static void put_thread(struct writer *writer, uint32_t unit, uint32_t lane)
{
    uint32_t thread = thread_of(writer->timeline, unit, lane);
    char *name = unit == TIMELINE_LINK ? mem_strdup("link to the accelerator")
                                       : mem_printf("%s %" PRIu32, unit_names[unit], lane);
    put_name(writer, "thread_name", thread, name);
    begin_event(writer, "M", "thread_sort_index", thread);
    fprintf(writer->file, ",\"args\":{\"sort_index\":%" PRIu32 "}}", thread);
    mem_free(name);
}

static void put_names(struct writer *writer)
{
    const struct timeline *timeline = writer->timeline;
    const struct meta_group *group = &writer->meta->groups[timeline->group];
    char *name = mem_printf("server %" PRIu32 " (%s, cell %" PRIu32 ")", timeline->server,
                            group->name, timeline->cell);
    put_name(writer, "process_name", 0, name);
    mem_free(name);
    for (uint32_t i = 0; i < timeline->n_cores; i++)
        put_thread(writer, TIMELINE_CORE, i);
    if (timeline->has_link)
        put_thread(writer, TIMELINE_LINK, 0);
    for (uint32_t i = 0; i < timeline->n_streams; i++)
        put_thread(writer, TIMELINE_STREAM, i);
}

// What is known of a query, as members of "args".
static void put_query(struct writer *writer, const struct timeline_query *query)
{
    fprintf(writer->file,
            "\"query\":%" PRIu64 ",\"cell\":%" PRIu32 ",\"attempt\":%" PRIu32 ",\"items\":%" PRIu32
            ",\"parts\":%" PRIu32 ",\"batch\":%" PRIu32,
            query->seq, query->cell, query->attempt + 1, query->size_items, query->n_parts,
            query->n_batch);
    put_us(writer->file, "arrival_us", query->first_ns);
    if (query->lost)
        fputs(",\"lost\":true", writer->file);
    else
        put_us(writer->file, "latency_us", query->back_ns - query->first_ns);
}

static void put_slice(struct writer *writer, const struct timeline_slice *slice)
{
    const struct timeline_query *query = &writer->timeline->queries[slice->query];
    FILE *file = writer->file;
    begin_event(writer, "X", writer->meta->services[query->service].name,
                thread_of(writer->timeline, slice->unit, slice->lane));
    fprintf(file, ",\"cat\":\"%s\"", unit_names[slice->unit]);
    put_us(file, "ts", slice->begin_ns);
    put_us(file, "dur", slice->end_ns - slice->begin_ns);
    fputs(",\"args\":{", file);
    put_query(writer, query);
    fprintf(file, ",\"part\":%" PRIu32 ",\"part_items\":%" PRIu32, slice->part + 1,
            slice->size_items);
    put_us(file, "waited_us", slice->begin_ns - slice->ready_ns);
    fputs(slice->fate == TIMELINE_CUT ? ",\"cut\":true}}" : "}}", file);
}

static void put_event(struct writer *writer, const struct event *event)
{
    const struct timeline_query *query = &writer->timeline->queries[event->index];
    switch (event->kind) {
    case EVENT_COUNTER:
        begin_event(writer, "C", counter_names[event->index], 0);
        put_us(writer->file, "ts", event->ts_ns);
        fprintf(writer->file, ",\"args\":{\"requests\":%" PRId64 "}}", event->value);
        break;
    case EVENT_LOST:
        begin_event(writer, "i", "lost", 0);
        fputs(",\"cat\":\"lost\",\"s\":\"p\"", writer->file);
        put_us(writer->file, "ts", event->ts_ns);
        fputs(",\"args\":{\"service\":", writer->file);
        put_text(writer->file, writer->meta->services[query->service].name);
        fputc(',', writer->file);
        put_query(writer, query);
        fputs("}}", writer->file);
        break;
    default:
        put_slice(writer, &writer->timeline->slices[event->index]);
    }
}

void trace_events_print(FILE *file, const struct timeline *timeline, const struct meta *meta)
{
    struct writer writer = {.file = file, .timeline = timeline, .meta = meta};
    collect(&writer);
    fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"study\":", file);
    put_text(file, meta->study_name);
    fputs(",\"study_digest\":", file);
    put_text(file, meta->study_digest);
    fputs(",\"program_version\":", file);
    put_text(file, meta->program_version);
    put_us(file, "from_us", timeline->from_ns);
    put_us(file, "to_us", timeline->to_ns);
    fputs("},\"traceEvents\":[", file);
    put_names(&writer);
    for (size_t i = 0; i < writer.n_events; i++)
        put_event(&writer, &writer.events[i]);
    fputs("\n]}\n", file);
    mem_free(writer.events);
}
