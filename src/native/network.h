// SPDX-License-Identifier: Apache-2.0
// network: a model of the catalogue as operators over buffers, ready to be run.
//
// A struct model says what a model is made of; a network says what is computed, in which order,
// and where every number is. It is made once, holds no number of its own, and is read by whoever
// runs it. Shapes and order are those that models/catalogue.c counts.
//
// A buffer holds, for each item of a block, a row of `width` numbers, `parts` times over: part p of
// item i is row p * items + i, so that one part of all items is one matrix, and so are all parts.
// What a model joins is written side by side at once: a concatenation is a buffer, and costs
// nothing. Buffer 0 is the features that a request brings.
//
// What the catalogue leaves open is decided here:
//   - every layer is followed by ReLU, the last layer of all by a sigmoid;
//   - joined are, from the left: what comes out of the dense stack, untouched features, what became
//     of the behaviours, the pooled rows of the other tables;
//   - two branches: of the tables the 1st, 3rd, ... are summed, the 2nd, 4th, ... joined;
//   - behaviours are those of the last group that has as many tables as hold behaviours, else of
//     the first tables of the first group that has more; a table's lookups are shared out to its
//     behaviours in order, and each is the sum of its rows. What they are compared with (the ad) is
//     the first table behind them, or table 0 where there is none;
//   - recurrent layers begin with a state of 0; gates are in the order reset, update, new.
//
// Models that read a history run in two passes. First the items of the history are the tokens: the
// first n_token_ops operators are run over them, block by block, and every NETWORK_ATTEND keeps
// their keys and values. Then the candidates' turn comes: as tokens behind the history, through all
// operators (sequence-target), or through those behind n_token_ops alone, which compare them with
// what came out of the last token (sequence). Left open by the catalogue, too:
//   - a token is the sum of its rows, and of the rows that are looked up once per request;
//   - blocks are x + back(attention(in(standard(x)))), then x + block_mlp(x) whose last layer has
//   no
//     activation. `in` gives queries, keys, values and, where there is one, the gate, side by side,
//     each head after head;
//   - without a gate, weights are the softmax of q k / sqrt(key_dim) (SASRec). With one, SiLU
//     follows `in`, weights are SiLU(q k / sqrt(key_dim)) / (1 + the history's length), and the
//     standardised values times the gate go back, in three parts behind the gate and the values
//     themselves (HSTU);
//   - a history of none leaves zeros to compare with;
//   - candidates are multiplied, number by number, by what they are compared with: with a top stack
//     of one width of 1, that is a dot product, weighed.
#ifndef NATIVE_NETWORK_H
#define NATIVE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "models/catalogue.h"

enum { NETWORK_FEATURES = 0 }; // the buffer of what a request brings

// Columns column .. column + width - 1 of every row of a buffer.
struct network_place {
    uint32_t buffer, column, width;
};

struct network_buffer {
    uint32_t width, parts;
    bool once; // one row, which is the request's, for all items
};

enum network_activation {
    NETWORK_LINEAR,
    NETWORK_RELU,
    NETWORK_SIGMOID,
    NETWORK_TANH,
    NETWORK_SILU, // x times its sigmoid
};

// Parameters: out * in weights, a row for each output, and `out` biases.
struct network_layer {
    uint32_t in, out;
    size_t weights, biases; // where they begin in the array of all parameters
    float bound;            // of the weights' sizes
};

enum network_kind {
    NETWORK_COPY,    // out = in
    NETWORK_LAYER,   // out = activation(weights in + biases), of every part; added to what is there
                     // where it `adds`
    NETWORK_PAIRS,   // out = in, in + with, with: of every part, `with` has one
    NETWORK_FOLD,    // out = the sum of in's parts
    NETWORK_RECUR,   // out: the states of all parts in turn (or the last, where out has one part)
    NETWORK_WEIGH,   // out = in + softmax(with), over a row
    NETWORK_DOTS,    // out = the dot products of all pairs among the vectors that in is made of
    NETWORK_CROSS,   // out = with * (weights in + biases) + in, through a narrow second layer
    NETWORK_PRODUCT, // out = in * with, number by number
    NETWORK_NORM,    // out = ReLU(in, of mean 0 and variance 1 over a row)
    NETWORK_STANDARD, // out = in, of mean 0 and variance 1 over a row
    NETWORK_SUM,      // out = in + with; out may be in
    NETWORK_ATTEND,   // out = the values of all tokens that an item sees, weighed; in: what it
                      // asks, and its own key and value
};

struct network_op {
    enum network_kind kind;
    enum network_activation activation;
    bool adds;
    struct network_place in, with, out;
    uint32_t attention;      // ATTEND: whose keys and values, 0 .. n_blocks - 1
    uint32_t layer, layer_2; // LAYER, RECUR (of the inputs; of the state), CROSS (down; up)
    uint32_t scratch; // a buffer: CROSS's narrow middle; RECUR's inputs times weights, which may be
                      // that of its states
};

struct network_table {
    double rows;                               // at its full size
    uint32_t lookups;                          // per item
    uint32_t pooled;                           // how many go into one sum at most
    uint32_t history_lookups, request_lookups; // per item of the history; once
};

// One sum of rows for each item. Lookups of all bags in their order are the lookups of an item.
struct network_bag {
    uint32_t table, first, n_lookups; // of the table's lookups
    uint32_t part;                    // of the buffer that it goes to
    bool adds;                        // to what is there
    struct network_place out;
};

// Attention in one go, while rows are gathered: unit u is the sum of `rows_per_unit` rows of the
// lookups behind those of the bags. Where the first layer has one output only.
struct network_units {
    uint32_t n_units, rows_per_unit; // 0: there are none
    uint32_t first_table;            // of n_units * rows_per_unit / lookups tables
    uint32_t n_tables;
    uint32_t layer, layer_2; // 3 * dim -> 1 over what PAIRS makes, 1 -> dim
    struct network_place ad, out;
};

// What a model does with a history; n_blocks 0: it reads none.
struct network_sequence {
    uint32_t n_blocks, heads, key_dim, value_dim;
    bool gated;
    uint32_t n_token_ops;       // operators that the items of a history go through
    bool ranks;                 // do the candidates, too? Else they are compared with `state`
    struct network_place token; // of which the last is `state`
    struct network_place state;
};

// Who looks up: candidates, the items of the history, or the request itself.
enum network_who { NETWORK_ITEMS, NETWORK_HISTORY, NETWORK_REQUEST, N_NETWORK_WHO };

struct network {
    uint32_t n_buffers, n_ops, n_layers, n_tables, n_bags;
    uint32_t n_history_bags, n_request_bags;
    struct network_buffer *buffers;
    struct network_op *ops;
    struct network_layer *layers;
    struct network_table *tables;
    struct network_bag *bags, *history_bags, *request_bags;
    struct network_units units;
    struct network_sequence sequence;
    uint32_t dim, features;                            // numbers in a row; dense features per item
    uint32_t lookups_per_item;                         // of bags and units
    uint32_t lookups_per_history, lookups_per_request; // of their bags
    size_t n_parameters;
    struct network_place out; // what a request is answered with
};

// Fills *network; false parts of it are refused by one line that names the key. `model` has passed
// model_check().
int network_build(struct network *network, const struct model *model, struct err *err);
void network_release(struct network *network); // NULL: no effect

// How many lookups each of them has in all, and in one table.
uint32_t network_n_lookups(const struct network *network, enum network_who who);
uint32_t network_table_lookups(const struct network_table *table, enum network_who who);

// These lookups in their order: which table each is of and which of the table's lookups it is. Both
// arrays hold network_n_lookups().
void network_lookups(const struct network *network, enum network_who who, uint32_t *table,
                     uint32_t *lookup);

// The parameters of a seed, n_parameters of them, such that a stack keeps the size of what goes
// through it.
void network_parameters(const struct network *network, uint64_t seed, float *parameters);

#endif
