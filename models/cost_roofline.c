// SPDX-License-Identifier: Apache-2.0
#include "models/cost_roofline.h"

#include <math.h>

#define PAGE_BYTES 4096.0
#define PAGE_ENTRY_BYTES 8.0
#define CONVERSION_HZ 3e9   // clock at which input_conversion is given
#define STORED_ITEMS 1024.0 // the reference's largest query

// A class of operators on one machine, everything that does not depend on items or busy cores.
struct class_cost {
    double fixed_s;         // per request: operators
    double flat_s;          // per request: what a batch below the half-batch loses
    double item_s;          // per item: arithmetic; of vector work its bytes as well
    double byte_s;          // per item: what layers read and write
    double op_weight_bytes; // of one operator, the mean of the class
    double op_item_bytes;   // per item, what one operator reads and writes
    double spill_bytes;     // per item, what crosses a cache that is too small for it
    double request_s, history_s, history_sq_s, item_history_s; // once; by the query's history
};

struct prepared {
    struct class_cost cpu[N_WORK_CLASSES], accel[N_WORK_CLASSES];
    double request_s;
    double weight_bytes;
    double page_bytes;            // page-table entries of all tables
    double input_s, input_item_s; // turning a query's inputs into tensors, on the host
    double stored_items;          // of which a CPU request converts all; 0: its own
    double load_s, load_item_s, load_history_s;
    double gather_frac, history_frac; // of row bytes and of histories: what no cache holds
};

// What a piece of work runs on: one core, or a whole accelerator.
struct machine {
    const struct platform_rate *rates[N_WORK_CLASSES]; // NULL: vector work
    const struct platform_fixed *fixed;
    double vector_flops;
    double speedup;                  // of the layers' arithmetic in the model's number format
    double activation_bw, stream_bw; // what the layers of stacks move, and what others do
    double gather_bw, gather_half_items;
};

static double speedup_of(const struct platform_formats *formats, int format)
{
    double speedup = format == FORMAT_FP32   ? 1
                     : format == FORMAT_INT8 ? formats->int8_speedup
                                             : formats->bf16_speedup;
    return speedup > 0 ? speedup : 1;
}

static struct machine core_machine(const struct platform *p, int format)
{
    return (struct machine){
        .rates = {[WORK_FC] = &p->fc,
                  [WORK_ATTENTION] = &p->attention,
                  [WORK_RECURRENT] = &p->recurrent},
        .fixed = &p->fixed,
        .vector_flops = p->vector_flops,
        .speedup = speedup_of(&p->formats, format),
        .activation_bw = p->activation_bw > 0 ? p->activation_bw : p->stream_bw,
        .stream_bw = p->stream_bw,
        .gather_bw = p->gather_bw,
        .gather_half_items = p->gather_half_items,
    };
}

static struct machine accel_machine(const struct accelerator *a, int format)
{
    return (struct machine){
        .rates = {[WORK_FC] = &a->fc,
                  [WORK_ATTENTION] = &a->attention,
                  [WORK_RECURRENT] = &a->recurrent},
        .fixed = &a->fixed,
        .vector_flops = a->vector_flops,
        .speedup = speedup_of(&a->formats, format),
        .activation_bw = a->memory_bw,
        .stream_bw = a->memory_bw,
        .gather_bw = a->gather_bw,
        .gather_half_items = a->gather_half_items,
    };
}

static double fixed_of(const struct platform_fixed *fixed, enum work_class class)
{
    double own = class == WORK_FC || class == WORK_ATTENTION ? fixed->fc_s
                 : class == WORK_EMBEDDING                   ? fixed->gather_s
                 : class == WORK_RECURRENT                   ? fixed->recurrent_s
                                                             : 0;
    return own > 0 ? own : fixed->operator_s;
}

// flop * b / (peak * b / (b + half)) = flop * half / peak + flop / peak * b: a straight line.
// The bytes of lookups wait for the share of the bandwidth, so they are not in here on a core.
// Attention is many small operators: their bytes stream, and what their narrowness costs is in
// their rate. In the stacks it is the bytes' bandwidth that says how much narrow layers lose.
static double layer_bw(const struct machine *m, enum work_class class)
{
    return class == WORK_ATTENTION ? m->stream_bw : m->activation_bw;
}

// The same of what is done once or per history item, a batch of its own that has no half to lose.
static double volume_s(const struct machine *m, const struct platform_rate *rate,
                       enum work_class class, const struct work_volume *volume)
{
    if (rate && rate->peak_flops > 0)
        return volume->flop / (rate->peak_flops * m->speedup) +
               (volume->read_bytes + volume->bytes) / layer_bw(m, class);
    return class == WORK_EMBEDDING ? 0 // by the share of the bandwidth, as per item
                                   : volume->flop / m->vector_flops + volume->bytes / m->stream_bw;
}

static struct class_cost class_cost(const struct machine *m, enum work_class class,
                                    const struct work *work, double fixed_scale)
{
    double moved_bytes = work->read_bytes_per_item + work->bytes_per_item;
    struct class_cost c = {.fixed_s = fixed_scale * (fixed_of(m->fixed, class) * work->n_ops +
                                                     m->fixed->part_s * work->n_parts),
                           .op_weight_bytes = work->weight_bytes / work->n_ops,
                           .op_item_bytes = moved_bytes / work->n_ops,
                           .spill_bytes = moved_bytes + work->bytes_per_item};
    const struct platform_rate *rate = m->rates[class];
    if (rate && rate->peak_flops > 0) {
        double peak_flops = rate->peak_flops * m->speedup;
        c.flat_s = work->flop_per_item * rate->half_items / peak_flops;
        c.item_s = work->flop_per_item / peak_flops;
        c.byte_s = moved_bytes / layer_bw(m, class);
    } else if (class != WORK_EMBEDDING) { // additions of lookups hide behind the rows
        c.item_s = work->flop_per_item / m->vector_flops + work->bytes_per_item / m->stream_bw;
        c.spill_bytes = 3 * work->bytes_per_item; // it reads as much as it writes
    }
    c.request_s = volume_s(m, rate, class, &work->request);
    c.history_s = volume_s(m, rate, class, &work->history);
    if (rate && rate->peak_flops > 0) {
        c.history_sq_s = work->history_sq_flop / (rate->peak_flops * m->speedup);
        c.item_history_s = work->item_history_flop / (rate->peak_flops * m->speedup);
    }
    return c;
}

// A lone item is a matrix times a vector: it waits for the weights, not for a batch to fill.
static double flat_s(const struct class_cost *c, double items)
{
    return c->flat_s * (items - 1) / items;
}

// From memory: what no cache of rows holds.
static double gather_bytes(const struct prepared *w, const struct model_work *work,
                           double half_items, double items)
{
    const struct work *gather = &work->by_class[WORK_EMBEDDING];
    return w->gather_frac * (gather->bytes_per_item * (items + half_items) + gather->request.bytes);
}

// What the reference does to a query's inputs before it runs, wherever it runs: every index and
// every length is an element of a Python list, features are an array that is copied, and each
// tensor is handed over.
static void prepare_inputs(const struct cost_config *config, const struct platform *p,
                           const struct model_work *work, struct prepared *to)
{
    if (!(config->input_conversion_s > 0))
        return;
    double slower = p->clock_hz > 0 ? CONVERSION_HZ / p->clock_hz : 1; // Python runs in the core
    to->input_s = p->input_fixed_s * work->n_inputs;
    to->input_item_s =
        slower * config->input_conversion_s * (work->lookups_per_item + work->rows_per_item) +
        2 * work->dense_bytes_per_item / p->stream_bw; // read and written
    if (config->convert_whole_input)
        to->stored_items = config->stored_items > 0 ? (double)config->stored_items : STORED_ITEMS;
}

static void prepare_load(const struct accelerator *a, const struct model_work *work,
                         struct prepared *to)
{
    double bytes = work->index_bytes_per_item + work->dense_bytes_per_item;
    double once = work->index_bytes_per_request + work->dense_bytes_per_request;
    to->load_s =
        a->link_fixed_s + a->input_fixed_s * work->n_inputs + to->input_s + once / a->link_bw;
    to->load_history_s = to->history_frac * work->index_bytes_per_history / a->link_bw;
    to->load_item_s = a->input_item_s * work->n_inputs + bytes / a->link_bw + to->input_item_s;
}

static void prepare(const struct cost *cost, void *state)
{
    struct prepared *to = state;
    const struct cost_config *config = cost_config_of(cost);
    const struct platform *p = cost_platform_of(cost);
    const struct model_work *work = cost_work_of(cost);
    const int format = cost_model_of(cost)->format;
    double fixed_scale = config->fixed_scale > 0 ? config->fixed_scale : 1;
    const struct machine core = core_machine(p, format),
                         accel = accel_machine(&p->accelerator, format);

    for (int i = 0; i < N_WORK_CLASSES; i++) {
        const struct work *of = &work->by_class[i];
        if (!(of->n_ops > 0))
            continue;
        to->cpu[i] = class_cost(&core, (enum work_class)i, of, fixed_scale);
        if (p->has_accelerator)
            to->accel[i] = class_cost(&accel, (enum work_class)i, of, fixed_scale);
        if (p->has_accelerator && i == WORK_EMBEDDING && p->accelerator.row_bw > 0)
            to->accel[i].item_s += work->row_bytes_per_item / p->accelerator.row_bw;
    }
    to->request_s = fixed_scale * p->request_s;
    to->gather_frac = 1 - config->embedding_hit_frac;
    to->history_frac = 1 - config->history_hit_frac;
    to->weight_bytes = work_weight_bytes(work);
    to->page_bytes = work->table_bytes / PAGE_BYTES * PAGE_ENTRY_BYTES;
    prepare_inputs(config, p, work, to);
    if (p->has_accelerator)
        prepare_load(&p->accelerator, work, to);
}

// What a core has while `busy` cores share its socket.
struct share {
    double busy;
    double stream_bw, gather_bw;
    double cache_bytes; // L2 and its part of L3
    double gather_stretch;
};

static double at_most(double core, double socket, double busy)
{
    return socket > 0 && socket / busy < core ? socket / busy : core;
}

static double cache_bytes(const struct platform *p, double busy)
{
    return p->l3_bytes / busy + (p->l3_inclusive ? 0 : p->l2_bytes);
}

// The part of `wanted` bytes that `have` holds.
static double held(double have, double wanted)
{
    return have < wanted ? have / wanted : 1;
}

// Memory is no faster than the L3 in front of it, whatever the two were measured with.
static double memory_bw(const struct platform *p, const struct share *s)
{
    return fmin(s->stream_bw, p->weight_bw);
}

static struct share share_of(const struct platform *p, const struct prepared *w,
                             uint32_t busy_cores)
{
    double busy = platform_socket_busy(p, busy_cores), alone = cache_bytes(p, 1);
    struct share s = {
        .busy = busy,
        .stream_bw = at_most(p->stream_bw, p->stream_socket_bw, busy),
        .gather_bw = at_most(p->gather_bw, p->gather_socket_bw, busy),
        .cache_bytes = cache_bytes(p, busy),
    };
    double lost = alone > 0 ? 1 - held(s.cache_bytes, fmin(w->page_bytes, alone)) : 0;
    s.gather_stretch = 1 + p->gather_contention_frac * lost;
    return s;
}

// A line that an inclusive L3 drops leaves the L2 too. Hits in the L2 do not make it look used
// in the L3, where every busy core moves its own set through: it survives with odds of
// L3 / (busy * set). Alone, nothing competes; a private L2 keeps what it holds.
static double kept(const struct platform *p, const struct share *s, double set)
{
    if (!p->l3_inclusive || !(p->l3_bytes > 0))
        return 1;
    return held(p->l3_bytes, s->busy * fmin(set, p->l3_bytes));
}

static double stretch(const struct platform *p, double kept_frac)
{
    return 1 + p->fc_contention_frac * (1 - kept_frac);
}

// What a class moves on a core. An operator has its inputs from the one before it and is done with
// them when it ends, so it needs room for its own weights and bytes, however many operators the
// model has. What lies beyond the L2 comes from the core's part of the L3, then from memory; a
// line that is written is read first.
static double moved_s(const struct platform *p, const struct share *s, const struct class_cost *c,
                      double items)
{
    double set = c->op_weight_bytes + c->op_item_bytes * items, l2_kept = kept(p, s, set);
    double in_l2 = held(p->l2_bytes * l2_kept, set);
    double cached = fmax(in_l2, held(s->cache_bytes, set));
    double spill_s = (cached - in_l2) / p->weight_bw + (1 - cached) / memory_bw(p, s);
    return c->byte_s * items * stretch(p, l2_kept) + c->spill_bytes * items * spill_s;
}

// Reading the weights once: free from the L2, then from the core's part of the L3, then memory.
// A request comes back to them after all of the others, so their set is all of them.
static double weights_s(const struct platform *p, const struct share *s, double bytes)
{
    double l2_kept = kept(p, s, bytes), l2_bytes = p->l2_bytes * l2_kept;
    double beyond_l2 = fmax(0, bytes - l2_bytes);
    double from_l3 = fmin(beyond_l2, fmax(0, s->cache_bytes - l2_bytes));
    double from_memory = beyond_l2 - from_l3;
    return (from_l3 / p->weight_bw + from_memory / memory_bw(p, s)) * stretch(p, l2_kept);
}

void cost_roofline_cpu_parts(const struct cost *cost, uint32_t items, uint32_t busy_cores,
                             struct cost_roofline_parts *parts)
{
    const struct prepared *w = cost_state_of(cost);
    const struct platform *p = cost_platform_of(cost);
    const struct model_work *work = cost_work_of(cost);
    const double b = items;
    const struct share s = share_of(p, w, busy_cores);
    const double weight_s =
        w->weight_bytes > 0 ? weights_s(p, &s, w->weight_bytes) / w->weight_bytes : 0;

    parts->request_s = w->request_s;
    parts->input_s = w->input_s + w->input_item_s * (w->stored_items > 0 ? w->stored_items : b);
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        const struct class_cost *c = &w->cpu[i];
        const struct work *of = &work->by_class[i];
        parts->class_s[i] =
            c->fixed_s + flat_s(c, b) + c->item_s * b + c->request_s + weight_s * of->weight_bytes;
        if (i != WORK_EMBEDDING && of->n_ops > 0)
            parts->class_s[i] += moved_s(p, &s, c, b);
    }
    parts->class_s[WORK_EMBEDDING] +=
        gather_bytes(w, work, p->gather_half_items, b) / s.gather_bw * s.gather_stretch;
}

void cost_roofline_accel_parts(const struct cost *cost, uint32_t items,
                               struct cost_roofline_parts *parts)
{
    const struct prepared *w = cost_state_of(cost);
    const struct accelerator *a = &cost_platform_of(cost)->accelerator;
    const struct model_work *work = cost_work_of(cost);

    parts->request_s = 0;
    parts->input_s = w->load_s + w->load_item_s * items;
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        const struct class_cost *c = &w->accel[i];
        parts->class_s[i] = c->fixed_s + flat_s(c, items) + (c->item_s + c->byte_s) * items +
                            c->request_s + work->by_class[i].weight_bytes / a->memory_bw;
    }
    parts->class_s[WORK_EMBEDDING] +=
        gather_bytes(w, work, a->gather_half_items, items) / a->gather_bw;
}

static double classes_s(const struct cost_roofline_parts *parts)
{
    double s = 0;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        s += parts->class_s[i];
    return s;
}

static double cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores)
{
    struct cost_roofline_parts parts;
    cost_roofline_cpu_parts(cost, items, busy_cores, &parts);
    return parts.request_s + parts.input_s + classes_s(&parts);
}

static void history(const struct cost *cost, enum cost_place place, uint32_t busy_cores,
                    struct cost_history *out)
{
    const struct prepared *w = cost_state_of(cost);
    const struct platform *p = cost_platform_of(cost);
    const struct work_volume *rows = &cost_work_of(cost)->by_class[WORK_EMBEDDING].history;
    const struct share s = share_of(p, w, busy_cores);
    const struct class_cost *costs = place == COST_CPU ? w->cpu : w->accel;
    if (place == COST_LOAD) {
        out->item_s = w->load_history_s;
        return;
    }
    double row_s =
        place == COST_CPU ? s.gather_stretch / s.gather_bw : 1 / p->accelerator.gather_bw;
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        out->item_s += w->history_frac * costs[i].history_s;
        out->square_s += w->history_frac * costs[i].history_sq_s;
        out->item_history_s += costs[i].item_history_s;
    }
    out->item_s += w->history_frac * w->gather_frac * rows->bytes * row_s;
}

static double accel_load_s(const struct cost *cost, uint32_t items)
{
    const struct prepared *w = cost_state_of(cost);
    return w->load_s + w->load_item_s * items;
}

static double accel_compute_s(const struct cost *cost, uint32_t items)
{
    struct cost_roofline_parts parts;
    cost_roofline_accel_parts(cost, items, &parts);
    return classes_s(&parts);
}

static bool depends_on_busy(const struct cost *cost)
{
    return cost_platform_of(cost)->cores > 1;
}

static bool has_accel(const struct cost *cost)
{
    return cost_platform_of(cost)->has_accelerator;
}

// A rate this model needs; one its classes never use may stay 0.
struct need {
    const char *key;
    double value;
    bool needed;
};

static int check_needs(const struct need *needs, size_t n, const char *name, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (needs[i].needed && !(needs[i].value > 0))
            return err_set(err, ERR_STUDY, "%s: the roofline cost needs it above 0 on \"%s\"",
                           needs[i].key, name ? name : "");
    return 0;
}

static int check_accel(const struct accelerator *a, const struct model_work *work, struct err *err)
{
    const struct need needs[] = {
        {"accelerator.fc_peak", a->fc.peak_flops, true},
        {"accelerator.attention_peak", a->attention.peak_flops,
         work->by_class[WORK_ATTENTION].n_ops > 0},
        {"accelerator.recurrent_peak", a->recurrent.peak_flops,
         work->by_class[WORK_RECURRENT].n_ops > 0},
        {"accelerator.vector_peak", a->vector_flops, true},
        {"accelerator.memory_bandwidth", a->memory_bw, true},
        {"accelerator.gather_bandwidth", a->gather_bw, true},
        {"accelerator.link_bandwidth", a->link_bw, true},
    };
    return check_needs(needs, sizeof needs / sizeof needs[0], a->name, err);
}

static int check(const struct cost *cost, struct err *err)
{
    const struct platform *p = cost_platform_of(cost);
    const struct model_work *work = cost_work_of(cost);
    if (!cost_model_of(cost))
        return err_set(err, ERR_STUDY, "model: the roofline cost needs one");
    if (p->cores_per_worker > 1)
        return err_set(
            err, ERR_STUDY,
            "cores_per_worker: the roofline cost is of requests of one core each; "
            "expected 1, got %lld on \"%s\"; measured times (kind: table) may be of more",
            (long long)p->cores_per_worker, p->name);
    const struct need needs[] = {
        {"fc_peak", p->fc.peak_flops, true},
        {"attention_peak", p->attention.peak_flops, work->by_class[WORK_ATTENTION].n_ops > 0},
        {"recurrent_peak", p->recurrent.peak_flops, work->by_class[WORK_RECURRENT].n_ops > 0},
        {"vector_peak", p->vector_flops, true},
        {"weight_bandwidth", p->weight_bw, true},
        {"gather_bandwidth", p->gather_bw, true},
        {"stream_bandwidth", p->stream_bw, true},
    };
    if (check_needs(needs, sizeof needs / sizeof needs[0], p->name, err) != 0)
        return -1;
    return p->has_accelerator ? check_accel(&p->accelerator, work, err) : 0;
}

#define CONVERSION_MAX_S 1e-3
#define STORED_MAX 1e6

static const struct field roofline_fields[] = {
    FIELD(cost_config, "fixed_scale", FIELD_REAL, UNIT_NONE, fixed_scale, COST_SCALE_LEAST,
          COST_SCALE_MOST, "1", "fixed times per request and operator are multiplied by it"),
    FIELD(cost_config, "input_conversion", FIELD_REAL, UNIT_TIME, input_conversion_s, 0,
          CONVERSION_MAX_S, "0",
          "host time at 3 GHz per index and length from Python lists, as the reference; 0: off"),
    FIELD(cost_config, "convert_whole_input", FIELD_BOOL, UNIT_NONE, convert_whole_input, 0, 1,
          "false", "a CPU request converts stored_items, whatever its own items"),
    FIELD(cost_config, "stored_items", FIELD_INT, UNIT_ITEMS, stored_items, 1, STORED_MAX, "1024",
          "items of a stored input, for convert_whole_input"),
    FIELD(cost_config, "embedding_hit_ratio", FIELD_REAL, UNIT_FRAC, embedding_hit_frac, 0, 1, "0",
          "part of the table rows that a cache holds, which wait for no memory"),
    FIELD(
        cost_config, "history_hit_ratio", FIELD_REAL, UNIT_FRAC, history_hit_frac, 0, 1, "0",
        "part of the queries whose history is found encoded: what is computed of it once a query"),
    COST_COLD_FIELDS,
    COST_SCALE_FIELDS,
    FIELD_END};

const struct cost_type cost_roofline = {
    .name = "roofline",
    .help = "from the model's operations and bytes and the platform's rates",
    .fields = roofline_fields,
    .cpu_s = cpu_s,
    .accel_load_s = accel_load_s,
    .accel_compute_s = accel_compute_s,
    .depends_on_busy = depends_on_busy,
    .has_accel = has_accel,
    .history = history,
    .check = check,
    .state_size = sizeof(struct prepared),
    .prepare = prepare,
};
