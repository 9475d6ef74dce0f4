// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "results/report/table.h"
#include "study/library.h"
#include "study/table_file.h"
#include "study/table_fit.h"

static const struct cmd_option options[] = {
    {"--model", 'm', "NAME", "model that was measured; else the file says which"},
    {"--like", 'l', "PLATFORM", "also fit a roofline platform like this one"},
    {"--name", 'n', "NAME", "of what is fitted; else that of the file's platform, or \"fitted\""},
    CMD_CATALOG,
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// What is fitted to what.
struct job {
    struct table_file file;
    const struct model *model;   // NULL: not known
    const struct platform *like; // NULL: not asked for
    char *name;
    struct table_fit affine, roofline;
};

static void put_percent(struct table *table, double frac)
{
    table_value(table, table_fixed(100 * frac, 1), frac);
}

// Fitted times, their error, and that from a fit to all other points.
static void put_fit(struct table *table, const struct table_fit_point *point,
                    struct table_unit unit)
{
    table_value(table, table_number(point->fitted_s * unit.scale), point->fitted_s);
    put_percent(table, point->fitted_s / point->measured_s - 1);
    put_percent(table, point->left_out_s / point->measured_s - 1);
}

static void print_points(struct report_out *out, const struct job *job)
{
    const struct table_fit *affine = &job->affine, *roofline = &job->roofline;
    struct table_unit unit = table_time_unit(affine->points[0].measured_s);
    struct table *table = table_create(0);
    table_head(table, mem_strdup("batch"), "batch_items");
    table_head(table, mem_strdup("busy"), "busy_cores");
    table_head(table, mem_printf("measured %s", unit.name), "measured_s");
    table_head(table, mem_printf("affine %s", unit.name), "affine_s");
    table_head(table, mem_strdup("error %"), "affine_error_frac");
    table_head(table, mem_strdup("left out %"), "affine_left_out_frac");
    if (roofline->n > 0) {
        table_head(table, mem_printf("roofline %s", unit.name), "roofline_s");
        table_head(table, mem_strdup("error %"), "roofline_error_frac");
        table_head(table, mem_strdup("left out %"), "roofline_left_out_frac");
    }
    table_line(table);
    for (size_t i = 0; i < affine->n; i++) {
        const struct table_fit_point *point = &affine->points[i];
        table_value(table, mem_printf("%.6g", point->batch_items), point->batch_items);
        table_value(table, mem_printf("%.6g", point->busy_cores), point->busy_cores);
        table_value(table, table_number(point->measured_s * unit.scale), point->measured_s);
        put_fit(table, point, unit);
        if (roofline->n > 0)
            put_fit(table, &roofline->points[i], unit);
    }
    table_print(table, out, "points");
    table_destroy(table);
}

static void put_sum(struct table *table, const char *form, const struct table_fit *fit)
{
    table_cell(table, mem_strdup(form));
    put_percent(table, fit->median_frac);
    put_percent(table, fit->worst_frac);
    put_percent(table, fit->left_out_median_frac);
    put_percent(table, fit->left_out_worst_frac);
}

static void print_sums(struct report_out *out, const struct job *job)
{
    struct table *table = table_create(0);
    table_head(table, mem_strdup("form"), "form");
    table_head(table, mem_strdup("median error %"), "median_frac");
    table_head(table, mem_strdup("worst %"), "worst_frac");
    table_head(table, mem_strdup("left out, median %"), "left_out_median_frac");
    table_head(table, mem_strdup("worst %"), "left_out_worst_frac");
    table_line(table);
    put_sum(table, "affine", &job->affine);
    if (job->roofline.n > 0)
        put_sum(table, "roofline", &job->roofline);
    table_print(table, out, "errors");
    table_destroy(table);
}

static void print_all(struct report_out *out, const struct job *job)
{
    const struct table_fit *affine = &job->affine, *roofline = &job->roofline;
    char *text;
    report_text(out, "%s: %zu points\n", job->file.table.name, affine->n);
    for (size_t i = 0; i < TABLE_FILE_SOURCES; i++)
        if (job->file.sources[i].note)
            report_text(out, "it is %s\n", job->file.sources[i].note);
    print_points(out, job);
    print_sums(out, job);
    report_text(out,
                "left out: the error of a point by a fit to all the others\n\n"
                "# affine, as a cost: {kind: synthetic, fixed: %.6gs, per_item: %.6gs, "
                "contention_frac: %.4g},\n# and as a file for a catalogue:\n",
                affine->first, affine->second, affine->contention_frac);
    text = table_fit_table_yaml(affine, &job->file.table, job->name);
    report_text(out, "%s", text);
    mem_free(text);
    if (roofline->n == 0)
        return;
    report_text(out, "\n# roofline, as a file for a catalogue:\n");
    text = table_fit_platform_yaml(roofline, job->like, job->name);
    report_text(out, "%s", text);
    mem_free(text);
}

// `value` may be what it takes the place of.
static void set_text(char **text, const char *value)
{
    char *copy = mem_strdup(value);
    mem_free(*text);
    *text = copy;
}

// Model, base platform and name, from the options and from what the file says.
static int find_things(const struct cmd_line *line, const struct library *library, struct job *job,
                       struct err *err)
{
    struct cost_table *table = &job->file.table;
    const char *model = cmd_value(line, "--model", table->model ? table->model : "");
    const char *like = cmd_value(line, "--like", NULL);
    const char *platform = table->platform && *table->platform ? table->platform : "fitted";
    job->name = mem_strdup(cmd_value(line, "--name", platform));
    set_text(&table->platform, job->name);
    if (like && !(job->like = library_platform(library, like)))
        return library_unknown_platform(library, like, err);
    if (like && !*model)
        return err_set(err, ERR_STUDY,
                       "recfleet fit: --like needs the model that was measured: --model, or a line "
                       "\"# model: wnd\" in the file");
    if (like && !(job->model = library_model(library, model)))
        return library_unknown_model(library, model, err);
    set_text(&table->model, model);
    return 0;
}

static int fit(struct cmd_line *line, struct err *err)
{
    struct job job = {.name = NULL};
    struct library library;
    struct report_out out = cmd_report_out(line);
    if (library_load_with(&library, cmd_catalog(line), err) < 0)
        return -1;
    int rc = table_file_read(&job.file, line->args[0], NULL, err);
    if (rc == 0 && cost_table_has_history(&job.file.table))
        rc = err_set(err, ERR_STUDY,
                     "%s: its per_history says what a history adds, which no fitted cost does; "
                     "expected it as it is, cost: {kind: table, file: ...}",
                     line->args[0]);
    if (rc == 0)
        rc = find_things(line, &library, &job, err);
    if (rc == 0)
        rc = table_fit_affine(&job.affine, &job.file.table, err);
    if (rc == 0 && job.like)
        rc = table_fit_roofline(&job.roofline, &job.file.table, job.model, job.like, err);
    if (rc == 0) {
        print_all(&out, &job);
        report_end(&out);
    }
    table_fit_release(&job.roofline);
    table_fit_release(&job.affine);
    table_file_release(&job.file);
    mem_free(job.name);
    library_release(&library);
    return rc;
}

const struct cmd cmd_fit = {
    .name = "fit",
    .help = "fit an affine cost or a platform to measured times",
    .arguments = "TABLE",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Reads a measured table (docs/tables.md) and fits time = (fixed + per item * batch) times "
        "contention to it, and with --like the fixed times and the rates of a platform, by least "
        "squares of the relative errors. Prints every point with its error, that error again when "
        "the point was left out of the fit, and both results as YAML for a folder of --catalog.",
    .example = "recfleet fit perf.csv --model wnd --like skylake --name our-server",
    .options = options,
    .run = fit,
};
