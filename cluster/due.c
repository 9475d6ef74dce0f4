// SPDX-License-Identifier: Apache-2.0
#include "cluster/due.h"

#include "base/mem.h"

const struct due_kernel *const due_kernels[] = {
#if defined(__x86_64__)
    &due_avx512, &due_avx2,
#endif
    &due_portable, NULL};

_Static_assert(DUE_LINE * sizeof(int32_t) == 64, "a line is a cache line");
_Static_assert(DUE_MOST_LANES <= UINT8_MAX, "counts have 8 bits");

void due_init(struct due *due, uint32_t n_servers, int64_t status_delay_ns,
              int64_t report_period_ns, bool in_lanes)
{
    *due = (struct due){.n_servers = n_servers,
                        .status_delay_ns = status_delay_ns,
                        .report_period_ns = report_period_ns};
    int i = 0;
    while (!due_kernels[i]->supported())
        i++;
    due->kernel = due_kernels[i];
    if (in_lanes)
        due_grow(due);
}

void due_release(struct due *due)
{
    for (uint32_t p = 0; p < due->n_planes; p++)
        mem_free(due->planes[p]);
    due->n_planes = 0;
}

void due_grow(struct due *due)
{
    size_t bytes = (size_t)due->n_servers * DUE_LINE * sizeof(int32_t);
    due->planes[due->n_planes++] = mem_huge(bytes); // zeros: at the base, so past
}

static uint32_t n_lanes(uint32_t plane)
{
    return plane == 0 ? DUE_FIRST_LANES : DUE_LINE;
}

size_t due_times(const struct due *due, uint32_t server, int64_t now_ns,
                 int64_t times_ns[DUE_MOST_LANES])
{
    const int32_t *first = due_line(due, 0, server);
    int32_t now = due_offset_ns(first, now_ns);
    size_t n = 0;
    for (uint32_t p = 0; p < due->n_planes; p++) {
        const int32_t *line = due_line(due, p, server);
        for (uint32_t lane = 0; lane < n_lanes(p); lane++) {
            if (line[lane] <= now)
                continue;
            int64_t ns = due_base_ns(first) + line[lane];
            size_t i = n++;
            for (; i > 0 && times_ns[i - 1] > ns; i--)
                times_ns[i] = times_ns[i - 1];
            times_ns[i] = ns;
        }
    }
    return n;
}

bool due_rebase(struct due *due, uint32_t server, int64_t now_ns)
{
    int32_t *first = due_line(due, 0, server);
    uint32_t base = (uint32_t)((uint64_t)now_ns >> DUE_BASE_SHIFT);
    int64_t up_ns = (int64_t)(base - (uint32_t)first[DUE_BASE]) << DUE_BASE_SHIFT;
    if (up_ns == 0)
        return false;
    for (uint32_t p = 0; p < due->n_planes; p++) {
        int32_t *line = due_line(due, p, server);
        for (uint32_t lane = 0; lane < n_lanes(p); lane++)
            line[lane] = line[lane] > up_ns ? (int32_t)(line[lane] - up_ns) : 0;
    }
    first[DUE_BASE] = (int32_t)base;
    return true;
}
