// SPDX-License-Identifier: Apache-2.0
#include "app/measured.h"

#include <stdio.h>
#include <string.h>

// A file that cannot be read is left to those who read results: they say why.
static bool is_results(const char *path)
{
    size_t n = strlen(path);
    unsigned char head[4] = {0};
    FILE *file = fopen(path, "rb");
    bool hdf5 = !file || (fread(head, 1, sizeof head, file) == sizeof head &&
                          memcmp(head, "\x89HDF", sizeof head) == 0);
    if (file)
        fclose(file);
    return hdf5 || (n > 3 && strcmp(path + n - 3, ".h5") == 0);
}

// The first that is no results file, of all that are named; *other: another one; *n: how many.
static const char *find(const struct cmd_line *line, const char **other, size_t *n)
{
    const char *found = NULL, *baseline = cmd_value(line, "--baseline", NULL);
    *n = line->n_args;
    *other = NULL;
    for (size_t i = 0; i <= line->n_args; i++) {
        const char *path = i < line->n_args ? line->args[i] : baseline;
        bool again =
            i == line->n_args && path && line->n_args > 0 &&
            (strcmp(path, line->args[0]) == 0 || strcmp(path, line->args[line->n_args - 1]) == 0);
        if (!path || again)
            continue;
        *n += i == line->n_args;
        if (!found && !is_results(path))
            found = path;
        else
            *other = path;
    }
    return found;
}

bool measured_given(const struct cmd_line *line)
{
    size_t n;
    const char *other;
    return find(line, &other, &n) != NULL;
}

static int unit_of(const struct cmd_line *line, double *unit_s, struct err *err)
{
    const char *const names[] = {"ns", "us", "ms", "s"};
    const double scales[] = {1e-9, 1e-6, 1e-3, 1};
    const char *given = cmd_value(line, "--unit", "ms");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(given, names[i]) == 0) {
            *unit_s = scales[i];
            return 0;
        }
    return err_set(err, ERR_STUDY, "recfleet %s: --unit: expected ns, us, ms or s, got \"%s\"",
                   line->cmd->name, given);
}

static int service_of(const struct cmd_line *line, const struct run_result *run, uint32_t *service,
                      struct err *err)
{
    const char *name = cmd_value(line, "--service", NULL);
    *service = run->meta->n_services == 1 ? 0 : run->meta->n_services;
    for (uint32_t i = 0; name && i < run->meta->n_services; i++)
        if (strcmp(run->meta->services[i].name, name) == 0) {
            *service = i;
            return 0;
        }
    return name ? err_set(err, ERR_STUDY, "%s: has no service \"%s\"", run->path, name) : 0;
}

int measured_load(struct measured *to, const struct cmd_line *line, struct err *err)
{
    size_t n;
    const char *results, *path = find(line, &results, &n);
    double unit_s = 0;
    *to = (struct measured){.service = 0};
    if (n != 2 || !results || !is_results(results))
        return err_set(err, ERR_STUDY,
                       "%s: measured percentiles are compared with the results file of one run",
                       path);
    if (unit_of(line, &unit_s, err) < 0 ||
        percentiles_read(&to->percentiles, path, unit_s, err) < 0)
        return -1;
    const struct percentiles *p = &to->percentiles;
    const char *unit = p->has_unit ? NULL : cmd_value(line, "--unit", "ms");
    to->table = (struct percentile_table_measured){path,        p->kind,      unit,      p->n,
                                                   p->quantile, p->latency_s, p->n_total};
    to->run = run_result_read(results, DATASET_WHOLE, err);
    if (to->run && service_of(line, to->run, &to->service, err) == 0)
        return 0;
    measured_release(to);
    return -1;
}

void measured_release(struct measured *measured)
{
    percentiles_release(&measured->percentiles);
    run_result_destroy(measured->run);
    *measured = (struct measured){.service = 0};
}
