// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd.h"
#include "app/load_published.h"
#include "app/load_results.h"
#include "app/load_sides.h"
#include "app/measured.h"
#include "app/rasterise.h"
#include "base/mem.h"
#include "results/file/durable.h"
#include "results/report/page_capacity.h"
#include "results/report/page_compare.h"
#include "results/report/page_measured.h"
#include "results/report/page_run.h"
#include "results/report/page_sweep.h"
#include "results/report/page_tuning.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE",
     "where to; default: the results file's name with .html (.svg, .png) for .h5, and stdout for "
     "md, text, json and csv"},
    {"--format", 0, "FORMAT",
     "html (default), md; svg, png: the pictures; text; json, csv: the tables"},
    {"--picture", 0, "NAME", "that picture alone: what is after # in its link, such as knee"},
    {"--baseline", 'b', "FILE|LABELS",
     "of a comparison: what with, a file or labels such as policy=random; default: the first"},
    {"--published", 0, "FILE",
     "of a tuning: a CSV of published figures to show next to ours, such as 50-paper.csv"},
    MEASURED_OPTIONS,
    {"--term", 0, NULL, "to the terminal: tables, and pictures in plain characters"},
    {"--force", 'f', NULL, "replace the page if it exists"},
    {NULL, 0, NULL, NULL}};

// ---- what is on it

static int print_tuning(struct report_out *out, const struct tuning_result *tuning,
                        const char *published_path, struct err *err)
{
    struct published *published = NULL;
    if (published_path && !(published = load_published(published_path, tuning, err)))
        return -1;
    page_tuning_print(out, tuning, published);
    published_destroy(published);
    return 0;
}

static int print_page(const struct cmd_line *line, struct report_out *out, struct err *err)
{
    struct load_results results;
    const char *published = cmd_value(line, "--published", NULL);
    int rc = 0;
    if (load_results(&results, line->args[0], DATASET_WHOLE, err) < 0)
        return -1;
    if (published && !results.tuning)
        rc = err_set(err, ERR_STUDY,
                     "recfleet report: --published: expected a tuning to compare with; %s is none",
                     line->args[0]);
    else if (results.run)
        page_run_print(out, results.run);
    else if (results.sweep)
        page_sweep_print(out, results.sweep);
    else if (results.tuning)
        rc = print_tuning(out, results.tuning, published, err);
    else
        page_capacity_print(out, results.capacity);
    load_results_release(&results);
    return rc;
}

// Several files, or one whose results are compared with each other.
static bool is_comparison(const struct cmd_line *line)
{
    return line->n_args > 1 || cmd_given(line, "--baseline");
}

static int print_measured(const struct cmd_line *line, struct report_out *out, struct err *err)
{
    struct measured measured;
    if (measured_load(&measured, line, err) < 0)
        return -1;
    page_measured_print(out, measured.run, measured.service, &measured.table);
    measured_release(&measured);
    return 0;
}

static int print_comparison(const struct cmd_line *line, struct report_out *out, struct err *err)
{
    const char *baseline = cmd_value(line, "--baseline", NULL);
    struct load_sides loaded;
    if (cmd_given(line, "--published"))
        return err_set(err, ERR_STUDY,
                       "recfleet report: --published: expected one tuning, not a comparison");
    if (load_sides(&loaded, line->args, line->n_args, baseline, err) < 0)
        return -1;
    struct compare *c = compare_create(&loaded.sides, baseline, err);
    if (c)
        page_compare_print(out, c, (const struct run_result *const *)loaded.runs, loaded.n_runs);
    int rc = c ? 0 : -1;
    compare_destroy(c);
    load_sides_release(&loaded);
    return rc;
}

// ---- where to

// The name of the page; NULL: to stdout. Caller mem_free()s.
static char *place_of(const struct cmd_line *line, int format)
{
    const char *given = cmd_value(line, "--output", NULL), *results = line->args[0];
    bool is_page = format == REPORT_HTML || format == REPORT_SVG || format == REPORT_PNG;
    size_t n = strlen(results);
    if (!given && is_page && is_comparison(line))
        return mem_printf("comparison.%s", report_format_names[format]);
    if (given || !is_page)
        return mem_strdup(given);
    if (n > 3 && strcmp(results + n - 3, ".h5") == 0)
        n -= 3;
    return mem_printf("%.*s.%s", (int)n, results, report_format_names[format]);
}

static int check_place(const struct cmd_line *line, const char *path, struct err *err)
{
    enum durable_mode mode = cmd_given(line, "--force") ? DURABLE_REPLACE : DURABLE_NEW;
    const char *baseline = cmd_value(line, "--baseline", NULL);
    const char *published = cmd_value(line, "--published", NULL);
    bool same =
        (baseline && durable_same(path, baseline)) || (published && durable_same(path, published));
    for (size_t i = 0; i < line->n_args; i++)
        same |= durable_same(path, line->args[i]);
    if (same)
        return err_set(err, ERR_STUDY, "recfleet report: -o %s: that is one of its inputs", path);
    return durable_check("report", path, mode, 0, err);
}

// All of it is made in memory first, so that a page is there as a whole or not at all.
static int publish(const char *path, bool force, const char *bytes, size_t n, struct err *err)
{
    struct durable_file file;
    if (durable_open(&file, "report", path, force ? DURABLE_REPLACE : DURABLE_NEW, err) != 0)
        return -1;
    int reason = durable_write(file.fd, bytes, n);
    if (reason == 0)
        return durable_publish(&file, err);
    durable_discard(&file);
    return err_set(err, ERR_FAIL, "%s: cannot be written: %s", path, strerror(reason));
}

static int draw_png(const char *svg, size_t n, char **png, size_t *n_png, struct err *err)
{
    FILE *file = tmpfile();
    if (!file)
        return err_set(err, ERR_FAIL, "recfleet report: no temporary file: %s", strerror(errno));
    int rc = rasterise_svg(svg, n, file, err);
    if (rc == 0 && fseek(file, 0, SEEK_END) == 0) {
        *n_png = (size_t)ftell(file);
        *png = malloc(*n_png + 1); // as open_memstream()'s
        rewind(file);
        if (!*png || fread(*png, 1, *n_png, file) != *n_png)
            rc = err_set(err, ERR_FAIL, "recfleet report: the picture cannot be read back");
    }
    fclose(file);
    return rc;
}

static int put(const char *path, bool force, const char *bytes, size_t n, struct err *err)
{
    if (!path)
        return fwrite(bytes, 1, n, stdout) == n
                   ? 0
                   : err_set(err, ERR_FAIL, "stdout cannot be written: %s", strerror(errno));
    if (publish(path, force, bytes, n, err) < 0)
        return -1;
    printf("report: %s\n", path);
    return 0;
}

static int report(struct cmd_line *line, struct err *err)
{
    struct report_out out = cmd_report_out(line);
    if (cmd_given(line, "--term"))
        out.format = REPORT_TEXT;
    else if (!cmd_given(line, "--format"))
        out.format = REPORT_HTML;
    bool png = out.format == REPORT_PNG;
    char *path = place_of(line, out.format), *text = NULL, *picture = NULL;
    size_t n = 0, n_picture = 0;
    if (path && check_place(line, path, err) < 0) {
        mem_free(path);
        return -1;
    }
    if (png)
        out.format = REPORT_SVG;
    out.file = open_memstream(&text, &n);
    out.draws = true;
    out.only = cmd_value(line, "--picture", NULL);
    int rc = !is_comparison(line)   ? print_page(line, &out, err)
             : measured_given(line) ? print_measured(line, &out, err)
                                    : print_comparison(line, &out, err);
    fclose(out.file);
    if (rc == 0 && png)
        rc = draw_png(text, n, &picture, &n_picture, err);
    if (rc == 0)
        rc = put(path, cmd_given(line, "--force"), png ? picture : text, png ? n_picture : n, err);
    free(text);
    free(picture);
    mem_free(path);
    return rc;
}

const struct cmd cmd_report = {
    .name = "report",
    .help = "write a results file as one page: its answer, pictures, tables",
    .arguments = "FILE.h5...",
    .min_args = 1,
    .max_args = -1,
    .description =
        "Writes one HTML page that is complete by itself: the answer in a sentence, key numbers, "
        "pictures with the table behind each, and all tables that show prints. The same file gives "
        "the same page, byte for byte. Markdown has the same parts, svg and png the pictures alone "
        "(png needs rsvg-convert), json and csv the tables with all digits. "
        "Several files, or one with --baseline, make one page that compares them, by default "
        "comparison.html. One of two may be measured percentiles, as compare takes them: then the "
        "page shows simulated against measured. Results files are only read.",
    .example = "recfleet report out.h5 -o out.html",
    .options = options,
    .formats = 1u << REPORT_TEXT | 1u << REPORT_JSON | 1u << REPORT_CSV | 1u << REPORT_MD |
               1u << REPORT_HTML | 1u << REPORT_SVG | 1u << REPORT_PNG,
    .run = report,
};
