// SPDX-License-Identifier: Apache-2.0
#include "cluster/layout.h"

#include "base/mem.h"

const char *const layout_mode_names[] = {"auto", "spread", "apart", NULL};

// Odd servers go to the cells after the last one that got an odd server: the first who gets one.
static uint32_t first_turn(const struct fleet_config *config, uint32_t group)
{
    uint64_t dealt = 0;
    for (uint32_t g = 0; g < group; g++)
        dealt += config->groups[g].n_servers;
    return (uint32_t)(dealt % config->n_cells);
}

uint32_t layout_turn(const struct fleet_config *config, uint32_t group, uint32_t cell)
{
    uint32_t first = first_turn(config, group);
    return cell >= first ? cell - first : cell + config->n_cells - first;
}

uint32_t layout_servers(const struct fleet_config *config, uint32_t group, uint32_t cell)
{
    uint32_t n = config->groups[group].n_servers, odd = n % config->n_cells;
    return n / config->n_cells + (layout_turn(config, group, cell) < odd);
}

uint32_t layout_first(const struct fleet_config *config, uint32_t group, uint32_t cell)
{
    uint64_t n_cells = config->n_cells, n = config->groups[group].n_servers, odd = n % n_cells;
    uint64_t first = first_turn(config, group), end = first + odd; // cells with an odd server
    uint64_t n_odd = cell > first ? (cell < end ? cell - first : odd) : 0;
    if (end > n_cells && cell <= first) // round the corner
        n_odd = cell < end - n_cells ? cell : end - n_cells;
    else if (end > n_cells)
        n_odd += end - n_cells;
    return (uint32_t)(n / n_cells * cell + n_odd);
}

// Cuts that give rank i of n the servers [cuts[i], cuts[i + 1]) of a cell.
struct cuts {
    uint32_t *at; // [n_ranks + 1]
    int n_ranks, first_rank;
};

static void even_cuts(struct cuts *cuts, uint32_t n_servers)
{
    for (int i = 0; i <= cuts->n_ranks; i++)
        cuts->at[i] = (uint32_t)((uint64_t)n_servers * (uint64_t)i / (uint64_t)cuts->n_ranks);
}

// Rank 0 of the cuts also runs the balancer: it gets servers only for what is left of its share.
static void weighted_cuts(struct cuts *cuts, uint32_t n_servers)
{
    double n = cuts->n_ranks, server = LAYOUT_SERVER_NS;
    double balancer = LAYOUT_BALANCER_NS + LAYOUT_SEND_NS * (n - 1) / n;
    double share = (balancer + server) / n, own = (share - balancer) / server;
    uint32_t first = own > 0 ? (uint32_t)(own * n_servers + 0.5) : 0;
    cuts->at[0] = 0;
    for (int i = 1; i <= cuts->n_ranks; i++) {
        uint64_t rest = n_servers - first;
        cuts->at[i] =
            cuts->n_ranks == 1
                ? n_servers
                : first + (uint32_t)(rest * (uint64_t)(i - 1) / (uint64_t)(cuts->n_ranks - 1));
    }
}

static void plan_auto(struct cuts *cuts, uint32_t cell, uint32_t n_cells, int n_ranks,
                      uint32_t n_servers)
{
    uint64_t ranks = (uint64_t)n_ranks;
    if (ranks <= n_cells) {
        cuts->first_rank = (int)(cell * ranks / n_cells);
        cuts->n_ranks = 1;
    } else {
        cuts->first_rank = (int)(cell * ranks / n_cells);
        cuts->n_ranks = (int)((cell + 1) * ranks / n_cells) - cuts->first_rank;
    }
    weighted_cuts(cuts, n_servers);
}

// Fills the cuts of one cell and returns its balancer's rank.
static int plan_cell(struct cuts *cuts, enum layout_mode mode, uint32_t cell, uint32_t n_cells,
                     int n_ranks, uint32_t n_servers)
{
    if (mode == LAYOUT_AUTO || n_ranks == 1) {
        plan_auto(cuts, cell, n_cells, n_ranks, n_servers);
        return cuts->first_rank;
    }
    int n_balancer_ranks = mode == LAYOUT_APART ? (n_ranks + 3) / 4 : n_ranks;
    cuts->first_rank = mode == LAYOUT_APART ? n_balancer_ranks : 0;
    cuts->n_ranks = n_ranks - cuts->first_rank;
    even_cuts(cuts, n_servers);
    return (int)(cell % (uint32_t)n_balancer_ranks);
}

static void add_part(struct layout *layout, const struct layout_part *part)
{
    layout->parts = mem_realloc(layout->parts, layout->n_parts + 1, sizeof *layout->parts);
    layout->parts[layout->n_parts++] = *part;
}

// The parts of one cell: its groups' ranges intersected with the ranks' ranges.
static void add_cell(struct layout *layout, const struct fleet_config *config, uint32_t cell,
                     const struct cuts *cuts)
{
    uint32_t group_first = 0;
    for (uint32_t g = 0; g < config->n_groups; g++) {
        uint32_t group_end = group_first + layout_servers(config, g, cell);
        for (int r = 0; r < cuts->n_ranks; r++) {
            uint32_t first = cuts->at[r] > group_first ? cuts->at[r] : group_first;
            uint32_t end = cuts->at[r + 1] < group_end ? cuts->at[r + 1] : group_end;
            if (first < end)
                add_part(layout,
                         &(struct layout_part){cell, g, first, layout->n_fleet_servers + first,
                                               end - first, cuts->first_rank + r});
        }
        group_first = group_end;
    }
    layout->n_servers[cell] = group_first;
    layout->n_fleet_servers += group_first;
}

struct layout *layout_create(const struct fleet_config *config, int n_ranks, enum layout_mode mode)
{
    struct layout *layout = mem_calloc(1, sizeof *layout);
    layout->n_cells = config->n_cells;
    layout->first_part = mem_calloc(config->n_cells + 1, sizeof *layout->first_part);
    layout->n_servers = mem_calloc(config->n_cells, sizeof *layout->n_servers);
    layout->balancer_rank = mem_calloc(config->n_cells, sizeof *layout->balancer_rank);
    struct cuts cuts = {.at = mem_calloc((size_t)n_ranks + 1, sizeof *cuts.at)};
    for (uint32_t cell = 0; cell < config->n_cells; cell++) {
        uint32_t n_servers = 0;
        for (uint32_t g = 0; g < config->n_groups; g++)
            n_servers += layout_servers(config, g, cell);
        layout->balancer_rank[cell] =
            plan_cell(&cuts, mode, cell, config->n_cells, n_ranks, n_servers);
        layout->first_part[cell] = layout->n_parts;
        add_cell(layout, config, cell, &cuts);
    }
    layout->first_part[config->n_cells] = layout->n_parts;
    mem_free(cuts.at);
    return layout;
}

void layout_destroy(struct layout *layout)
{
    if (!layout)
        return;
    mem_free(layout->parts);
    mem_free(layout->first_part);
    mem_free(layout->n_servers);
    mem_free(layout->balancer_rank);
    mem_free(layout);
}
