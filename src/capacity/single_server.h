// SPDX-License-Identifier: Apache-2.0
// single_server: one server of one group with one service, cut out of a study.
//
// What a type of server is good for is asked of one of them alone, with one service and nothing
// else: the efficiency tuples of `recfleet capacity`. It is a study like any other, so a
// probe (probe.h) measures it; its queries arrive by a Poisson process, whatever they do in the
// study, and its one server never fails nor is one of the slow ones, so that types are compared on
// equal terms. Everything else (costs, sizes, target, delays, settings, how hard to search) is the
// study's.
//
//     struct single_server single;
//     single_server_cut(&single, study, group, service);
//     struct probe *probe = probe_create(&single.study, true);
#ifndef CAPACITY_SINGLE_SERVER_H
#define CAPACITY_SINGLE_SERVER_H

#include <stdint.h>

#include "study/study.h"

// Points into itself and into the study it was cut from: neither moved nor copied.
struct single_server {
    struct study study;
    struct service_config service;
    struct study_group group;
    struct group_config config;
    char nothing[1]; // "": the tuner's "all services", "all groups"
};

// Fills *single from a study that outlives it. Nothing is to be released.
void single_server_cut(struct single_server *single, const struct study *study, uint32_t group,
                       uint32_t service);

#endif
