// SPDX-License-Identifier: Apache-2.0
#include "live/rapl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct zone {
    char *path; // of its counter
    double last_uj, range_uj;
};

struct rapl {
    size_t n;
    struct zone *zones;
    double sum_j;
};

// One number of a file; -1: it cannot be read.
static double read_number(const char *path)
{
    double value = -1;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%lf", &value) != 1)
        value = -1;
    if (file)
        fclose(file);
    return value;
}

static bool is_wanted(const char *folder, const char *zone)
{
    char name[64] = "", *path = mem_printf("%s/%s/name", folder, zone);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%63s", name) != 1)
        *name = '\0';
    if (file)
        fclose(file);
    mem_free(path);
    return strncmp(name, "package", 7) == 0 || strcmp(name, "dram") == 0;
}

// Adds the zone where its counter can be read; else errno says why not.
static bool add_zone(struct rapl *rapl, const char *folder, const char *name)
{
    char *path = mem_printf("%s/%s/energy_uj", folder, name);
    char *range = mem_printf("%s/%s/max_energy_range_uj", folder, name);
    errno = 0;
    double now_uj = read_number(path);
    if (now_uj >= 0) {
        rapl->zones = mem_realloc(rapl->zones, rapl->n + 1, sizeof *rapl->zones);
        rapl->zones[rapl->n++] = (struct zone){path, now_uj, read_number(range)};
    } else {
        mem_free(path);
    }
    mem_free(range);
    return now_uj >= 0;
}

struct rapl *rapl_open(const char *folder, struct err *err)
{
    struct rapl *rapl = mem_calloc(1, sizeof *rapl);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int why = dir ? 0 : errno;
    while (dir && (entry = readdir(dir)))
        if (strchr(entry->d_name, ':') && is_wanted(folder, entry->d_name) &&
            !add_zone(rapl, folder, entry->d_name))
            why = errno;
    if (dir)
        closedir(dir);
    if (rapl->n > 0)
        return rapl;
    mem_free(rapl);
    err_set(err, ERR_FAIL, "the processor's energy counters (%s) cannot be read: %s", folder,
            why ? strerror(why) : "there are none");
    return NULL;
}

void rapl_close(struct rapl *rapl)
{
    if (!rapl)
        return;
    for (size_t i = 0; i < rapl->n; i++)
        mem_free(rapl->zones[i].path);
    mem_free(rapl->zones);
    mem_free(rapl);
}

double rapl_read_j(struct rapl *rapl)
{
    for (size_t i = 0; i < rapl->n; i++) {
        struct zone *zone = &rapl->zones[i];
        double now_uj = read_number(zone->path);
        if (now_uj < 0)
            continue;
        double used_uj = now_uj - zone->last_uj;
        if (used_uj < 0) // it began anew
            used_uj = zone->range_uj > 0 ? used_uj + zone->range_uj : now_uj;
        rapl->sum_j += 1e-6 * used_uj;
        zone->last_uj = now_uj;
    }
    return rapl->sum_j;
}
