// SPDX-License-Identifier: Apache-2.0
#include "study/study_memory.h"

#include "cluster/sched.h"
#include "study/reader.h"
#include "study/study.h"

// A memory and who needs it.
struct share {
    const struct study *study;
    const struct study_group *group;
    bool (*needs)(const struct share *share, size_t s);
    size_t only; // one service, or n_services: all
    double memory_bytes;
};

// Bytes that service s takes of it.
static double taken_bytes(const struct share *share, size_t s)
{
    bool counts = share->only == share->study->n_services || share->only == s;
    return counts && share->needs(share, s) ? cost_memory_bytes(share->group->costs[s]) : 0;
}

static double all_bytes(const struct share *share)
{
    double sum = 0;
    for (size_t s = 0; s < share->study->n_services; s++)
        sum += taken_bytes(share, s);
    return sum;
}

static bool fits(const struct share *share)
{
    return share->memory_bytes <= 0 || all_bytes(share) <= share->memory_bytes;
}

static struct dispatch_config dispatch_of(const struct share *share, size_t s)
{
    return sched_needs(&share->group->settings[s]);
}

// Not where the smallest query is offloaded, too. (1: the sizes are in a file that is not open.)
static bool needs_server(const struct share *share, size_t s)
{
    const struct qsize *sizes = share->study->sizes[s];
    int64_t offload_items = dispatch_of(share, s).offload_items,
            least = sizes ? qsize_min_items(sizes) : 1;
    return offload_items == 0 || offload_items > least;
}

static bool needs_accelerator(const struct share *share, size_t s)
{
    struct dispatch_config dispatch = dispatch_of(share, s);
    return dispatch_offloads(&dispatch);
}

static bool may_be_offloaded(const struct share *share, size_t s)
{
    return needs_accelerator(share, s) ||
           (study_tune_has_service(share->study, s) && cost_has_accel(share->group->costs[s]));
}

// `key` first, for reader_prefix(): "accelerator: 105 GB of tables and weights do not fit ...".
static int complain(const struct share *share, const char *key, const char *where, const char *name,
                    struct err *err)
{
    const char *between = ":";
    err_set(err, ERR_STUDY,
            "%s: %.3g GB of tables and weights do not fit in the %.3g GB of %s \"%.60s\"", key,
            all_bytes(share) * 1e-9, share->memory_bytes * 1e-9, where, name);
    for (size_t s = 0; s < share->study->n_services; s++) {
        double bytes = taken_bytes(share, s);
        if (!(bytes > 0))
            continue;
        err_append(err, "%s service \"%.60s\" takes %.3g GB", between,
                   share->study->services[s].name, bytes * 1e-9);
        between = ",";
    }
    return err_append(err, "; expected a larger memory_size, or less to hold");
}

static int check_server(const struct share *share, struct err *err)
{
    const char *name = share->group->platform_name;
    if (fits(share))
        return 0;
    return complain(share, *name ? "platform" : "memory_size", "a server of group",
                    share->group->name, err);
}

static int check_accelerator(struct share share, struct err *err)
{
    const struct platform *platform = &share.group->platform;
    share.memory_bytes = platform->accelerator.memory_bytes;
    if (!platform->has_accelerator || fits(&share))
        return 0;
    return complain(&share, "accelerator", "the accelerator", platform->accelerator.name, err);
}

static struct share server_share(const struct study *study, size_t g, size_t only)
{
    const struct study_group *group = &study->groups[g];
    return (struct share){study, group, needs_server, only, group->platform.memory_bytes};
}

int study_memory_check(const struct study *study, const struct node *root, struct err *err)
{
    const struct node *groups = node_get(node_get(root, "fleet"), "groups");
    bool alone = study->capacity.find == FIND_PLAN;
    for (size_t g = 0; g < study->n_groups; g++)
        for (size_t s = alone ? 0 : study->n_services; s < study->n_services + !alone; s++) {
            struct share share = server_share(study, g, s);
            int rc = alone ? 0 : check_server(&share, err);
            share.needs = needs_accelerator;
            if (rc < 0 || check_accelerator(share, err) < 0)
                return reader_prefix(groups->items[g], err);
        }
    return 0;
}

int study_memory_misfit(const struct study *study, size_t g, struct err *err)
{
    const struct study_group *group = &study->groups[g];
    struct share share = server_share(study, g, study->n_services);
    share.needs = needs_accelerator;
    share.memory_bytes = group->planned_bytes;
    if (fits(&share))
        return 0;
    complain(&share, "its accelerator", "the accelerator", group->platform.accelerator.name, err);
    return err_prefix(err, "group \"%.60s\"", group->name);
}

bool study_memory_holds(const struct study *study, size_t g, size_t s)
{
    const struct share share = server_share(study, g, s);
    return fits(&share);
}

int study_memory_check_search(const struct study *study, struct err *err)
{
    for (size_t g = 0; g < study->n_groups && study->capacity.find != FIND_PLAN; g++) {
        struct share share = server_share(study, g, study->n_services);
        share.needs = may_be_offloaded;
        if (study_tune_has_group(study, g) && check_accelerator(share, err) < 0)
            return err_prefix(err, "%s: tune: group \"%.60s\"", study->path, study->groups[g].name);
    }
    return 0;
}
