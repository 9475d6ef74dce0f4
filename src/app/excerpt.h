// SPDX-License-Identifier: Apache-2.0
// excerpt: one server of one group with one service, cut out of a study.
//
// What a type of server is good for is asked of one of them alone, with one service and nothing
// else: the efficiency tuples of `recfleet capacity`. The excerpt is a study like any other, so a
// probe (probe.h) measures it; its queries arrive by a Poisson process, whatever they do in the
// study, and its one server never fails, so that types are compared on equal terms. Everything else
// (costs, sizes, target, delays, B and T, how hard to search) is the study's.
//
//     struct excerpt excerpt;
//     excerpt_cut(&excerpt, study, group, service);
//     struct probe *probe = probe_create(&excerpt.study, true);
#ifndef APP_EXCERPT_H
#define APP_EXCERPT_H

#include <stdint.h>

#include "study/study.h"

// Points into itself and into the study it was cut from: neither moved nor copied.
struct excerpt {
    struct study study;
    struct service_config service;
    struct study_group group;
    struct group_config config;
    char nothing[1]; // "": the tuner's "all services", "all groups"
};

// Fills *excerpt from a study that outlives it. Nothing is to be released.
void excerpt_cut(struct excerpt *excerpt, const struct study *study, uint32_t group,
                 uint32_t service);

#endif
