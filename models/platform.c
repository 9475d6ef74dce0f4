// SPDX-License-Identifier: Apache-2.0
#include "models/platform.h"

#include <string.h>

#include "base/mem.h"

#define RATE_MAX 1e18 // FLOP/s or bytes/s
#define BYTES_MAX 1e15
#define FIXED_MAX_S 10.0
#define POWER_MAX_W 1e6

// What a server and an accelerator say alike. Lifetime: that of the GreenSKU framework (Wang et
// al., ISCA 2024), 72 months.
#define EMBODIED_MAX_KG 1e6
#define LIFETIME_MAX_S 1e10
#define LABEL_FIELDS(strct)                                                                        \
    FIELD(strct, "class", FIELD_STRING, UNIT_NONE, class, 0, 0, "",                                \
          "what kind of thing it is; lists are grouped by it"),                                    \
        FIELD(strct, "year", FIELD_INT, UNIT_NONE, year, 0, 2100, "0",                             \
              "year in which it came out; 0: not known")
#define FORMAT_FIELDS(strct)                                                                       \
    FIELD(strct, "bf16_speedup", FIELD_REAL, UNIT_NONE, formats.bf16_speedup, 0.01, 1000, "1",     \
          "layers in bf16 or fp16: rate over that in fp32"),                                       \
        FIELD(strct, "int8_speedup", FIELD_REAL, UNIT_NONE, formats.int8_speedup, 0.01, 1000, "1", \
              "layers in int8: rate over that in fp32")
#define EMBODIED_FIELDS(strct)                                                                     \
    FIELD(strct, "embodied_carbon", FIELD_REAL, UNIT_MASS, embodied.carbon_kg, 0, EMBODIED_MAX_KG, \
          "0", "CO2 equivalent of making one; 0: not known, not counted"),                         \
        FIELD(strct, "lifetime", FIELD_REAL, UNIT_TIME, embodied.lifetime_s, 1, LIFETIME_MAX_S,    \
              "2190d", "time over which embodied carbon is spread")

const struct field platform_fields[] = {
    FIELD(platform, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "", "name of the platform"),
    FIELD(platform, "title", FIELD_STRING, UNIT_NONE, title, 0, 0, "", "one line for people"),
    LABEL_FIELDS(platform),
    FIELD(platform, "cores", FIELD_INT, UNIT_NONE, cores, 1, 1024, "1",
          "cores that serve requests"),
    FIELD(platform, "sockets", FIELD_INT, UNIT_NONE, sockets, 1, 16, "1",
          "sockets; busy cores fill them evenly"),
    FIELD(platform, "cores_per_worker", FIELD_INT, UNIT_NONE, cores_per_worker, 1, 1024, "1",
          "processor cores that compute a request together; cores then counts such workers"),
    FIELD(platform, "clock", FIELD_REAL, UNIT_HZ, clock_hz, 0, 1e11, "0", "core clock"),
    FIELD(platform, "fc_peak", FIELD_REAL, UNIT_FLOPS, fc.peak_flops, 0, RATE_MAX, "0",
          "fully connected layers: rate of one core at large batch"),
    FIELD(platform, "fc_half_items", FIELD_REAL, UNIT_ITEMS, fc.half_items, 0, 1e6, "0",
          "fully connected layers: batch that reaches half of the rate"),
    FIELD(platform, "attention_peak", FIELD_REAL, UNIT_FLOPS, attention.peak_flops, 0, RATE_MAX,
          "0", "attention layers: rate of one core at large batch"),
    FIELD(platform, "attention_half_items", FIELD_REAL, UNIT_ITEMS, attention.half_items, 0, 1e6,
          "0", "attention layers: batch that reaches half of the rate"),
    FIELD(platform, "recurrent_peak", FIELD_REAL, UNIT_FLOPS, recurrent.peak_flops, 0, RATE_MAX,
          "0", "recurrent layers: rate of one core at large batch"),
    FIELD(platform, "recurrent_half_items", FIELD_REAL, UNIT_ITEMS, recurrent.half_items, 0, 1e6,
          "0", "recurrent layers: batch that reaches half of the rate"),
    FORMAT_FIELDS(platform),
    FIELD(platform, "vector_peak", FIELD_REAL, UNIT_FLOPS, vector_flops, 0, RATE_MAX, "0",
          "activations, sums and softmax: rate of one core"),
    FIELD(platform, "activation_bandwidth", FIELD_REAL, UNIT_BW, activation_bw, 0, RATE_MAX, "0",
          "what layers of the stacks read and write apart from weights, one core; 0: as "
          "stream_bandwidth"),
    FIELD(platform, "weight_bandwidth", FIELD_REAL, UNIT_BW, weight_bw, 0, RATE_MAX, "0",
          "weights from the last-level cache, one core"),
    FIELD(platform, "gather_half_items", FIELD_REAL, UNIT_ITEMS, gather_half_items, 0, 1e6, "0",
          "table lookups: batch that reaches half of the bandwidth"),
    FIELD(platform, "gather_bandwidth", FIELD_REAL, UNIT_BW, gather_bw, 0, RATE_MAX, "0",
          "random table rows from memory, one core"),
    FIELD(platform, "gather_socket_bandwidth", FIELD_REAL, UNIT_BW, gather_socket_bw, 0, RATE_MAX,
          "0", "random table rows from memory, a whole socket"),
    FIELD(platform, "stream_bandwidth", FIELD_REAL, UNIT_BW, stream_bw, 0, RATE_MAX, "0",
          "sequential bytes, one core"),
    FIELD(platform, "stream_socket_bandwidth", FIELD_REAL, UNIT_BW, stream_socket_bw, 0, RATE_MAX,
          "0", "sequential bytes, a whole socket"),
    FIELD(platform, "request_fixed", FIELD_REAL, UNIT_TIME, request_s, 0, FIXED_MAX_S, "0",
          "fixed time per request"),
    FIELD(platform, "operator_fixed", FIELD_REAL, UNIT_TIME, fixed.operator_s, 0, FIXED_MAX_S, "0",
          "fixed time per operator"),
    FIELD(platform, "fc_fixed", FIELD_REAL, UNIT_TIME, fixed.fc_s, 0, FIXED_MAX_S, "0",
          "fixed time per layer; 0: as operator_fixed"),
    FIELD(platform, "gather_fixed", FIELD_REAL, UNIT_TIME, fixed.gather_s, 0, FIXED_MAX_S, "0",
          "fixed time per table lookup operator; 0: as operator_fixed"),
    FIELD(platform, "recurrent_fixed", FIELD_REAL, UNIT_TIME, fixed.recurrent_s, 0, FIXED_MAX_S,
          "0", "fixed time per operator inside a recurrent layer; 0: as operator_fixed"),
    FIELD(platform, "part_fixed", FIELD_REAL, UNIT_TIME, fixed.part_s, 0, FIXED_MAX_S, "0",
          "fixed time per input that a concatenation joins"),
    FIELD(platform, "input_fixed", FIELD_REAL, UNIT_TIME, input_fixed_s, 0, FIXED_MAX_S, "0",
          "handing over one input tensor to the CPU or to a load; with input_conversion only"),
    FIELD(platform, "memory_size", FIELD_REAL, UNIT_BYTES, memory_bytes, 0, BYTES_MAX, "0",
          "memory of the server, for tables and weights of its services; 0: not known, no limit"),
    FIELD(platform, "l2_size", FIELD_REAL, UNIT_BYTES, l2_bytes, 0, BYTES_MAX, "0",
          "second-level cache of one core"),
    FIELD(platform, "l3_size", FIELD_REAL, UNIT_BYTES, l3_bytes, 0, BYTES_MAX, "0",
          "last-level cache of one socket"),
    FIELD(platform, "l3_inclusive", FIELD_BOOL, UNIT_NONE, l3_inclusive, 0, 1, "false",
          "the last-level cache holds copies of the second-level ones"),
    FIELD(platform, "fc_contention_frac", FIELD_REAL, UNIT_FRAC, fc_contention_frac, 0, 100, "0",
          "extra time of what layers move once other cores have emptied the second-level cache"),
    FIELD(platform, "gather_contention_frac", FIELD_REAL, UNIT_FRAC, gather_contention_frac, 0, 100,
          "0", "extra time of table lookups once no page table stays cached, on top of bandwidth"),
    FIELD(platform, "idle_power", FIELD_REAL, UNIT_POWER, power.idle_w, 0, POWER_MAX_W, "0",
          "power of the server without its accelerator, no core busy"),
    FIELD(platform, "busy_power", FIELD_REAL, UNIT_POWER, power.busy_w, 0, POWER_MAX_W, "0",
          "the same with every core busy"),
    FIELD(platform, "power_gamma", FIELD_REAL, UNIT_NONE, power.gamma, 0.01, 10, "1",
          "power grows with utilisation to this exponent"),
    EMBODIED_FIELDS(platform),
    FIELD(platform, "accelerator", FIELD_STRING, UNIT_NONE, accelerator_name, 0, 0, "",
          "accelerator in each server; empty: none"),
    FIELD(platform, "provisional", FIELD_BOOL, UNIT_NONE, provisional, 0, 1, "false",
          "some value awaits measurement"),
    FIELD(platform, "sources", FIELD_STRING, UNIT_NONE, sources, 0, 0, "",
          "where each value comes from"),
    FIELD_END};

const struct field accelerator_fields[] = {
    FIELD(accelerator, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "", "name of the accelerator"),
    FIELD(accelerator, "title", FIELD_STRING, UNIT_NONE, title, 0, 0, "", "one line for people"),
    LABEL_FIELDS(accelerator),
    FIELD(accelerator, "fc_peak", FIELD_REAL, UNIT_FLOPS, fc.peak_flops, 0, RATE_MAX, "0",
          "fully connected layers: rate at large batch"),
    FIELD(accelerator, "fc_half_items", FIELD_REAL, UNIT_ITEMS, fc.half_items, 0, 1e6, "0",
          "fully connected layers: batch that reaches half of the rate"),
    FIELD(accelerator, "attention_peak", FIELD_REAL, UNIT_FLOPS, attention.peak_flops, 0, RATE_MAX,
          "0", "attention layers: rate at large batch"),
    FIELD(accelerator, "attention_half_items", FIELD_REAL, UNIT_ITEMS, attention.half_items, 0, 1e6,
          "0", "attention layers: batch that reaches half of the rate"),
    FIELD(accelerator, "recurrent_peak", FIELD_REAL, UNIT_FLOPS, recurrent.peak_flops, 0, RATE_MAX,
          "0", "recurrent layers: rate at large batch"),
    FIELD(accelerator, "recurrent_half_items", FIELD_REAL, UNIT_ITEMS, recurrent.half_items, 0, 1e6,
          "0", "recurrent layers: batch that reaches half of the rate"),
    FORMAT_FIELDS(accelerator),
    FIELD(accelerator, "vector_peak", FIELD_REAL, UNIT_FLOPS, vector_flops, 0, RATE_MAX, "0",
          "activations, sums and softmax: rate"),
    FIELD(accelerator, "memory_bandwidth", FIELD_REAL, UNIT_BW, memory_bw, 0, RATE_MAX, "0",
          "weights and activations"),
    FIELD(accelerator, "gather_half_items", FIELD_REAL, UNIT_ITEMS, gather_half_items, 0, 1e6, "0",
          "table lookups: batch that reaches half of the bandwidth"),
    FIELD(accelerator, "gather_bandwidth", FIELD_REAL, UNIT_BW, gather_bw, 0, RATE_MAX, "0",
          "random table rows"),
    FIELD(accelerator, "row_bandwidth", FIELD_REAL, UNIT_BW, row_bw, 0, RATE_MAX, "0",
          "pooled rows written; 0: no limit"),
    FIELD(accelerator, "operator_fixed", FIELD_REAL, UNIT_TIME, fixed.operator_s, 0, FIXED_MAX_S,
          "0", "launch overhead per operator"),
    FIELD(accelerator, "fc_fixed", FIELD_REAL, UNIT_TIME, fixed.fc_s, 0, FIXED_MAX_S, "0",
          "launch overhead per layer; 0: as operator_fixed"),
    FIELD(accelerator, "gather_fixed", FIELD_REAL, UNIT_TIME, fixed.gather_s, 0, FIXED_MAX_S, "0",
          "launch overhead per table lookup operator; 0: as operator_fixed"),
    FIELD(accelerator, "recurrent_fixed", FIELD_REAL, UNIT_TIME, fixed.recurrent_s, 0, FIXED_MAX_S,
          "0", "launch overhead per operator inside a recurrent layer; 0: as operator_fixed"),
    FIELD(accelerator, "part_fixed", FIELD_REAL, UNIT_TIME, fixed.part_s, 0, FIXED_MAX_S, "0",
          "launch overhead per input that a concatenation joins"),
    FIELD(accelerator, "link_bandwidth", FIELD_REAL, UNIT_BW, link_bw, 0, RATE_MAX, "0",
          "host to device"),
    FIELD(accelerator, "link_fixed", FIELD_REAL, UNIT_TIME, link_fixed_s, 0, FIXED_MAX_S, "0",
          "fixed time of loading a query"),
    FIELD(accelerator, "input_fixed", FIELD_REAL, UNIT_TIME, input_fixed_s, 0, FIXED_MAX_S, "0",
          "fixed time of copying one input tensor"),
    FIELD(accelerator, "input_per_item", FIELD_REAL, UNIT_TIME, input_item_s, 0, FIXED_MAX_S, "0",
          "host time per item and input tensor while loading"),
    FIELD(accelerator, "memory_size", FIELD_REAL, UNIT_BYTES, memory_bytes, 0, BYTES_MAX, "0",
          "memory of the device, for tables and weights of what is offloaded; 0: no limit"),
    FIELD(accelerator, "streams", FIELD_INT, UNIT_NONE, streams, 1, 64, "1",
          "queries computed at the same time"),
    FIELD(accelerator, "overlap", FIELD_BOOL, UNIT_NONE, overlap, 0, 1, "false",
          "loading one query overlaps computing another"),
    FIELD(accelerator, "idle_power", FIELD_REAL, UNIT_POWER, power.idle_w, 0, POWER_MAX_W, "0",
          "power when idle"),
    FIELD(accelerator, "busy_power", FIELD_REAL, UNIT_POWER, power.busy_w, 0, POWER_MAX_W, "0",
          "power when busy"),
    FIELD(accelerator, "power_gamma", FIELD_REAL, UNIT_NONE, power.gamma, 0.01, 10, "1",
          "power grows with utilisation to this exponent"),
    EMBODIED_FIELDS(accelerator),
    FIELD(accelerator, "provisional", FIELD_BOOL, UNIT_NONE, provisional, 0, 1, "false",
          "some value awaits measurement"),
    FIELD(accelerator, "sources", FIELD_STRING, UNIT_NONE, sources, 0, 0, "",
          "where each value comes from"),
    FIELD_END};

static struct accelerator accelerator_copy(const struct accelerator *from)
{
    struct accelerator to = *from;
    schema_copy(accelerator_fields, &to, from);
    return to;
}

void platform_attach(struct platform *platform, const struct accelerator *accelerator)
{
    struct accelerator copy = {0};
    if (accelerator)
        copy = accelerator_copy(accelerator);
    accelerator_release(&platform->accelerator);
    platform->accelerator = copy;
    platform->has_accelerator = accelerator != NULL;
    mem_free(platform->accelerator_name);
    platform->accelerator_name = mem_strdup(copy.name);
}

struct platform platform_copy(const struct platform *from)
{
    struct platform to = *from;
    schema_copy(platform_fields, &to, from);
    to.accelerator = accelerator_copy(&from->accelerator);
    return to;
}

// A socket that gives less than one core draws would make a lone core the socket's limit: a typo.
static int check_bandwidth(const char *key, double core, double socket, struct err *err)
{
    if (socket != 0 && socket < core)
        return err_set(err, ERR_STUDY, "%s: expected at least one core's %g B/s, got %g B/s", key,
                       core, socket);
    return 0;
}

int platform_check(const struct platform *platform, struct err *err)
{
    if (platform->cores < 1 || platform->cores > 1024)
        return err_set(err, ERR_STUDY, "cores: expected 1 to 1024, got %lld",
                       (long long)platform->cores);
    if (platform->sockets < 1 || platform->sockets > platform->cores)
        return err_set(err, ERR_STUDY, "sockets: expected 1 to the cores (%lld), got %lld",
                       (long long)platform->cores, (long long)platform->sockets);
    if (check_bandwidth("gather_socket_bandwidth", platform->gather_bw, platform->gather_socket_bw,
                        err) != 0)
        return -1;
    if (check_bandwidth("stream_socket_bandwidth", platform->stream_bw, platform->stream_socket_bw,
                        err) != 0)
        return -1;
    if (power_check(&platform->power, err) != 0)
        return -1;
    if (platform->has_accelerator && accelerator_check(&platform->accelerator, err) != 0)
        return err_prefix(err, "accelerator");
    return 0;
}

int accelerator_check(const struct accelerator *accelerator, struct err *err)
{
    if (accelerator->streams < 1 || accelerator->streams > 64)
        return err_set(err, ERR_STUDY, "streams: expected 1 to 64, got %lld",
                       (long long)accelerator->streams);
    return power_check(&accelerator->power, err);
}

#define G_PER_KG 1000
#define S_PER_H 3600

double platform_embodied_g_per_h(const struct platform_embodied *embodied)
{
    return embodied->carbon_kg > 0
               ? embodied->carbon_kg * G_PER_KG / (embodied->lifetime_s / S_PER_H)
               : 0;
}

double platform_socket_busy(const struct platform *platform, uint32_t busy_cores)
{
    uint32_t sockets = platform->sockets > 1 ? (uint32_t)platform->sockets : 1;
    return (double)((busy_cores + sockets - 1) / sockets);
}

void accelerator_release(struct accelerator *accelerator)
{
    if (!accelerator)
        return;
    schema_release(accelerator_fields, accelerator);
    memset(accelerator, 0, sizeof *accelerator);
}

void platform_release(struct platform *platform)
{
    if (!platform)
        return;
    accelerator_release(&platform->accelerator);
    schema_release(platform_fields, platform);
    memset(platform, 0, sizeof *platform);
}
