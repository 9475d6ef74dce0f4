// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "results/file/capacity_result.h"
#include "results/file/dataset_page.h"
#include "results/file/run_layout.h"
#include "results/file/sweep_file.h"
#include "results/file/tuning_result.h"
#include "study/study_sections.h"

#define MAX_SECTIONS 128

static const struct cmd_option options[] = {
    {"--markdown", 0, NULL, "as Markdown tables"},
    {"--results", 0, NULL, "the layouts of results files, as Markdown tables"},
    {NULL, 0, NULL, NULL}};

static const char *const type_names[] = {
    [FIELD_BOOL] = "true/false", [FIELD_INT] = "whole",  [FIELD_UINT] = "whole",
    [FIELD_REAL] = "number",     [FIELD_TIME] = "time",  [FIELD_STRING] = "text",
    [FIELD_CHOICE] = "choice",   [FIELD_REALS] = "list",
};

// The unit a value is written in; "-" for none.
static const char *unit_of(const struct field *field)
{
    enum unit unit = field->type == FIELD_TIME ? UNIT_TIME : field->unit;
    if (field->type == FIELD_STRING || field->type == FIELD_BOOL || field->type == FIELD_CHOICE ||
        unit == UNIT_NONE)
        return "-";
    return unit == UNIT_RATE ? "qps" : unit == UNIT_FRAC ? "fraction" : unit_symbol(unit);
}

static void bound(const struct field *field, double v, char *buf, size_t size)
{
    if (v > 9e18 || v < -9e18)
        snprintf(buf, size, "any");
    else if (field->type == FIELD_TIME)
        units_format_ns((int64_t)v, buf, size);
    else
        units_format(field->unit, v, buf, size);
}

static void range_of(const struct field *field, char *buf, size_t size)
{
    char lo[40], hi[40];
    size_t used = 0;
    buf[0] = '\0';
    if (field->type == FIELD_STRING || field->type == FIELD_BOOL) {
        snprintf(buf, size, "-");
    } else if (field->type == FIELD_CHOICE) {
        for (size_t i = 0; field->choices[i] && used < size; i++)
            used +=
                (size_t)snprintf(buf + used, size - used, "%s%s", i ? " " : "", field->choices[i]);
    } else {
        bound(field, field->min, lo, sizeof lo);
        bound(field, field->max, hi, sizeof hi);
        snprintf(buf, size, "%s .. %s", lo, hi);
    }
}

static const char *default_of(const struct field *field)
{
    return !field->dflt ? "required" : *field->dflt ? field->dflt : "\"\"";
}

static void print_plain(const struct study_section *section)
{
    char range[256];
    printf("\n%s%s%s%s%s\n    %s\n", *section->path ? section->path : "(top of the file)",
           *section->when ? " (" : "", section->when, *section->when ? ")" : "", ":",
           section->help);
    for (const struct field *f = section->fields; f && f->key; f++) {
        range_of(f, range, sizeof range);
        printf("  %-24s %-10s %-8s %-24s %-10s %s\n", f->key, type_names[f->type], unit_of(f),
               range, default_of(f), f->help);
    }
}

static void print_markdown(const struct study_section *section)
{
    char range[256];
    printf("\n### `%s`%s%s%s\n\n%c%s.\n", *section->path ? section->path : "(top)",
           *section->when ? ", " : "", section->when, "", section->help[0], section->help + 1);
    if (!section->fields || !section->fields->key) {
        printf("\nNo further keys.\n");
        return;
    }
    printf("\n| key | type | unit | range | default | meaning |\n|---|---|---|---|---|---|\n");
    for (const struct field *f = section->fields; f->key; f++) {
        range_of(f, range, sizeof range);
        printf("| `%s` | %s | %s | %s | %s | %s |\n", f->key, type_names[f->type], unit_of(f),
               range, default_of(f), f->help);
    }
}

static void print_results(void)
{
    static const struct dataset_layout *const layouts[] = {
        &run_layout, &sweep_file_layout, &tuning_result_layout, &capacity_result_layout};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        dataset_page_print(layouts[i], stdout);
    printf(
        "\n## How the work went: `/run`\n\nAttributes of the group `/run` in files of every kind "
        "but `sweep`, where they are variables over `point`. The file's digest leaves them "
        "out.\n");
    dataset_page_attributes(run_info_fields, stdout);
    printf("| `queries_per_wall_s` | float64 | s-1 | queries simulated per second of wall time |\n"
           "| `hdf5_version`, `compiler` | string | - | what the file was written with |\n");
}

static int schema(struct cmd_line *line, struct err *err)
{
    struct study_section *sections = mem_calloc(MAX_SECTIONS, sizeof *sections);
    size_t n = study_sections(sections, MAX_SECTIONS);
    bool markdown = cmd_given(line, "--markdown");
    (void)err;
    if (cmd_given(line, "--results")) {
        print_results();
        mem_free(sections);
        return 0;
    }
    if (!markdown)
        printf("  %-24s %-10s %-8s %-24s %-10s %s\n", "key", "type", "unit", "range", "default",
               "meaning");
    for (size_t i = 0; i < n && i < MAX_SECTIONS; i++)
        (markdown ? print_markdown : print_plain)(&sections[i]);
    mem_free(sections);
    return 0;
}

const struct cmd cmd_schema = {
    .name = "schema",
    .help = "list every key of a study, or every variable of a results file",
    .arguments = "",
    .min_args = 0,
    .max_args = 0,
    .description =
        "Prints the study format from the tables that the reader of studies uses. "
        "A path such as traffic[] stands for every element of the list. --results prints "
        "the groups, dimensions and variables of each kind of results file, from the "
        "layouts that files are written by.",
    .example = "recfleet schema | grep delay",
    .options = options,
    .run = schema,
};
