// SPDX-License-Identifier: Apache-2.0
#include "live/topology.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef RECFLEET_HWLOC
#include <hwloc.h>
#endif

#include "base/mem.h"

#define MOST_CPUS 8192 // that a set of the system's is asked for

// ---- /proc and /sys -----------------------------------------------------------------------------

// What the first line of /proc/cpuinfo with this key says; false: there is none.
static bool cpuinfo(const char *key, char *to, size_t size)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !found && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        colon += strspn(colon, ": \t");
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(to, size, "%s", colon);
        found = true;
    }
    if (file)
        fclose(file);
    return found;
}

// The first word of a file of /sys; false: it cannot be read.
static bool sys_word(const char *path, char *to, size_t size)
{
    FILE *file = fopen(path, "r");
    bool read = file && fgets(to, (int)size, file);
    if (file)
        fclose(file);
    if (read)
        to[strcspn(to, " \n")] = '\0';
    return read;
}

static bool cpu_word(int cpu, const char *what, char *to, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", cpu, what);
    return sys_word(path, to, size);
}

// "32768K" of a cache; 0: not known.
static double cache_bytes(int cpu, const char *level, const char *kind)
{
    char what[64], text[64];
    for (int i = 0; i < 8; i++) {
        snprintf(what, sizeof what, "cache/index%d/level", i);
        if (!cpu_word(cpu, what, text, sizeof text))
            return 0;
        if (strcmp(text, level) != 0)
            continue;
        snprintf(what, sizeof what, "cache/index%d/type", i);
        if (!cpu_word(cpu, what, text, sizeof text) || strcmp(text, kind) != 0)
            continue;
        snprintf(what, sizeof what, "cache/index%d/size", i);
        if (!cpu_word(cpu, what, text, sizeof text))
            return 0;
        char *unit;
        double size = strtod(text, &unit);
        return size * (*unit == 'K' ? 1024 : *unit == 'M' ? 1048576 : 1);
    }
    return 0;
}

// What the process may use; at least one, and the caller's to CPU_FREE().
static cpu_set_t *allowed_cpus(size_t *size)
{
    cpu_set_t *set = CPU_ALLOC(MOST_CPUS);
    *size = CPU_ALLOC_SIZE(MOST_CPUS);
    CPU_ZERO_S(*size, set);
    if (sched_getaffinity(0, *size, set) < 0 || CPU_COUNT_S(*size, set) == 0)
        CPU_SET_S(0, *size, set);
    return set;
}

static void add_core(struct topology *to, int cpu, int package, int l3)
{
    if ((to->n_cores & (to->n_cores - 1)) == 0) // at powers of two
        to->cores =
            mem_realloc(to->cores, to->n_cores > 0 ? 2 * to->n_cores : 1, sizeof *to->cores);
    to->cores[to->n_cores++] = (struct topology_core){cpu, package, l3};
}

// What both ways have in common; the cores are there.
static void read_rest(struct topology *to)
{
    char text[64];
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    if (pages > 0 && page_bytes > 0)
        to->memory_bytes = (double)pages * (double)page_bytes;
    to->n_all_threads = all > 0 ? (size_t)all : to->n_threads;
    if (!*to->processor)
        cpuinfo("model name", to->processor, sizeof to->processor);
    if (cpuinfo("cpu MHz", text, sizeof text))
        to->clock_hz = 1e6 * strtod(text, NULL);
    for (size_t i = 0; i < to->n_cores; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || to->cores[k].package == to->cores[i].package;
        to->n_packages += !seen;
    }
}

static int package_of(int cpu)
{
    char text[32];
    int package = cpu_word(cpu, "topology/physical_package_id", text, sizeof text) ? atoi(text) : 0;
    return package < 0 ? 0 : package;
}

// The first of the threads that share the core's last-level cache: "0-7,32-39".
static int l3_of(int cpu)
{
    char text[128];
    for (int i = 0; i < 8; i++) {
        char what[64];
        snprintf(what, sizeof what, "cache/index%d/level", i);
        if (!cpu_word(cpu, what, text, sizeof text))
            break;
        snprintf(what, sizeof what, "cache/index%d/shared_cpu_list", i);
        if (strcmp(text, "3") == 0 && cpu_word(cpu, what, text, sizeof text))
            return atoi(text);
    }
    return -1;
}

// The threads of a core as the system writes them, "0,32" or "4-5": equal for all of one core.
static void read_cores(struct topology *to, const cpu_set_t *set, size_t size)
{
    char(*siblings)[128] = mem_calloc((size_t)to->n_threads, sizeof *siblings);
    for (int cpu = 0; cpu < MOST_CPUS; cpu++) {
        bool seen = false;
        if (!CPU_ISSET_S((size_t)cpu, size, set))
            continue;
        char *own = siblings[to->n_cores];
        if (!cpu_word(cpu, "topology/thread_siblings_list", own, sizeof *siblings))
            snprintf(own, sizeof *siblings, "%d", cpu);
        for (size_t i = 0; i < to->n_cores; i++)
            seen = seen || strcmp(siblings[i], own) == 0;
        if (!seen)
            add_core(to, cpu, package_of(cpu), l3_of(cpu));
    }
    mem_free(siblings);
}

void topology_read_plain(struct topology *to)
{
    size_t size;
    cpu_set_t *set = allowed_cpus(&size);
    *to = (struct topology){.n_threads = (size_t)CPU_COUNT_S(size, set)};
    read_cores(to, set, size);
    CPU_FREE(set);
    to->l1_bytes = cache_bytes(to->cores[0].cpu, "1", "Data");
    to->l2_bytes = cache_bytes(to->cores[0].cpu, "2", "Unified");
    to->l3_bytes = cache_bytes(to->cores[0].cpu, "3", "Unified");
    read_rest(to);
}

// ---- hwloc --------------------------------------------------------------------------------------

#ifdef RECFLEET_HWLOC
// The first thread of an object that the process may use; NULL: none.
static hwloc_obj_t first_thread(hwloc_topology_t tree, hwloc_obj_t in, hwloc_const_cpuset_t allowed)
{
    hwloc_obj_t thread = NULL;
    while (
        (thread = hwloc_get_next_obj_inside_cpuset_by_type(tree, in->cpuset, HWLOC_OBJ_PU, thread)))
        if (hwloc_bitmap_isset(allowed, thread->os_index))
            return thread;
    return NULL;
}

static double cache_above(hwloc_topology_t tree, hwloc_obj_t thread, hwloc_obj_type_t type)
{
    hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(tree, type, thread);
    return cache && cache->attr ? (double)cache->attr->cache.size : 0;
}

static void add_thread(struct topology *to, hwloc_topology_t tree, hwloc_obj_t thread)
{
    hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(tree, HWLOC_OBJ_PACKAGE, thread);
    if (to->n_cores == 0) {
        const char *name = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
        if (name)
            snprintf(to->processor, sizeof to->processor, "%s", name);
        to->l1_bytes = cache_above(tree, thread, HWLOC_OBJ_L1CACHE);
        to->l2_bytes = cache_above(tree, thread, HWLOC_OBJ_L2CACHE);
        to->l3_bytes = cache_above(tree, thread, HWLOC_OBJ_L3CACHE);
    }
    hwloc_obj_t l3 = hwloc_get_ancestor_obj_by_type(tree, HWLOC_OBJ_L3CACHE, thread);
    add_core(to, (int)thread->os_index, package ? (int)package->os_index : 0,
             l3 ? (int)l3->logical_index : -1);
}

// Where hwloc knows of no cores, every thread counts as one.
static void read_tree(struct topology *to, hwloc_topology_t tree)
{
    size_t size;
    cpu_set_t *set = allowed_cpus(&size);
    hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
    hwloc_obj_type_t type =
        hwloc_get_nbobjs_by_type(tree, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
    for (int cpu = 0; cpu < MOST_CPUS; cpu++)
        if (CPU_ISSET_S((size_t)cpu, size, set))
            hwloc_bitmap_set(allowed, (unsigned)cpu);
    to->n_threads = (size_t)CPU_COUNT_S(size, set);
    for (int i = 0; i < hwloc_get_nbobjs_by_type(tree, type); i++) {
        hwloc_obj_t core = hwloc_get_obj_by_type(tree, type, (unsigned)i);
        hwloc_obj_t thread = first_thread(tree, core, allowed);
        if (thread)
            add_thread(to, tree, thread);
    }
    hwloc_bitmap_free(allowed);
    CPU_FREE(set);
}

static bool read_hwloc(struct topology *to)
{
    hwloc_topology_t tree;
    *to = (struct topology){.by_hwloc = true};
    if (hwloc_topology_init(&tree) < 0)
        return false;
    bool loaded = hwloc_topology_load(tree) == 0;
    if (loaded)
        read_tree(to, tree);
    hwloc_topology_destroy(tree);
    if (to->n_cores > 0)
        read_rest(to);
    return to->n_cores > 0;
}
#else
static bool read_hwloc(struct topology *to)
{
    (void)to;
    return false;
}
#endif

void topology_read(struct topology *to)
{
    if (!read_hwloc(to))
        topology_read_plain(to);
}

void topology_release(struct topology *topology)
{
    if (!topology)
        return;
    mem_free(topology->cores);
    *topology = (struct topology){.n_cores = 0};
}

int topology_pin(int cpu, struct err *err)
{
    cpu_set_t *set = CPU_ALLOC(MOST_CPUS);
    size_t size = CPU_ALLOC_SIZE(MOST_CPUS);
    CPU_ZERO_S(size, set);
    if (cpu >= 0 && cpu < MOST_CPUS)
        CPU_SET_S((size_t)cpu, size, set);
    int rc = sched_setaffinity(0, size, set);
    int why = errno;
    CPU_FREE(set);
    return rc == 0 ? 0
                   : err_set(err, ERR_FAIL, "a thread cannot be kept on processor %d: %s", cpu,
                             strerror(why));
}

// ---- teams --------------------------------------------------------------------------------------

enum nearness { SAME_L3, SAME_PACKAGE, ANYWHERE, N_NEARNESSES };

static bool is_near(const struct topology_core *a, const struct topology_core *b,
                    enum nearness nearness)
{
    bool same_package = nearness == ANYWHERE || a->package == b->package;
    return same_package && (nearness != SAME_L3 || a->l3 == b->l3);
}

// Fills team[n] with `first` and the cores near it that are free; false: these are too few.
static bool gather_team(const struct topology *topology, const bool *used, size_t first,
                        enum nearness nearness, size_t n, size_t *team)
{
    size_t n_found = 0;
    for (size_t i = first; i < topology->n_cores && n_found < n; i++)
        if (!used[i] && is_near(&topology->cores[first], &topology->cores[i], nearness))
            team[n_found++] = i;
    return n_found == n;
}

size_t topology_teams(const struct topology *topology, size_t n_members, int *cpus)
{
    size_t n_cores = topology->n_cores, n_put = 0;
    bool *used = mem_calloc(n_cores, sizeof *used);
    size_t *team = mem_calloc(n_members, sizeof *team);
    for (int nearness = SAME_L3; nearness < N_NEARNESSES; nearness++)
        for (size_t first = 0; first < n_cores; first++) {
            if (used[first] ||
                !gather_team(topology, used, first, (enum nearness)nearness, n_members, team))
                continue;
            for (size_t i = 0; i < n_members; i++) {
                used[team[i]] = true;
                cpus[n_put++] = topology->cores[team[i]].cpu;
            }
        }
    size_t n_teams = n_put / n_members;
    for (size_t i = 0; i < n_cores; i++)
        if (!used[i])
            cpus[n_put++] = topology->cores[i].cpu;
    mem_free(team);
    mem_free(used);
    return n_teams;
}

static void put_bytes(FILE *out, double bytes, const char *what)
{
    if (bytes >= 1048576)
        fprintf(out, ", %.4g MiB %s", bytes / 1048576, what);
    else if (bytes > 0)
        fprintf(out, ", %.4g KiB %s", bytes / 1024, what);
}

char *topology_text(const struct topology *topology)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%zu core%s of %s", topology->n_cores, topology->n_cores == 1 ? "" : "s",
            *topology->processor ? topology->processor : "an unknown processor");
    put_bytes(out, topology->l1_bytes, "L1");
    put_bytes(out, topology->l2_bytes, "L2");
    put_bytes(out, topology->l3_bytes, "L3");
    fclose(out);
    return text;
}
