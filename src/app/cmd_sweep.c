// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "jobs/idset.h"
#include "app/job.h"
#include "runs/checkpointing.h"
#include "runs/merge.h"
#include "runs/sweep.h"
#include "base/mem.h"
#include "results/file/durable.h"
#include "results/report/report_sweep.h"
#include "results/report/table.h"

// Points that are named one by one; of more, the ids.
#define MOST_NAMED 20
// Points whose inputs are looked at for what is to be told: reading one takes a parser's time.
#define MOST_TOLD 1000
// Free space below which a sweep does not begin.
#define LEAST_BYTES 65536

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; its points go to a folder next to it"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: replications=5"},
    CMD_CATALOG,
    {"--point", 'p', "N", "only this point, or these: 0-2,7; no merge"},
    {"--share", 0, "I/N", "only every N-th point from I on, counted from 0; no merge"},
    {"--list", 'l', NULL, "show the points and what is there of them; simulate nothing"},
    {"--missing", 0, NULL, "print the ids of the points that are not done, as 0-2,7"},
    {"--no-merge", 0, NULL, "leave the points in their files"},
    {"--force", 'f', NULL, "replace files of other studies, and those that cannot be read"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {"--json", 0, NULL, "progress as JSON lines on stderr, also with --quiet"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// One sweep as asked for.
struct order {
    struct cmd_line *line;
    struct survey *survey;
    bool *chosen; // [points]
    bool *todo;   // [points]: chosen and not done
    bool all;     // every point was chosen, by choosing none
};

static void release_order(struct order *order)
{
    survey_destroy(order->survey);
    mem_free(order->chosen);
    mem_free(order->todo);
}

// ---- what is asked for --------------------------------------------------------------------------

static int choose(struct order *order, struct err *err)
{
    const struct cmd_line *line = order->line;
    uint32_t n = order->survey->n_points;
    const char *share = cmd_value(line, "--share", NULL);
    order->chosen = mem_calloc(n, sizeof *order->chosen);
    order->todo = mem_calloc(n, sizeof *order->todo);
    order->all = !cmd_given(line, "--point") && !share;
    if (cmd_given(line, "--point") && share)
        return err_set(err, ERR_STUDY, "recfleet sweep: expected --point or --share, got both");
    for (size_t i = 0; i < line->n_given; i++)
        if (strcmp(line->given[i].option->name, "--point") == 0 &&
            idset_parse(line->given[i].value, order->chosen, n, err) < 0)
            return err_prefix(err, "recfleet sweep: --point");
    if (share && idset_parse_share(share, order->chosen, n, err) < 0)
        return err_prefix(err, "recfleet sweep: --share");
    for (uint32_t p = 0; order->all && p < n; p++)
        order->chosen[p] = true;
    return 0;
}

static int32_t state_of(const struct order *order, uint32_t point)
{
    return order->survey->points[point].state;
}

static void find_todo(struct order *order)
{
    for (uint32_t p = 0; p < order->survey->n_points; p++)
        order->todo[p] = order->chosen[p] && state_of(order, p) != POINTDIR_DONE;
}

// ---- before anything is simulated ---------------------------------------------------------------

static void say_edited(const struct order *order)
{
    uint32_t n = order->survey->n_points;
    bool *edited = mem_calloc(n, sizeof *edited);
    for (uint32_t p = 0; p < n; p++)
        edited[p] = order->chosen[p] && state_of(order, p) == POINTDIR_EDITED;
    uint32_t count = idset_count(edited, n);
    if (count > 0) {
        fprintf(stderr,
                "recfleet: made before the study or the program was changed, done again: point%s ",
                count == 1 ? "" : "s");
        idset_print(stderr, edited, n);
        fputc('\n', stderr);
    }
    mem_free(edited);
}

// Rank 0 alone.
static int prepare(struct order *order, bool merges, struct err *err)
{
    const char *folder = order->survey->folder;
    uint32_t n = order->survey->n_points;
    bool force = cmd_given(order->line, "--force");
    // A mistake in the study of a point, when all are asked for: better now than after the others.
    if (order->all && survey_refuse(order->survey, POINTDIR_WRONG, NULL, err) < 0)
        return -1;
    if (!force && survey_refuse(order->survey, POINTDIR_FOREIGN, order->chosen, err) < 0)
        return err_append(err, "; --force replaces it");
    if (merges && merge_check(order->survey, force, err) < 0)
        return -1;
    if (idset_count(order->todo, n) == 0)
        return 0;
    if (pointdir_make(folder, ERR_STUDY, err) < 0)
        return -1;
    struct mistakes told = {0};
    for (uint32_t p = 0; p < n && p < MOST_TOLD; p += grid_n_replications(order->survey->grid)) {
        struct study *point = survey_study(order->survey, p, NULL);
        if (point)
            job_tell_notes(point, false, &told);
        study_destroy(point);
    }
    mistakes_release(&told);
    // A disk that is full fails every point, one after the other: better one error now.
    char *probe = mem_printf("%s/points", folder);
    int rc = durable_check("output", probe, DURABLE_REPLACE, LEAST_BYTES, err);
    mem_free(probe);
    if (rc == 0)
        say_edited(order);
    return rc;
}

// ---- what has come of it ------------------------------------------------------------------------

static void name_failures(const struct order *order, const struct sweep_outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->n_failed && i < MOST_NAMED; i++) {
        char *name = survey_name(order->survey, outcome->failures[i].point);
        fprintf(stderr, "recfleet: %s failed: %s\n", name, outcome->failures[i].reason);
        mem_free(name);
    }
    if (outcome->n_failed > MOST_NAMED)
        fprintf(stderr, "recfleet: and %u more points failed, see recfleet sweep --list\n",
                outcome->n_failed - MOST_NAMED);
}

static int write_merged(struct order *order, struct err *err)
{
    struct sweep_result *points = merge_read(order->survey);
    int rc = merge_write(order->survey, points, cmd_given(order->line, "--force"), err);
    if (rc == 0 && !cmd_given(order->line, "--quiet")) {
        struct report_out out = cmd_report_out(order->line);
        report_sweep_print(&out, points);
        report_text(&out, "results: %s\n", order->survey->output);
        report_end(&out);
    }
    sweep_result_destroy(points);
    return rc;
}

static void print_part(const struct order *order, uint32_t n_done)
{
    struct sweep_result *points = merge_read(order->survey);
    struct report_out out = cmd_report_out(order->line);
    report_text(&out, "stopped; %u of %u points are done; so far:\n", n_done,
                order->survey->n_points);
    report_sweep_print(&out, points);
    report_end(&out);
    sweep_result_destroy(points);
    fflush(stdout);
}

static void say_counts(const struct order *order, const struct sweep_outcome *outcome)
{
    uint32_t n = order->survey->n_points, n_chosen = idset_count(order->chosen, n);
    uint32_t before = n_chosen - idset_count(order->todo, n);
    struct report_out out = cmd_report_out(order->line);
    if (cmd_given(order->line, "--quiet"))
        return;
    report_text(&out, "%u of %u points done", before + outcome->n_done, n_chosen);
    if (before > 0)
        report_text(&out, ", %u of them before", before);
    if (n_chosen < n)
        report_text(&out, "; the sweep has %u", n);
    report_text(&out, "; points: %s\n", order->survey->folder);
}

// Rank 0 alone.
static int finish(struct order *order, const struct sweep_outcome *outcome, bool merges,
                  struct err *err)
{
    if (outcome->stopped) {
        uint32_t n = order->survey->n_points, n_todo = idset_count(order->todo, n),
                 n_done = n - n_todo + outcome->n_done; // all are chosen where they are merged
        order->line->status = CMD_STOPPED;
        if (merges && n_done > 0 && !cmd_given(order->line, "--quiet"))
            print_part(order, n_done);
        name_failures(order, outcome);
        fprintf(stderr, "recfleet: stopped, %u of %u points done; resume with the same command\n",
                outcome->n_done, n_todo);
        return 0;
    }
    say_counts(order, outcome);
    int rc = merges ? write_merged(order, err) : 0;
    name_failures(order, outcome); // last; and all the more when the file must not be written
    if (outcome->n_failed > 0)
        order->line->status = CMD_INCOMPLETE;
    return rc;
}

static int simulate(struct order *order, const struct eval *eval, struct err *err)
{
    bool merges = order->all && !cmd_given(order->line, "--no-merge");
    bool quiet = cmd_given(order->line, "--quiet"), json = cmd_given(order->line, "--json");
    struct sweep_outcome outcome;
    find_todo(order);
    if (eval_agree(eval, eval->rank == 0 ? prepare(order, merges, err) : 0, err) < 0)
        return -1;
    const struct sweep_options opts = {order->todo, quiet && !json ? NULL : stderr,
                                       order->line->text, json};
    int rc = sweep_run(eval, order->survey, &opts, &outcome, err);
    if (rc == 0)
        rc = eval_agree(eval, eval->rank == 0 ? finish(order, &outcome, merges, err) : 0, err);
    sweep_release(&outcome);
    return rc;
}

// ---- looking only -------------------------------------------------------------------------------

static void print_points(const struct order *order, struct report_out *out)
{
    const struct grid *grid = order->survey->grid;
    int n_axes = (int)grid_n_axes(grid);
    struct table *table = table_create(n_axes + 5);
    table_left(table, 1 + n_axes);
    table_cell(table, mem_strdup("point"));
    for (int a = 0; a < n_axes; a++)
        table_cell(table, mem_strdup(grid_axis_name(grid, (uint32_t)a)));
    table_cell(table, mem_strdup("seed"));
    table_cell(table, mem_strdup("servers"));
    table_cell(table, mem_strdup("queries"));
    table_cell(table, mem_strdup("state"));
    for (uint32_t p = 0; p < grid_n_points(grid); p++) {
        const struct survey_point *facts = &order->survey->points[p];
        bool known = facts->state != POINTDIR_WRONG;
        if (!order->chosen[p])
            continue;
        table_cell(table, mem_printf("%u", p));
        for (uint32_t a = 0; a < grid_n_axes(grid); a++)
            table_cell(table, mem_strdup(grid_label(grid, a, grid_value(grid, p, a))));
        table_cell(table, known ? mem_printf("%llu", (unsigned long long)facts->seed) : NULL);
        table_cell(table, known ? mem_printf("%llu", (unsigned long long)facts->n_servers) : NULL);
        table_cell(table, known ? table_number(facts->queries) : NULL);
        table_cell(table, mem_strdup(pointdir_state_names[facts->state]));
    }
    table_print(table, out, "points");
    table_destroy(table);
}

// Why points are in a state that is not just missing; the first few.
static void print_notes(const struct order *order, struct report_out *out)
{
    uint32_t n_named = 0;
    for (uint32_t p = 0; p < order->survey->n_points && n_named < MOST_NAMED; p++) {
        char note[ERR_TEXT_MAX];
        if (!order->chosen[p])
            continue;
        survey_note(order->survey, p, note, sizeof note);
        if (!*note)
            continue;
        report_text(out, "point %u: %s\n", p, note);
        n_named++;
    }
}

// Without MPI, as `check`: on a login node there may be none.
static int look(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct order order = {.line = line, .survey = survey_create(&source, err)};
    int rc = order.survey ? choose(&order, err) : -1;
    if (rc == 0) {
        uint32_t n = order.survey->n_points;
        survey_look(order.survey, order.chosen, 0, 1);
        find_todo(&order);
        uint32_t n_chosen = idset_count(order.chosen, n), n_todo = idset_count(order.todo, n);
        if (cmd_given(line, "--missing")) {
            idset_print(stdout, order.todo, n);
            fputs(n_todo > 0 ? "\n" : "", stdout);
        } else {
            struct report_out out = cmd_report_out(line);
            print_points(&order, &out);
            print_notes(&order, &out);
            report_text(&out, "%u of %u points done; points: %s, results: %s\n", n_chosen - n_todo,
                        n_chosen, order.survey->folder, order.survey->output);
            report_end(&out);
        }
    }
    release_order(&order);
    return rc;
}

// ---- the command --------------------------------------------------------------------------------

static int run(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct order order = {.line = line};
    struct eval eval;
    if (cmd_given(line, "--list") || cmd_given(line, "--missing"))
        return look(line, err);
    checkpointing_block_signals();
    if (job_open(&eval, err) < 0)
        return -1;
    order.survey = eval_read_survey(&eval, &source, err);
    int rc = order.survey ? eval_agree(&eval, choose(&order, err), err) : -1;
    // Tasks of an array share the folder: of those each point is claimed, with its checkpoint.
    if (rc == 0)
        rc = eval_agree(
            &eval, eval.rank == 0 && order.all ? job_claim(line, order.survey->output, err) : 0,
            err);
    if (rc == 0)
        rc = sweep_look(&eval, order.survey, order.chosen, err);
    if (rc == 0)
        rc = simulate(&order, &eval, err);
    release_order(&order);
    return job_close(line, &eval, rc, err);
}

const struct cmd cmd_sweep = {
    .name = "sweep",
    .help = "simulate every point of a study's sweep",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Simulates the points of the study's sweep, and its replications, that are not done yet, "
        "side by side under mpirun or srun, the longest first. Every point has a results file of "
        "its own in the folder FILE.points; at the end they are merged into one file, and a table "
        "is printed. A point that fails holds up no other: it is named, and the same command "
        "tries it again. With --point or --share, a task of an array does its part; recfleet "
        "merge puts the parts together. A study that was edited has its points done again. "
        "SIGTERM, SIGUSR2 or Ctrl-C saves what is under way and stops.",
    .example = "mpirun -n 8 recfleet sweep slurm/studies/20-sweep.yaml -o sweep.h5",
    .options = options,
    .shared = true,
    .exits = 1u << CMD_STOPPED | 1u << CMD_INCOMPLETE,
    .run = run,
};
