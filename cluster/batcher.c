// SPDX-License-Identifier: Apache-2.0
#include "cluster/batcher.h"

int64_t batcher_filled_ns(const struct waiting *waiting, const struct batcher_rule *rule)
{
    uint64_t n_items = 0;
    uint32_t i = 0;
    for (; i + 1 < waiting->n && i + 1 < rule->most_queries; i++) {
        n_items += waiting_at(waiting, i)->left_items;
        if (n_items >= rule->most_items)
            break;
    }
    return waiting_at(waiting, i)->query.arrive_ns;
}
