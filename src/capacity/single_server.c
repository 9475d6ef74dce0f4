// SPDX-License-Identifier: Apache-2.0
#include "capacity/single_server.h"

#include <string.h>

#include "cluster/policy.h"
#include "study/table_file.h"

// Any will do: searches scale it.
#define RATE_QPS 1000

// Bursts and the course of a day belong to the traffic, not to the server; types are compared at a
// steady load.
static void cut_service(struct single_server *single, const struct study *study, uint32_t s)
{
    struct service_traffic *traffic = &single->service.traffic;
    single->service = study->services[s];
    memset(&traffic->arrivals, 0, sizeof traffic->arrivals);
    traffic->arrivals.process = arrival_find("poisson");
    traffic->rate_qps = RATE_QPS;
}

// The arrays of a group run over the services: the one service's begin where it stands.
static void cut_group(struct single_server *single, const struct study *study, uint32_t g,
                      uint32_t s)
{
    struct study_group *group = &single->group;
    *group = study->groups[g];
    group->servers = 1;
    group->weight = 1;
    memset(&group->slow, 0, sizeof group->slow); // those that are not are the rule
    memset(&group->on, 0, sizeof group->on);
    memset(&group->on_counts, 0, sizeof group->on_counts);
    group->given += s;
    group->settings += s;
    group->cost_configs += s;
    group->tables += s;
    group->costs += s;
    single->config = study->group_configs[g];
    single->config.n_servers = 1;
    single->config.weight = 1;
    memset(&single->config.slow, 0, sizeof single->config.slow);
    memset(&single->config.on, 0, sizeof single->config.on);
    single->config.costs += s;
    single->config.settings += s;
}

void single_server_cut(struct single_server *single, const struct study *from, uint32_t group,
                       uint32_t service)
{
    struct study *study = &single->study;
    cut_service(single, from, service);
    cut_group(single, from, group, service);
    *single->nothing = '\0';
    *study = *from;
    study->cells = 1;
    study->n_services = study->n_groups = 1;
    study->services = &single->service;
    study->sizes += service;
    study->groups = &single->group;
    study->group_configs = &single->config;
    study->balancer.policy = policy_find("random"); // there is nothing to choose
    study->tune.service = study->tune.group = single->nothing;
    memset(&study->outages, 0, sizeof study->outages);
    study->fleet.services = study->services;
    study->fleet.sizes = (const struct qsize *const *)study->sizes;
    study->fleet.n_services = 1;
    study->fleet.groups = study->group_configs;
    study->fleet.n_groups = 1;
    study->fleet.n_cells = 1;
    study->fleet.balancer = study->balancer;
    memset(&study->fleet.outages, 0, sizeof study->fleet.outages);
}
