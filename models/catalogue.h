// SPDX-License-Identifier: Apache-2.0
// catalogue: recommendation models as data, and the work they derive to.
//
// A struct model holds an architecture: widths, tables, history length. It is filled from
// models/catalog/*.yaml through model_fields[], or by hand. What it costs is never written down:
// model_derive() computes operations, bytes and operator counts from the architecture, by class of
// operator, the way the reference implementation runs it (no fusion, one operator for each table
// lookup, fully connected layer, activation and concatenation), in one number format throughout.
//
//     struct model_work work;
//     model_derive(&model, &work);
//     double flop = work.by_class[WORK_FC].flop_per_item;
//
// One kind of model has no architecture to derive from: `given` is a graph of somebody's own
// (src/study/onnx_work.h), whose work by class stands in the model itself, in bytes as its format
// has them. Its tables are groups like those of all others, but for a row's size of their own.
//
// A query costs in three parts: what is computed once for it (user features, dense features that
// are `dense_once`), per candidate item, and by the length of its history: per history item, per
// pair of those, and per pair of a candidate and a history item.
//
// The shape, left to right: dense features run through `dense_mlp` (its first number is the count
// of features) or join the concatenation untouched (`dense_inputs`); every table gives one pooled
// row of `dim` numbers; behaviour tables go through an attention unit or a recurrent layer first;
// the concatenation feeds `top_mlp` once and then `task_mlp` once per task.
//
// Units: bytes, floating-point operations (a multiply-add is 2), per candidate item unless a name
// says otherwise. Weights are read once per run (one request), whatever its items.
#ifndef MODELS_CATALOGUE_H
#define MODELS_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"

// Classes of operator. A platform has a rate for each.
enum work_class {
    WORK_FC,          // fully connected layers of the stacks
    WORK_EMBEDDING,   // table lookups with sum pooling
    WORK_ATTENTION,   // layers that weigh behaviours
    WORK_RECURRENT,   // recurrent layers over the behaviours
    WORK_CONCAT,      // concatenations
    WORK_ELEMENTWISE, // activations
    WORK_SUM,         // sums of vectors
    WORK_SOFTMAX,     // softmax over a state
    N_WORK_CLASSES
};
extern const char *const work_class_names[]; // "fc" "embedding" ... NULL

enum model_variant { VARIANT_PAPER, VARIANT_REPO, VARIANT_IMPORTED, N_VARIANTS };
extern const char *const model_variant_names[]; // "paper" "repo" "imported" NULL

// What limits a model on a CPU: a label for people, the cost models do not read it.
enum model_bound { BOUND_EMBEDDING, BOUND_MLP, BOUND_ATTENTION, BOUND_RECURRENT, N_BOUNDS };
extern const char *const model_bound_names[]; // "embedding" "mlp" "attention" "recurrent" NULL

// Of what tables, weights and activations are made. Dense features and indices arrive as they do.
enum model_format { FORMAT_FP32, FORMAT_BF16, FORMAT_FP16, FORMAT_INT8, N_FORMATS };
extern const char *const model_format_names[]; // "fp32" "bf16" "fp16" "int8" NULL

enum model_interaction {
    INTERACT_CONCAT,     // everything side by side into the top stack
    INTERACT_TWO_BRANCH, // half of the tables summed, half through the top stack, then joined
    INTERACT_ATTENTION,  // one attention unit per behaviour, summed; the other tables beside it
    INTERACT_RECURRENT,  // two recurrent layers with attention between; other tables beside it
    INTERACT_DOT,        // the dot products of all pairs of rows beside the dense stack (DLRM)
    INTERACT_CROSS,      // low-rank cross layers over everything side by side (DCNv2)
    INTERACT_MASK,       // parallel mask blocks over everything side by side (MaskNet)
    INTERACT_SEQUENCE,   // self-attention over the history, candidates scored against it (SASRec)
    INTERACT_TARGET,     // candidates run through the blocks too and attend to the history (HSTU)
    INTERACT_GIVEN,      // none is known: the work itself is given, by class of operator
    N_INTERACTIONS
};
extern const char *const model_interaction_names[]; // "concat" "two-branch" ... NULL

struct model {
    char *name;                   // "wnd", "din-repo"
    char *title;                  // one line for people
    char *class;                  // what kind of model it is: lists are grouped by it
    int64_t year;                 // in which it was published; 0: not known
    int variant;                  // enum model_variant
    int bound;                    // enum model_bound
    int interaction;              // enum model_interaction
    int format;                   // enum model_format
    struct reals dense_mlp;       // widths, the features first; empty: no such stack
    bool dense_once;              // dense features are the request's: loaded and computed once
    int64_t dense_inputs;         // features that join the concatenation untouched
    int64_t unused_inputs;        // features that a request brings and nothing reads
    struct reals tables;          // tables in each group of equal tables
    struct reals rows;            // rows of one table, by group
    struct reals lookups;         // lookups in one table per item, by group
    struct reals request_lookups; // the same once per request; empty: none
    struct reals history_lookups; // the same per history item; empty: none
    int64_t dim;                  // numbers per row
    int64_t behaviour_tables;     // how many of the tables hold behaviours
    int64_t behaviours;           // length of the history that attention or recurrence walks
    struct reals attention_mlp;   // widths after the 3 * dim inputs of one attention unit
    int64_t hidden;               // state of a recurrent layer
    int64_t gates;                // 1: plain tanh, 3: gated (GRU)
    int64_t cross_layers, cross_rank;
    int64_t mask_blocks, mask_aggregation, mask_output; // widths inside and out of a mask block
    // Blocks of self-attention, each a projection of every token, attention of heads * key_dim,
    // a projection back from output_parts * heads * value_dim, and block_mlp.
    int64_t blocks, heads, key_dim, value_dim;
    bool gated;           // the projection has a gate as wide as the values (HSTU)
    int64_t output_parts; // how often the values' width goes into the projection back
    struct reals block_mlp;
    struct reals top_mlp;  // widths after the concatenation
    struct reals task_mlp; // widths of one task's stack after the top one
    int64_t tasks;
    // INTERACT_GIVEN alone. By class, N_WORK_CLASSES values or none: operators, arithmetic and
    // bytes of layers per item, their parameters, and the same once per request. Of the embedding
    // class only operators and arithmetic: its bytes are those of the lookups.
    struct reals given_operators, given_flop, given_written_bytes, given_read_bytes;
    struct reals given_weight_bytes;
    struct reals given_request_flop, given_request_written_bytes, given_request_read_bytes;
    struct reals row_bytes;   // of one row, by group of tables
    struct reals pooled_rows; // that the lookups in one table give per item, by group; empty: 1
    double given_parts;       // inputs that the concatenations join
    int64_t given_inputs;     // tensors that a request brings
    // What a request brings: indices and features.
    double given_index_bytes, given_feature_bytes; // per item
    double given_request_index_bytes, given_request_feature_bytes;
    // Tail-latency targets: the table value and half below, half above.
    int64_t sla_low_ns, sla_medium_ns, sla_high_ns;
    bool provisional; // some value is a placeholder until it is measured; sources say which
    char *sources;    // "key: where its value comes from", one line each
};

extern const struct field model_fields[];

// What is computed and moved, as the fields of the same names below.
struct work_volume {
    double flop, bytes, read_bytes;
};

// Work of one class. All zero when the model has none.
struct work {
    double n_ops;               // operators in one run
    double n_parts;             // concatenations: inputs that they join; others: 0
    double flop_per_item;       // arithmetic
    double bytes_per_item;      // embedding: rows gathered; others: activations written
    double read_bytes_per_item; // layers: activations read; others: 0
    double weight_bytes;        // parameters read once per run
    struct work_volume request; // once per request, whatever its items
    struct work_volume history; // per history item
    // Attention: per pair of history items, and per pair of a candidate and one. Scores stay where
    // they are computed, so such pairs move nothing.
    double history_sq_flop, item_history_flop;
};

struct model_work {
    struct work by_class[N_WORK_CLASSES];
    double lookups_per_item;
    double rows_per_item;        // pooled rows: one per table
    double row_bytes_per_item;   // what they hold
    double index_bytes_per_item; // 8 per lookup
    double dense_bytes_per_item; // features, unused ones too
    double lookups_per_request, lookups_per_history;
    double index_bytes_per_request, index_bytes_per_history;
    double dense_bytes_per_request;
    double table_bytes; // all tables at their full size
    double n_inputs;    // tensors that a request brings: one per table, one for features
};

// Bytes of one number in a format.
double model_format_bytes(int format);

// Does what it costs depend on the length of a history?
bool work_has_history(const struct model_work *work);
// Arithmetic of a whole request.
double work_flop(const struct model_work *work, double items, double history);

// Totals over the classes.
double work_flop_per_item(const struct model_work *work);
double work_weight_bytes(const struct model_work *work);
double work_n_ops(const struct model_work *work);

// True shapes only: list lengths agree, counts are whole and positive, the interaction has what it
// needs. The text names the key.
int model_check(const struct model *model, struct err *err);

// `model` must have passed model_check().
void model_derive(const struct model *model, struct model_work *work);

// Releases what *model owns (NULL: no effect); it may be filled again.
void model_release(struct model *model);

#endif
