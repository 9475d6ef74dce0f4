// SPDX-License-Identifier: Apache-2.0
#include "models/cost_roofline.h"

// What a piece of work runs on: one core of a busy CPU, or a whole accelerator. The two differ only
// in where these numbers come from.
struct machine {
    const struct platform_rate *rates[N_WORK_CLASSES]; // NULL: vector work
    double vector_flops;
    double gather_half_items;
    double gather_bw, stream_bw; // shares
    double compute_stretch, gather_stretch;
};

static double share(double core, double socket, double busy)
{
    if (socket > 0 && socket / busy < core)
        return socket / busy;
    return core;
}

static double stretch(double frac, const struct platform *platform, uint32_t busy_cores)
{
    if (platform->cores == 1)
        return 1;
    return 1 + frac * (double)(busy_cores - 1) / (double)(platform->cores - 1);
}

static struct machine core_machine(const struct platform *p, uint32_t busy_cores)
{
    double busy = platform_socket_busy(p, busy_cores);
    return (struct machine){
        .rates = {[WORK_FC] = &p->fc,
                  [WORK_ATTENTION] = &p->attention,
                  [WORK_RECURRENT] = &p->recurrent},
        .vector_flops = p->vector_flops,
        .gather_half_items = p->gather_half_items,
        .gather_bw = share(p->gather_bw, p->gather_socket_bw, busy),
        .stream_bw = share(p->stream_bw, p->stream_socket_bw, busy),
        .compute_stretch = stretch(p->fc_contention_frac, p, busy_cores),
        .gather_stretch = stretch(p->gather_contention_frac, p, busy_cores),
    };
}

static struct machine accel_machine(const struct accelerator *a)
{
    return (struct machine){
        .rates = {[WORK_FC] = &a->fc,
                  [WORK_ATTENTION] = &a->attention,
                  [WORK_RECURRENT] = &a->recurrent},
        .vector_flops = a->vector_flops,
        .gather_half_items = a->gather_half_items,
        .gather_bw = a->gather_bw,
        .stream_bw = a->memory_bw,
        .compute_stretch = 1,
        .gather_stretch = 1,
    };
}

// Arithmetic and bytes of one class for `items`. flop * b / (peak * b / (b + half)).
static double class_s(const struct machine *machine, enum work_class class, const struct work *work,
                      double items)
{
    if (class == WORK_EMBEDDING) // its additions hide behind the rows it waits for
        return work->bytes_per_item * (items + machine->gather_half_items) / machine->gather_bw *
               machine->gather_stretch;
    const struct platform_rate *rate = machine->rates[class];
    double arithmetic = rate ? work->flop_per_item * (items + rate->half_items) / rate->peak_flops
                             : work->flop_per_item * items / machine->vector_flops;
    double bytes = work->bytes_per_item * items / machine->stream_bw;
    return (arithmetic + bytes) * machine->compute_stretch;
}

static double all_classes_s(const struct machine *machine, const struct model_work *work,
                            double items)
{
    double s = 0;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        if (work->by_class[i].n_ops > 0)
            s += class_s(machine, (enum work_class)i, &work->by_class[i], items);
    return s;
}

// Reading the weights once. Every process has its own copy, so busy cores share the L3; where it is
// inclusive, what the L2s hold takes its room. Beyond both, from memory.
static double weights_s(const struct platform *p, const struct machine *machine, double bytes,
                        uint32_t busy_cores)
{
    double l3_share = p->l3_bytes / platform_socket_busy(p, busy_cores);
    if (p->l3_inclusive)
        l3_share = l3_share > p->l2_bytes ? l3_share - p->l2_bytes : 0;
    double beyond_l2 = bytes > p->l2_bytes ? bytes - p->l2_bytes : 0;
    double from_l3 = beyond_l2 < l3_share ? beyond_l2 : l3_share;
    double from_memory = beyond_l2 - from_l3;
    return (from_l3 / p->weight_bw + from_memory / machine->stream_bw) * machine->compute_stretch;
}

static double cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores)
{
    const struct platform *p = cost_platform_of(cost);
    const struct model_work *work = cost_work_of(cost);
    struct machine machine = core_machine(p, busy_cores);
    return p->request_s + p->operator_s * work_n_ops(work) +
           weights_s(p, &machine, work_weight_bytes(work), busy_cores) +
           all_classes_s(&machine, work, items);
}

static double accel_load_s(const struct cost *cost, uint32_t items)
{
    const struct accelerator *a = &cost_platform_of(cost)->accelerator;
    const struct model_work *work = cost_work_of(cost);
    double bytes = work->index_bytes_per_item + work->dense_bytes_per_item;
    return a->link_fixed_s + a->input_fixed_s * work->n_inputs +
           (a->input_item_s * work->n_inputs + bytes / a->link_bw) * items;
}

static double accel_compute_s(const struct cost *cost, uint32_t items)
{
    const struct accelerator *a = &cost_platform_of(cost)->accelerator;
    const struct model_work *work = cost_work_of(cost);
    struct machine machine = accel_machine(a);
    return a->launch_s * work_n_ops(work) + work_weight_bytes(work) / a->memory_bw +
           all_classes_s(&machine, work, items);
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

static const struct field roofline_fields[] = {COST_COLD_FIELDS, FIELD_END};

const struct cost_type cost_roofline = {
    .name = "roofline",
    .help = "from the model's operations and bytes and the platform's rates",
    .fields = roofline_fields,
    .cpu_s = cpu_s,
    .accel_load_s = accel_load_s,
    .accel_compute_s = accel_compute_s,
    .depends_on_busy = depends_on_busy,
    .has_accel = has_accel,
    .check = check,
};
