// SPDX-License-Identifier: Apache-2.0
// wire: what travels between ranks, as bytes.
//
// A message is one struct wire_head and then n plain records: struct query for parcels to servers,
// struct completion for those to a balancer, a time, and behind them n_lost struct loss
// (completions.h). All ranks run the same program on the same kind of machine, so records travel as
// they lie in memory.
#ifndef CLUSTER_WIRE_H
#define CLUSTER_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum wire_kind {
    WIRE_QUERIES = 1, // balancer to servers: a parcel
    WIRE_REPORTS = 2, // servers to balancer: the completions of a parcel
    WIRE_CLOSE = 3,   // balancer to servers: nothing more will come for this part
    WIRE_PASS = 4,    // likewise: one int64_t, the time that no query comes before any more
};

struct wire_head {
    uint32_t kind; // enum wire_kind
    uint32_t cell, part;
    uint32_t n;
    uint64_t window;
    union {
        struct {
            uint32_t n_lost; // WIRE_REPORTS
            uint32_t reserved;
        };
        int64_t until_ns; // WIRE_QUERIES: of the parcel
    };
};

// Bytes of a message with n records of `size` bytes.
static inline size_t wire_bytes(size_t n, size_t size)
{
    return sizeof(struct wire_head) + n * size;
}

#endif
