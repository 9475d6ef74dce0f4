// SPDX-License-Identifier: Apache-2.0
// cost_roofline: seconds from a model's work and a platform's rates, class by class.
//
// For b items on one CPU core while n cores of its socket are busy, per class of operators,
//
//     s = operators * fixed + parts * part                                  (fixed_scale times)
//       + flop * b / peak + flop * half * (1 - 1/b) / peak
//       + bytes * b / bandwidth * stretch + lines * b * spill + its part of the weights' time
//
// and once per request request_fixed. A layer's bytes are the activations it reads and writes. In
// the stacks they move at activation_bandwidth, so narrow layers do fewer operations per byte and
// run slower; attention is many small operators whose bytes stream and whose own peak says what
// narrowness costs them. `half` is what a small batch loses; a lone item is a matrix times a
// vector and loses nothing but the wait for its weights. Lookups are rows * (b + half) / (share of
// the gather bandwidth) * stretch; their additions hide behind that.
//
// Where bytes lie. K(n) is what one core may call cached: L2 + L3/n, or L3/n where L3 is inclusive.
// Weights are free from the L2, then at weight_bandwidth from K, then at the core's share of
// stream_bandwidth: min(one core's limit, socket's limit / n), at most weight_bandwidth.
// Activations likewise beyond their own bandwidth (spill), by the part of the operator's set W =
// its weights + what it reads and writes that L2, K or neither holds; an operator's set is the mean
// of its class. A line that is written is read first, so writes count twice there, and vector
// operators read as much as they write. Every process has weights of its own.
//
// Contention has causes and no table of its own. Shares of L3 and of both bandwidths shrink with n.
// Lookups wait for page-table entries too (8 bytes per 4 KiB of tables): with the part that K(n)
// holds no more, their stretch is 1 + gather_contention_frac * (1 - K(n) / min(entries, K(1))).
// Where L3 is inclusive, a line that it drops leaves the L2 as well, and hits in the L2 do not keep
// it (Jaleel et al., MICRO 2010): it survives n sets with odds of min(1, L3 / (n min(W, L3))),
// what layers move is stretched by 1 + fc_contention_frac * (1 - odds), and the L2 holds so much
// less. For weights, which the next request reads again, W is all of them. Arithmetic does not
// wait. A private L2 loses nothing. Both fractions are the same for every CPU of the catalogue.
//
// What is done once per request or by the query's history (catalogue.h) has the same rates and
// loses no half; a history's activations are moved at their bandwidth, from wherever they lie. Of a
// cache of rows and one of encoded histories the cost knows the mean: rows from memory are 1 -
// embedding_hit_ratio of all, the history's own part is (1 - history_hit_ratio) of its time;
// candidates attend to a history that was found like to any. bf16_speedup and int8_speedup of the
// machine divide the layers' arithmetic by the model's format.
//
// On an accelerator the same without caches or sharing; pooled rows are written at row_bandwidth.
// It runs after a load of link + inputs + bytes / link bandwidth.
//
// input_conversion (at 3 GHz; longer by the clock of a slower core) adds what the reference does on
// the host inside the times it reports: n_inputs * the CPU's input_fixed + b * (input_conversion *
// (indices + lengths) + features copied at stream_bandwidth), to a CPU request and to a load alike;
// without it neither has any of this. The accelerator's own input_fixed is the copy of a tensor to
// the device, which a load always has. convert_whole_input lets a CPU request do the conversion
// for stored_items instead of b.
//
// Deviation from a classic roofline: terms add up instead of the larger one winning, because the
// measured kernels do not overlap them. docs/calibration.md says how well it fits.
#ifndef MODELS_COST_ROOFLINE_H
#define MODELS_COST_ROOFLINE_H

#include "models/cost.h"

extern const struct cost_type cost_roofline;

// Where the seconds of one call go, before cpu_scale and accel_scale. Their sum is the time.
struct cost_roofline_parts {
    double request_s;               // fixed, per request
    double input_s;                 // converting inputs on a CPU; loading on an accelerator
    double class_s[N_WORK_CLASSES]; // operators, their weights and fixed times included
};

// Parts of cost_cpu_s(), and of cost_accel_load_s() + cost_accel_compute_s(). `cost` is a roofline
// cost; the second needs cost_has_accel().
void cost_roofline_cpu_parts(const struct cost *cost, uint32_t items, uint32_t busy_cores,
                             struct cost_roofline_parts *parts);
void cost_roofline_accel_parts(const struct cost *cost, uint32_t items,
                               struct cost_roofline_parts *parts);

#endif
