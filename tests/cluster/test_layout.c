// SPDX-License-Identifier: Apache-2.0
#include "cluster/layout.h"

#include <string.h>

#include "base/mem.h"
#include "cluster/fixture.h"
#include "support/suite.h"

// Fleets: servers by group, and cells. Some do not divide, some are smaller than the ranks.
static const struct {
    uint32_t n_groups, n_servers[FIXTURE_GROUPS], n_cells;
} fleets[] = {{1, {1, 0, 0}, 1},  {1, {7, 0, 0}, 1},   {1, {100, 0, 0}, 1},
              {2, {5, 6, 0}, 4},  {3, {3, 3, 3}, 4},   {3, {1, 7, 2}, 5},
              {2, {40, 9, 0}, 3}, {1, {16, 0, 0}, 16}, {3, {50, 1, 13}, 8}};
enum { N_FLEETS = sizeof fleets / sizeof *fleets, MOST_RANKS = 17 };

static void init(struct fixture *fixture, int i)
{
    fixture_init(fixture, 1, fleets[i].n_groups);
    fixture->config.n_cells = fleets[i].n_cells;
    for (uint32_t g = 0; g < fleets[i].n_groups; g++)
        fixture->groups[g].n_servers = fleets[i].n_servers[g];
}

// Which (cell, group) every server of the fleet belongs to; each must be there exactly once.
static void assert_covers(const struct layout *layout, const struct fleet_config *config,
                          uint32_t *home)
{
    uint32_t n_seen = 0, first_of_cell = 0;
    for (uint32_t cell = 0; cell < layout->n_cells; cell++) {
        uint32_t next = 0;
        for (uint32_t p = layout->first_part[cell]; p < layout->first_part[cell + 1]; p++) {
            const struct layout_part *part = &layout->parts[p];
            ck_assert_uint_eq(part->cell, cell);
            ck_assert_uint_gt(part->n_servers, 0);
            ck_assert_uint_eq(part->first_in_cell, next);
            ck_assert_uint_eq(part->first_in_fleet, first_of_cell + next);
            for (uint32_t s = 0; s < part->n_servers; s++)
                home[n_seen++] = cell * config->n_groups + part->group;
            next += part->n_servers;
        }
        ck_assert_uint_eq(layout->n_servers[cell], next);
        first_of_cell += next;
    }
    ck_assert_uint_eq(layout->first_part[0], 0);
    ck_assert_uint_eq(layout->first_part[layout->n_cells], layout->n_parts);
    ck_assert_uint_eq(layout->n_fleet_servers, n_seen);
}

// Every server is somewhere once, and its number, cell and group are the same for any number of
// ranks and any mode.
START_TEST(servers_stay)
{
    for (int i = 0; i < N_FLEETS; i++) {
        struct fixture fixture;
        uint32_t n_servers = 0, first[256], home[256];
        init(&fixture, i);
        for (uint32_t g = 0; g < fixture.config.n_groups; g++)
            n_servers += fixture.groups[g].n_servers;
        struct layout *one = layout_create(&fixture.config, 1, LAYOUT_AUTO);
        assert_covers(one, &fixture.config, first);
        ck_assert_uint_eq(one->n_fleet_servers, n_servers);
        for (int n_ranks = 1; n_ranks <= MOST_RANKS; n_ranks++)
            for (enum layout_mode mode = 0; mode < N_LAYOUT_MODES; mode++) {
                struct layout *layout = layout_create(&fixture.config, n_ranks, mode);
                assert_covers(layout, &fixture.config, home);
                ck_assert_uint_eq(layout->n_fleet_servers, n_servers);
                ck_assert_mem_eq(first, home, n_servers * sizeof *home);
                layout_destroy(layout);
            }
        layout_destroy(one);
    }
}
END_TEST

// Parts and balancers are on ranks that there are; one rank has no more than one part of a group in
// a cell.
START_TEST(ranks_exist)
{
    for (int i = 0; i < N_FLEETS; i++)
        for (int n_ranks = 1; n_ranks <= MOST_RANKS; n_ranks++)
            for (enum layout_mode mode = 0; mode < N_LAYOUT_MODES; mode++) {
                struct fixture fixture;
                init(&fixture, i);
                struct layout *layout = layout_create(&fixture.config, n_ranks, mode);
                for (uint32_t cell = 0; cell < layout->n_cells; cell++)
                    ck_assert(layout->balancer_rank[cell] >= 0 &&
                              layout->balancer_rank[cell] < n_ranks);
                for (uint32_t p = 0; p < layout->n_parts; p++) {
                    const struct layout_part *part = &layout->parts[p], *next = part + 1;
                    ck_assert(part->rank >= 0 && part->rank < n_ranks);
                    ck_assert(p + 1 == layout->n_parts || next->cell != part->cell ||
                              next->group != part->group || next->rank > part->rank);
                }
                layout_destroy(layout);
            }
}
END_TEST

// A group is dealt evenly, within one server, and so is the whole fleet.
START_TEST(dealt_evenly)
{
    for (int i = 0; i < N_FLEETS; i++) {
        struct fixture fixture;
        init(&fixture, i);
        struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
        uint32_t least = UINT32_MAX, most = 0;
        for (uint32_t g = 0; g < fixture.config.n_groups; g++) {
            uint32_t sum = 0, share = fixture.groups[g].n_servers / fixture.config.n_cells;
            for (uint32_t cell = 0; cell < fixture.config.n_cells; cell++) {
                uint32_t n = layout_servers(&fixture.config, g, cell);
                ck_assert(n == share || n == share + 1);
                sum += n;
            }
            ck_assert_uint_eq(sum, fixture.groups[g].n_servers);
        }
        for (uint32_t cell = 0; cell < layout->n_cells; cell++) {
            least = layout->n_servers[cell] < least ? layout->n_servers[cell] : least;
            most = layout->n_servers[cell] > most ? layout->n_servers[cell] : most;
        }
        ck_assert_uint_le(most - least, 1);
        layout_destroy(layout);
    }
}
END_TEST

// By hand: 5 and 6 servers over 4 cells. The first odd one goes to cell 0, the other group's two to
// cells 1 and 2.
START_TEST(odd_servers)
{
    static const uint32_t expected[2][4] = {{2, 1, 1, 1}, {1, 2, 2, 1}};
    struct fixture fixture;
    init(&fixture, 3);
    for (uint32_t g = 0; g < 2; g++)
        for (uint32_t cell = 0; cell < 4; cell++)
            ck_assert_uint_eq(layout_servers(&fixture.config, g, cell), expected[g][cell]);
}
END_TEST

// Dealing a group's servers one by one, to the cells by their turns, gives each cell its number of
// them; and in the numbering of the group a cell's servers follow those of the cells before it.
START_TEST(turns)
{
    for (int i = 0; i < N_FLEETS; i++) {
        struct fixture fixture;
        init(&fixture, i);
        const struct fleet_config *config = &fixture.config;
        for (uint32_t g = 0; g < config->n_groups; g++) {
            uint32_t n_before = 0, turns = 0;
            for (uint32_t cell = 0; cell < config->n_cells; cell++) {
                uint32_t turn = layout_turn(config, g, cell), n = 0;
                ck_assert_uint_lt(turn, config->n_cells);
                turns |= 1u << turn;
                for (uint32_t s = 0; s < config->groups[g].n_servers; s++)
                    n += s % config->n_cells == turn;
                ck_assert_uint_eq(layout_servers(config, g, cell), n);
                ck_assert_uint_eq(layout_first(config, g, cell), n_before);
                n_before += n;
            }
            ck_assert_uint_eq(turns, (1u << config->n_cells) - 1);
        }
    }
}
END_TEST

// auto with at least as many cells as ranks: cells stay whole, with their balancer, and are dealt
// evenly; every rank has work.
START_TEST(auto_keeps_cells)
{
    for (int n_ranks = 1; n_ranks <= 16; n_ranks++) {
        struct fixture fixture;
        uint32_t n_cells[16] = {0};
        init(&fixture, 7);
        struct layout *layout = layout_create(&fixture.config, n_ranks, LAYOUT_AUTO);
        ck_assert_uint_eq(layout->n_parts, 16);
        for (uint32_t cell = 0; cell < 16; cell++) {
            int rank = layout->parts[layout->first_part[cell]].rank;
            ck_assert_int_eq(rank, layout->balancer_rank[cell]);
            n_cells[rank]++;
        }
        for (int rank = 0; rank < n_ranks; rank++)
            ck_assert(n_cells[rank] == 16 / (uint32_t)n_ranks ||
                      n_cells[rank] == 16 / (uint32_t)n_ranks + 1);
        layout_destroy(layout);
    }
}
END_TEST

// auto with one cell over several ranks: the ranks' work, balancing and sending counted, is even
// within a server or two, unless the balancer alone is more than a rank's share.
START_TEST(auto_weighs)
{
    for (int n_ranks = 2; n_ranks <= MOST_RANKS; n_ranks++) {
        struct fixture fixture;
        double work_ns[MOST_RANKS] = {0}, n = n_ranks;
        fixture_init(&fixture, 1, 1);
        fixture.groups[0].n_servers = 10000;
        struct layout *layout = layout_create(&fixture.config, n_ranks, LAYOUT_AUTO);
        for (uint32_t p = 0; p < layout->n_parts; p++)
            work_ns[layout->parts[p].rank] += LAYOUT_SERVER_NS * layout->parts[p].n_servers / 1e4;
        double balancer_ns = LAYOUT_BALANCER_NS + LAYOUT_SEND_NS * (n - 1) / n;
        double share_ns = (balancer_ns + LAYOUT_SERVER_NS) / n;
        work_ns[layout->balancer_rank[0]] += balancer_ns;
        double even_ns = share_ns > balancer_ns ? share_ns : LAYOUT_SERVER_NS / (n - 1);
        for (int rank = 0; rank < n_ranks; rank++) {
            bool alone = rank == layout->balancer_rank[0] && share_ns <= balancer_ns;
            ck_assert_double_eq_tol(work_ns[rank], alone ? balancer_ns : even_ns,
                                    2 * LAYOUT_SERVER_NS / 1e4);
        }
        layout_destroy(layout);
    }
}
END_TEST

// spread: every cell over all ranks, evenly, and balancers in turn.
START_TEST(spread)
{
    struct fixture fixture;
    init(&fixture, 8);
    for (int n_ranks = 2; n_ranks <= 8; n_ranks++) {
        struct layout *layout = layout_create(&fixture.config, n_ranks, LAYOUT_SPREAD);
        for (uint32_t cell = 0; cell < layout->n_cells; cell++) {
            uint32_t count[MOST_RANKS] = {0};
            ck_assert_int_eq(layout->balancer_rank[cell], (int)cell % n_ranks);
            for (uint32_t p = layout->first_part[cell]; p < layout->first_part[cell + 1]; p++)
                count[layout->parts[p].rank] += layout->parts[p].n_servers;
            uint32_t share = layout->n_servers[cell] / (uint32_t)n_ranks;
            for (int rank = 0; rank < n_ranks; rank++)
                ck_assert(count[rank] == share || count[rank] == share + 1);
        }
        layout_destroy(layout);
    }
}
END_TEST

// apart: no rank has both balancers and servers, and one rank in four, rounded up, has balancers.
START_TEST(apart)
{
    struct fixture fixture;
    init(&fixture, 8);
    for (int n_ranks = 2; n_ranks <= MOST_RANKS; n_ranks++) {
        struct layout *layout = layout_create(&fixture.config, n_ranks, LAYOUT_APART);
        int n_balancers = (n_ranks + 3) / 4;
        for (uint32_t cell = 0; cell < layout->n_cells; cell++)
            ck_assert_int_lt(layout->balancer_rank[cell], n_balancers);
        for (uint32_t p = 0; p < layout->n_parts; p++)
            ck_assert_int_ge(layout->parts[p].rank, n_balancers);
        layout_destroy(layout);
    }
}
END_TEST

// More ranks than servers: some ranks have none.
START_TEST(more_ranks_than_servers)
{
    struct fixture fixture;
    init(&fixture, 0);
    for (enum layout_mode mode = 0; mode < N_LAYOUT_MODES; mode++) {
        struct layout *layout = layout_create(&fixture.config, MOST_RANKS, mode);
        ck_assert_uint_eq(layout->n_parts, 1);
        ck_assert_uint_eq(layout->parts[0].n_servers, 1);
        layout_destroy(layout);
    }
    layout_destroy(NULL);
}
END_TEST

// Names in the order of the enum, for the command line.
START_TEST(names)
{
    ck_assert_str_eq(layout_mode_names[LAYOUT_AUTO], "auto");
    ck_assert_str_eq(layout_mode_names[LAYOUT_SPREAD], "spread");
    ck_assert_str_eq(layout_mode_names[LAYOUT_APART], "apart");
    ck_assert_ptr_null(layout_mode_names[N_LAYOUT_MODES]);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", servers_stay}, {"core", ranks_exist},
                                       {"core", dealt_evenly}, {"core", odd_servers},
                                       {"core", turns},        {"core", auto_keeps_cells},
                                       {"core", auto_weighs},  {"core", spread},
                                       {"core", apart},        {"limits", more_ranks_than_servers},
                                       {"limits", names}};
    return suite_run("layout", tests, sizeof tests / sizeof *tests);
}
