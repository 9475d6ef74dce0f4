// SPDX-License-Identifier: Apache-2.0
// platform: a kind of server, its CPU and its optional accelerator.
//
// Values come from models/platforms/*.yaml or inline from a study, through platform_fields[] and
// accelerator_fields[]; sources stand in the data files. Cores, power and nothing else are enough
// for the synthetic cost; a parameter of the roofline cost that is 0 has not been given, and that
// cost says so when it needs it.
//
// The roofline parameters describe one core that has work of one operator class: an arithmetic
// rate that a batch of b items reaches to b / (b + half_items), and the bandwidth of the level its
// bytes come from. A bandwidth has two limits, what one core can draw and what a socket can give;
// busy cores share the latter evenly, and sockets fill evenly.
//
// Units are SI: FLOP/s, bytes/s, bytes, seconds, Hz.
#ifndef MODELS_PLATFORM_H
#define MODELS_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "models/power.h"

// Arithmetic of one operator class: `peak_flops` times items / (items + half_items).
struct platform_rate {
    double peak_flops;
    double half_items; // batch that reaches half of the peak; 0: any batch reaches all of it
};

// Time that an operator takes whatever its items, by kind of operator.
struct platform_fixed {
    double operator_s;  // activations, concatenations, sums, softmax
    double fc_s;        // layers of the stacks and of attention; 0: as operator_s
    double gather_s;    // table lookups; 0: as operator_s
    double recurrent_s; // the operators inside a recurrent layer; 0: as operator_s
    double part_s;      // per input that a concatenation joins
};

// How many times faster arithmetic is in a narrower number format than in fp32, by which the peaks
// are given. 0 (nobody filled it) counts as 1.
struct platform_formats {
    double bf16_speedup; // bf16 and fp16
    double int8_speedup;
};

// What making it cost, spread over the time that it is in use (embodied carbon).
struct platform_embodied {
    double carbon_kg; // CO2 equivalent; 0: not known, and not counted
    double lifetime_s;
};

struct accelerator {
    char *name;   // NULL or "": none
    char *title;  // one line for people
    char *class;  // what kind of thing it is: lists are grouped by it
    int64_t year; // in which it came out; 0: not known
    struct platform_rate fc, attention, recurrent;
    struct platform_formats formats;
    double vector_flops;         // activations, sums, softmax
    double memory_bw;            // weights and activations
    double gather_half_items;    // lookups: batch that reaches half of the bandwidth
    double gather_bw;            // random rows
    double row_bw;               // pooled rows written; 0: no limit
    struct platform_fixed fixed; // launches
    double link_bw;              // host to device
    double link_fixed_s;         // once per query
    double input_fixed_s;        // per input tensor copied, the host's part not counted
    double input_item_s;         // host work per item and input tensor
    double memory_bytes;         // on the device; 0: not known, and no limit
    int64_t streams;             // queries computed at the same time, 1..64
    bool overlap;                // the copy of one query overlaps the computation of another
    struct power_curve power;
    struct platform_embodied embodied;
    bool provisional;
    char *sources;
};

struct platform {
    char *name;
    char *title;
    char *class; // as an accelerator's
    int64_t year;
    int64_t cores;   // 1..1024
    int64_t sockets; // 1..16
    // Processor cores that compute a request together (1..1024; 0, which nobody filled, counts as
    // 1): then `cores` counts such workers. What they take is measured; no rate of one core tells
    // it.
    int64_t cores_per_worker;
    double clock_hz; // for people, and for input conversion
    struct platform_rate fc, attention, recurrent;
    struct platform_formats formats;
    double vector_flops;                // activations, sums, softmax
    double activation_bw;               // what the stacks read and write; 0: stream_bw
    double weight_bw;                   // weights from the last-level cache, one core
    double gather_half_items;           // lookups: batch that reaches half of the bandwidth
    double gather_bw, gather_socket_bw; // random rows from memory
    double stream_bw, stream_socket_bw; // sequential bytes from memory
    double request_s;                   // per request
    struct platform_fixed fixed;        // operators
    double input_fixed_s;               // handing over one input tensor, with input conversion only
    double memory_bytes;                // of the server; 0: not known, and no limit
    double l2_bytes;                    // of one core
    double l3_bytes;                    // of one socket
    bool l3_inclusive;                  // the last level holds copies of every L2
    // Slow-down by lost caches, see cost_roofline.h: time times 1 + frac * (part that was lost).
    double fc_contention_frac;     // layers: what the other cores drive out of an inclusive L2
    double gather_contention_frac; // lookups: page tables that the share of L3 no longer holds
    struct power_curve power;
    struct platform_embodied embodied; // of the server without its accelerator
    char *accelerator_name;            // as written: the accelerator to look up; "" or NULL: none
    bool has_accelerator;
    struct accelerator accelerator;
    bool provisional;
    char *sources;
};

extern const struct field platform_fields[];
extern const struct field accelerator_fields[];

// Puts a copy of `accelerator` into the platform, in place of the one that is there. NULL: none.
void platform_attach(struct platform *platform, const struct accelerator *accelerator);

// A copy that owns its strings; release it with platform_release().
struct platform platform_copy(const struct platform *platform);

// What ranges cannot say: sockets divide the cores' work, idle <= busy, a socket gives at least
// what one core draws. The text names the key.
int platform_check(const struct platform *platform, struct err *err);
int accelerator_check(const struct accelerator *accelerator, struct err *err);

// Embodied carbon per second of use: carbon / lifetime, in grams of CO2 per hour.
double platform_embodied_g_per_h(const struct platform_embodied *embodied);

// Busy cores on the fullest socket.
double platform_socket_busy(const struct platform *platform, uint32_t busy_cores);

void platform_release(struct platform *platform);          // NULL: no effect
void accelerator_release(struct accelerator *accelerator); // NULL: no effect

#endif
