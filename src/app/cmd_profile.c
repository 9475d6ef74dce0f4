// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "live/profile_file.h"
#include "live/profiling.h"
#include "live/topology.h"
#include "native/engine.h"
#include "results/report/table.h"
#include "runs/checkpointing.h"
#include "runs/progress.h"
#include "study/library.h"
#include "study/study.h"

#define FOLDER "profile"
#define NAME "this-machine"
#define MODEL_S 60.0 // of every model, unless --time says otherwise
#define FIT_FRAC 0.6 // of the memory that is free, for tables that --table-bytes does not limit
#define MOST_ITEMS 65536
#define USUAL_HISTORY 1024 // items, on average
#define HISTORY_SIGMA 0.5
#define HISTORY_CAP 4 // times the average
#define MOST_HISTORY 16000

static const struct cmd_option options[] = {
    {"--engine", 'e', "KIND",
     "what runs the models: own (default); ort, ONNX Runtime, an ONNX file (--file); or spin, "
     "which only takes time"},
    {"--study", 0, "STUDY", "whose services, query sizes and costs (of spin) are taken"},
    {"--set", 's', "KEY=VALUE", "change a key of that study"},
    {"--output", 'o', "FOLDER", "where the files go; else " FOLDER},
    {"--force", 'f', NULL, "replace files that are there"},
    {"--name", 'n', "NAME", "of this machine, in the files; else " NAME},
    {"--cores", 'c', "N", "cores at work at most; else all"},
    {"--cores-per-worker", 0, "N", "cores that compute a request together; else 1"},
    {"--most-items", 0, "N", "largest request of the table; else 1024"},
    {"--batch", 'b', "LIST", "where queries of the mix are cut: 16,64,256; else 1,2,4 and so on"},
    {"--history", 0, "N",
     "of models that read a history: items of it on average, lognormal with sigma 0.5, at most 4 "
     "times that; else as the study says, or 1024"},
    {"--table-bytes", 0, "SIZE", "tables beyond this have fewer rows: 4GB; else what memory holds"},
    {"--idle", 0, "spin|sleep",
     "what a core does that rests, as workers of recfleet serve; else spin"},
    {"--number-format", 0, "fp32|bf16|int8",
     "of the tables, and of weights and what they are multiplied by; else fp32"},
    {"--time", 't', "TIME", "for all models together; else 60s each"},
    {"--seed", 0, "N", "of weights, inputs, sizes and the order of measurements; else 1"},
    {"--library", 0, "PATH", "the library that the engine loads: of ort, libonnxruntime.so.1"},
    {"--file", 0, "PATH", "a model file, for engines that run one; MODEL is then any name for it"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {"--json", 0, NULL, "progress as JSON lines on stderr, also with --quiet"},
    CMD_CATALOG,
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// What the command line says in numbers.
struct numbers {
    int64_t n_cores, most_items, history_items; // 0: not given
    int64_t cores_per_worker;
    int format; // enum model_format
    struct reals cuts;
    double table_bytes, time_s; // 0: not given
    int idle;                   // enum live_clock_idle
    uint64_t seed;
};

static const struct field numbers_fields[] = {
    FIELD(numbers, "--cores", FIELD_INT, UNIT_NONE, n_cores, 1, 1024, "0", ""),
    FIELD(numbers, "--cores-per-worker", FIELD_INT, UNIT_NONE, cores_per_worker, 1, 1024, "1", ""),
    FIELD(numbers, "--most-items", FIELD_INT, UNIT_ITEMS, most_items, 1, MOST_ITEMS, "1024", ""),
    FIELD(numbers, "--history", FIELD_INT, UNIT_ITEMS, history_items, 1, MOST_HISTORY, "0", ""),
    FIELD(numbers, "--batch", FIELD_REALS, UNIT_ITEMS, cuts, 1, MOST_ITEMS, NULL, ""),
    FIELD(numbers, "--table-bytes", FIELD_REAL, UNIT_BYTES, table_bytes, 1, 1e15, "0B", ""),
    FIELD_CHOICES(numbers, "--idle", idle, live_clock_idle_names, NULL, ""),
    FIELD_CHOICES(numbers, "--number-format", format, model_format_names, "fp32", ""),
    FIELD(numbers, "--time", FIELD_REAL, UNIT_TIME, time_s, 0.1, 1e6, "0s", ""),
    FIELD(numbers, "--seed", FIELD_UINT, UNIT_NONE, seed, 0, 1e18, "1", ""),
    FIELD_END};

struct subject {
    struct profile_entry entry;
    char *stem; // of the entry
    const struct cost *cost;
    const struct qsize *qsize, *histories; // NULL: none
    struct profile profile;
};

struct task {
    const struct cmd_line *line;
    struct library library;
    struct study *study; // NULL: none
    struct numbers numbers;
    const struct engine_type *type;
    struct topology topology;
    struct size_config sizes, history; // where no study says
    struct qsize *qsize, *histories;
    uint32_t *cuts;
    size_t n_cuts;
    struct subject *subjects;
    size_t n, n_done;
    struct profile_about about;
    char *program, date[32];
    const char *folder;
    char *catalogue; // folder of tables and the machine
    bool made_folder, made_catalogue;
    struct progress progress;
    double begin_s;
    bool stopped;
};

// ---- what is to be measured ---------------------------------------------------------------------

static int read_numbers(struct task *task, struct err *err)
{
    struct numbers *numbers = &task->numbers;
    const struct topology *topology = &task->topology;
    numbers->most_items = 1024;
    numbers->seed = 1;
    numbers->cores_per_worker = 1;
    if (cmd_read(task->line, numbers_fields, numbers, err) < 0)
        return -1;
    if (numbers->n_cores > (int64_t)topology->n_cores)
        return err_set(err, ERR_STUDY,
                       "recfleet profile: --cores: expected at most %zu, the cores that this "
                       "process may use, got %lld",
                       topology->n_cores, (long long)numbers->n_cores);
    bool given = numbers->n_cores > 0;
    int64_t each = numbers->cores_per_worker;
    if (!given)
        numbers->n_cores = (int64_t)topology->n_cores;
    if (each > numbers->n_cores || (given && numbers->n_cores % each != 0))
        return err_set(err, ERR_STUDY,
                       given
                           ? "recfleet profile: --cores-per-worker: expected a divisor of --cores, "
                             "%lld, got %lld"
                           : "recfleet profile: --cores-per-worker: expected at most %lld, the "
                             "cores that this process may use, got %lld",
                       (long long)numbers->n_cores, (long long)each);
    return 0;
}

// Where the queries of the mix are cut: as given, or 1 2 4 8 .. the largest request.
static int read_cuts(struct task *task, struct err *err)
{
    const struct reals *given = &task->numbers.cuts;
    uint32_t most = (uint32_t)task->numbers.most_items;
    task->cuts = mem_calloc(given->n + 32, sizeof *task->cuts);
    for (uint32_t cut = 1; given->n == 0 && cut < most; cut *= 2)
        task->cuts[task->n_cuts++] = cut;
    if (given->n == 0)
        task->cuts[task->n_cuts++] = most;
    for (size_t i = 0; i < given->n; i++) {
        double cut = given->v[i];
        if (cut > most || cut != floor(cut) || (i > 0 && cut <= given->v[i - 1]))
            return err_set(
                err, ERR_STUDY,
                "recfleet profile: --batch: expected whole numbers that rise, of at most "
                "%u items (--most-items), got %.6g",
                most, cut);
        task->cuts[task->n_cuts++] = (uint32_t)cut;
    }
    return 0;
}

static bool is_one_line(const char *text)
{
    const char *c = text;
    while (*c && err_control(c) == 0)
        c++;
    return *text && !*c;
}

// A name that the files cannot have, or that a study of the machine would share with another.
static int check_name(const struct task *task, struct err *err)
{
    const char *name = cmd_value(task->line, "--name", NAME);
    const struct library *library = &task->library;
    if (!is_one_line(name))
        return err_set(err, ERR_STUDY,
                       "recfleet profile: --name: expected a name of the machine, in one line, got "
                       "\"%.80s\"",
                       name);
    for (size_t i = 0; i < library->n_platforms; i++)
        if (strcmp(library->platforms[i].name, name) == 0 &&
            !library_origin(library, LIBRARY_PLATFORMS, i))
            return err_set(err, ERR_STUDY,
                           "recfleet profile: --name: there is a platform \"%s\" (recfleet list "
                           "platforms): expected another name for this machine",
                           name);
    return 0;
}

static int find_engine(struct task *task, struct err *err)
{
    const char *name = cmd_value(task->line, "--engine", "own");
    task->type = engine_find(name);
    if (task->type)
        return 0;
    err_set(err, ERR_STUDY, "recfleet profile: --engine: expected");
    for (size_t i = 0; engine_types[i]; i++)
        err_append(err, "%s %s", i > 0 ? "," : "", engine_types[i]->name);
    return err_append(err, ", got \"%.80s\"", name);
}

// The service of that name, or else the first that is served by the model of that name.
static size_t find_service(const struct study *study, const char *name)
{
    for (size_t s = 0; s < study->n_services; s++)
        if (strcmp(study->services[s].name, name) == 0)
            return s;
    for (size_t s = 0; s < study->n_services; s++)
        if (study->services[s].model && strcmp(study->services[s].model, name) == 0)
            return s;
    return study->n_services;
}

static int find_in_study(struct task *task, struct subject *subject, struct err *err)
{
    const struct study *study = task->study;
    size_t s = find_service(study, subject->entry.name);
    if (s == study->n_services)
        return err_set(err, ERR_STUDY,
                       "recfleet profile: %s has no service, and no model of one, "
                       "called \"%.80s\"",
                       study->path, subject->entry.name);
    const struct service_config *service = &study->services[s];
    for (size_t i = 0; i < study->n_models && *service->model; i++)
        if (strcmp(study->models[i].name, service->model) == 0)
            subject->entry.model = &study->models[i];
    subject->entry.sizes = &service->traffic.sizes;
    subject->qsize = study->sizes[s];
    subject->cost = study->groups[0].costs[s];
    if (service->traffic.has_history && !task->type->reads_history)
        return err_set(err, ERR_STUDY,
                       "recfleet profile: %s: service %s: its queries have histories, which engine "
                       "%s does not read",
                       study->path, service->name, task->type->name);
    if (service->traffic.has_history && task->numbers.history_items == 0) {
        subject->histories = service->traffic.histories;
        subject->entry.histories = &service->traffic.history;
    }
    const struct model *known = library_model(&task->library, service->model);
    subject->entry.in_catalogue =
        known && subject->entry.model && library_same_model(known, subject->entry.model);
    return 0;
}

// Histories of the usual kind, of the length that was asked for, where the study does not say.
static void add_history(const struct task *task, struct subject *subject)
{
    struct model_work work = {0};
    if (subject->entry.model)
        model_derive(subject->entry.model, &work);
    if (!work_has_history(&work) || !task->type->reads_history || subject->histories)
        return;
    subject->histories = task->histories;
    subject->entry.histories = &task->history;
}

static int find_subject(struct task *task, struct subject *subject, const char *name,
                        struct err *err)
{
    if (!is_one_line(name))
        return err_set(err, ERR_STUDY,
                       "recfleet profile: expected the name of a model, in one line, got \"%.80s\"",
                       name);
    subject->entry =
        (struct profile_entry){.name = name, .sizes = &task->sizes, .profile = &subject->profile};
    subject->qsize = task->qsize;
    subject->entry.stem = subject->stem = profile_file_stem(name);
    for (const struct subject *other = task->subjects; other < subject; other++)
        if (strcmp(other->stem, subject->stem) == 0)
            return err_set(err, ERR_STUDY, "recfleet profile: %s and %s: the same files",
                           other->entry.name, name);
    if (task->study) {
        int rc = find_in_study(task, subject, err);
        add_history(task, subject);
        return rc;
    }
    subject->entry.model = library_model(&task->library, name);
    subject->entry.in_catalogue = subject->entry.model != NULL;
    add_history(task, subject);
    return subject->entry.model || task->type->reads_file
               ? 0
               : library_unknown_model(&task->library, name, err);
}

// Lognormal: of mean m where mu is ln m - sigma^2 / 2.
static void make_history(struct task *task)
{
    int64_t given = task->numbers.history_items, mean = given > 0 ? given : USUAL_HISTORY;
    schema_defaults(qsize_lognormal.fields, &task->history);
    task->history.distribution = qsize_find("lognormal");
    task->history.mu = round(1e4 * (log((double)mean) - HISTORY_SIGMA * HISTORY_SIGMA / 2)) / 1e4;
    task->history.sigma = HISTORY_SIGMA;
    task->history.max_items = HISTORY_CAP * mean;
    task->histories = qsize_create(&task->history, NULL);
}

static int find_subjects(struct task *task, struct err *err)
{
    const struct cmd_line *line = task->line;
    const char *study = cmd_value(line, "--study", NULL);
    task->n = line->n_args;
    if (cmd_given(line, "--file") && !task->type->reads_file)
        return err_set(err, ERR_STUDY,
                       "recfleet profile: --file: engine %s reads none: expected --engine ort",
                       task->type->name);
    if (task->type->reads_file && task->n > 1)
        return err_set(err, ERR_STUDY,
                       "recfleet profile: engine %s runs --file, one model: "
                       "expected one name for it, got %zu",
                       task->type->name, task->n);
    task->subjects = mem_calloc(task->n, sizeof *task->subjects);
    schema_defaults(qsize_production.fields, &task->sizes);
    task->sizes.distribution = qsize_find("production");
    task->qsize = qsize_create(&task->sizes, err);
    make_history(task);
    if (study && !(task->study = study_read(study, line->settings, line->n_settings, &task->library,
                                            STUDY_OPEN, err)))
        return -1;
    for (size_t i = 0; i < task->n; i++)
        if (find_subject(task, &task->subjects[i], line->args[i], err) < 0)
            return -1;
    return 0;
}

// ---- where it goes ------------------------------------------------------------------------------

enum { FILE_TABLE, FILE_CUT, FILE_STUDY, FILE_MACHINE };

static char *path_of(const struct task *task, int file, const char *stem)
{
    return file == FILE_TABLE   ? mem_printf("%s/%s.csv", task->catalogue, stem)
           : file == FILE_CUT   ? mem_printf("%s/%s-cut.csv", task->catalogue, stem)
           : file == FILE_STUDY ? mem_printf("%s/%s.yaml", task->folder, stem)
                                : mem_printf("%s/machine.yaml", task->catalogue);
}

static enum durable_mode mode_of(const struct task *task)
{
    return cmd_given(task->line, "--force") ? DURABLE_REPLACE : DURABLE_NEW;
}

static int check_file(const struct task *task, int file, const char *stem, struct err *err)
{
    char *path = path_of(task, file, stem);
    int rc = durable_check("output", path, mode_of(task), 1 << 16, err);
    mem_free(path);
    return rc;
}

// Before anything is measured.
static int check_files(struct task *task, struct err *err)
{
    task->folder = cmd_value(task->line, "--output", FOLDER);
    if (!*task->folder)
        return err_set(err, ERR_STUDY, "output '': expected the name of a folder");
    task->catalogue = mem_printf("%s/catalog", task->folder);
    task->made_folder = access(task->folder, F_OK) != 0;
    task->made_catalogue = access(task->catalogue, F_OK) != 0;
    if (profile_file_folder(task->catalogue, err) < 0 ||
        check_file(task, FILE_MACHINE, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < task->n; i++)
        if (check_file(task, FILE_TABLE, task->subjects[i].stem, err) < 0 ||
            check_file(task, FILE_CUT, task->subjects[i].stem, err) < 0 ||
            check_file(task, FILE_STUDY, task->subjects[i].stem, err) < 0)
            return -1;
    return 0;
}

// Of what was made, what is empty in the end: nothing was written.
static void remove_folders(const struct task *task)
{
    if (task->made_catalogue)
        rmdir(task->catalogue);
    if (task->made_folder)
        rmdir(task->folder);
}

// Takes over the text.
static int write_file(const struct task *task, int file, const char *stem, char *text,
                      struct err *err)
{
    char *path = path_of(task, file, stem);
    // The machine's is written anew after every model.
    bool again = file == FILE_MACHINE && task->n_done > 1;
    int rc = profile_file_write(path, text, again ? DURABLE_REPLACE : mode_of(task), err);
    mem_free(path);
    mem_free(text);
    return rc;
}

// After the model that was done last: what is there is whole whenever the program ends.
static int write_files(struct task *task, struct err *err)
{
    struct profile_entry *entries = mem_calloc(task->n_done, sizeof *entries);
    const struct subject *last = &task->subjects[task->n_done - 1];
    for (size_t i = 0; i < task->n_done; i++)
        entries[i] = task->subjects[i].entry;
    task->about.idle_w = task->subjects[0].profile.idle_w;
    task->about.busy_w = task->subjects[0].profile.busy_w;
    for (size_t i = 1; i < task->n_done; i++) // of the model that draws most
        task->about.busy_w = fmax(task->about.busy_w, task->subjects[i].profile.busy_w);
    int rc = write_file(task, FILE_TABLE, last->stem,
                        profile_file_table(&last->entry, &task->about), err);
    if (rc == 0)
        rc = write_file(task, FILE_CUT, last->stem, profile_file_cut(&last->entry, &task->about),
                        err);
    if (rc == 0)
        rc = write_file(task, FILE_STUDY, last->stem,
                        profile_file_study(&last->entry, &task->about, "catalog"), err);
    if (rc == 0)
        rc = write_file(task, FILE_MACHINE, NULL,
                        profile_file_machine(entries, task->n_done, &task->about), err);
    mem_free(entries);
    return rc;
}

// ---- tables for people --------------------------------------------------------------------------

static void put_percent(struct table *table, double frac, int decimals)
{
    table_value(table, table_fixed(100 * frac, decimals), frac);
}

static void put_ci(struct table *table, struct ci ci, double scale)
{
    table_estimate(table, table_interval(ci.value, ci.half_95, scale), ci.value, ci.half_95);
}

static void print_times(struct report_out *out, const struct subject *subject)
{
    const struct profile *profile = &subject->profile;
    struct table_unit unit = table_time_unit(profile->rows[profile->n_sizes / 2].time_s.value);
    struct table *table = table_create(0);
    table_head(table, mem_strdup("model"), "model");
    table_head(table, mem_strdup("items"), "batch_items");
    table_head(table, mem_strdup("busy"), "busy_cores");
    if (profile->cores_per_worker > 1)
        table_head(table, mem_strdup("of cores"), "cores_per_worker");
    table_head(table, mem_printf("time %s", unit.name), "time_s");
    table_head(table, mem_strdup("from"), "from");
    table_head(table, mem_printf("alone %s", unit.name), "alone_s");
    table_head(table, mem_strdup("cv %"), "cv");
    table_head(table, mem_strdup("requests"), "n_requests");
    table_head(table, mem_strdup("taken %"), "taken_frac");
    table_line(table);
    for (size_t i = 0; i < profile->n_rows; i++) {
        const struct profile_row *row = &profile->rows[i];
        table_cell(table, mem_strdup(subject->entry.name));
        table_value(table, mem_printf("%u", row->items), row->items);
        table_value(table, mem_printf("%u", row->busy), row->busy);
        if (profile->cores_per_worker > 1)
            table_value(table, mem_printf("%u", profile->cores_per_worker),
                        profile->cores_per_worker);
        put_ci(table, row->time_s, unit.scale);
        table_cell(table, mem_strdup(row->from_mix ? "mix" : "alone"));
        put_ci(table, row->alone_s, unit.scale);
        put_percent(table, row->cv, 1);
        table_value(table, mem_printf("%llu", (unsigned long long)row->n), (double)row->n);
        put_percent(table, row->taken_frac, 1);
    }
    table_print(table, out, "times");
    table_destroy(table);
}

static void put_time(struct table *table, double value_s)
{
    table_value(table, table_number(1e9 * value_s), value_s);
}

static void print_histories(struct report_out *out, const struct subject *subject)
{
    const struct profile *profile = &subject->profile;
    if (!profile->histories)
        return;
    report_text(out, "with a history of %u items; what another adds, alone:\n",
                profile->base_history);
    struct table *table = table_create(0);
    table_head(table, mem_strdup("model"), "model");
    table_head(table, mem_strdup("busy"), "busy_cores");
    table_head(table, mem_strdup("item ns"), "per_history_s");
    table_head(table, mem_strdup("square ns"), "per_history_square_s");
    table_head(table, mem_strdup("pair ns"), "per_item_history_s");
    table_head(table, mem_strdup("misses %"), "residual_frac");
    table_head(table, mem_strdup("worst %"), "worst_frac");
    table_head(table, mem_strdup("points"), "n_points");
    table_line(table);
    for (size_t b = 0; b < profile->n_busy; b++) {
        const struct history_fit *fit = &profile->histories[b].fit;
        table_cell(table, mem_strdup(subject->entry.name));
        table_value(table, mem_printf("%u", profile->histories[b].busy),
                    profile->histories[b].busy);
        put_time(table, fit->of.item_s);
        put_time(table, fit->of.square_s);
        put_time(table, fit->of.item_history_s);
        put_percent(table, fit->residual_frac, 1);
        put_percent(table, fit->worst_frac, 1);
        table_value(table, mem_printf("%zu", fit->n_points), (double)fit->n_points);
    }
    table_print(table, out, "histories");
    table_destroy(table);
}

static void print_mixed(struct report_out *out, const struct subject *subject)
{
    const struct profile *profile = &subject->profile;
    struct table_unit unit = table_time_unit(profile->mixed[0].sum.mean_s.value);
    struct table *table = table_create(0);
    table_head(table, mem_strdup("model"), "model");
    table_head(table, mem_strdup("cut at"), "cut_items");
    table_head(table, mem_strdup("busy"), "busy_cores");
    table_head(table, mem_printf("request %s", unit.name), "request_s");
    table_head(table, mem_printf("query %s", unit.name), "query_work_s");
    table_head(table, mem_strdup("over alone"), "over_alone");
    table_head(table, mem_strdup("cv %"), "cv");
    table_head(table, mem_strdup("lag 1"), "lag_1");
    table_head(table, mem_strdup("lag 10"), "lag_10");
    table_head(table, mem_strdup("requests"), "n_requests");
    table_head(table, mem_strdup("taken %"), "taken_frac");
    table_line(table);
    for (size_t i = 0; i < profile->n_mixed; i++) {
        const struct profile_mixed *mixed = &profile->mixed[i];
        table_cell(table, mem_strdup(subject->entry.name));
        table_value(table, mem_printf("%u", mixed->cut_items), mixed->cut_items);
        table_value(table, mem_printf("%u", mixed->busy), mixed->busy);
        put_ci(table, mixed->sum.mean_s, unit.scale);
        table_value(table, table_number(mixed->query_work_s * unit.scale), mixed->query_work_s);
        put_ci(table, mixed->sum.ratio, 1);
        put_percent(table, mixed->cv, 1);
        table_value(table, table_fixed(mixed->lag[0], 2), mixed->lag[0]);
        table_value(table, table_fixed(mixed->lag[9], 2), mixed->lag[9]);
        table_value(table, mem_printf("%llu", (unsigned long long)mixed->sum.n),
                    (double)mixed->sum.n);
        put_percent(table, mixed->taken_frac, 1);
    }
    table_print(table, out, "mixes");
    table_destroy(table);
}

static void print_cold(struct report_out *out, const struct subject *subject)
{
    const struct profile *profile = &subject->profile;
    const struct cold_fit *cold = &profile->cold;
    struct table_unit unit = table_time_unit(profile->rests[0].first_s.value);
    struct table *table = table_create(0);
    table_head(table, mem_strdup("model"), "model");
    table_head(table, mem_strdup("rest ms"), "asked_s");
    table_head(table, mem_strdup("was ms"), "rest_s");
    table_head(table, mem_printf("first %s", unit.name), "first_s");
    table_head(table, mem_printf("last %s", unit.name), "last_s");
    table_head(table, mem_strdup("first/warm"), "first_ratio");
    table_head(table, mem_strdup("rests"), "n_rests");
    table_line(table);
    for (size_t i = 0; i < PROFILING_RESTS; i++) {
        const struct profile_rest *rest = &profile->rests[i];
        table_cell(table, mem_strdup(subject->entry.name));
        table_value(table, table_number(1e3 * rest->asked_s), rest->asked_s);
        table_value(table, table_number(1e3 * rest->idle_s), rest->idle_s);
        put_ci(table, rest->first_s, unit.scale);
        put_ci(table, rest->last_s, unit.scale);
        table_value(table, table_fixed(rest->first_ratio, 3), rest->first_ratio);
        table_value(table, mem_printf("%llu", (unsigned long long)rest->n), (double)rest->n);
    }
    table_print(table, out, "rests");
    table_destroy(table);
    report_text(out, "requests of %u items after a rest; cold core: ", profile->cold_items);
    if (cold->found)
        report_text(out,
                    "cold_factor %.3f, cooling_time %.3g ms, warming_time %.3g ms; misses the "
                    "measured by %.1f %%, explains %.0f %% of the effect\n",
                    cold->factor, 1e3 * cold->cooling_s, 1e3 * cold->warming_s,
                    100 * cold->residual_frac, 100 * cold->explained_frac);
    else
        report_text(out, "none (%s)\n", cold->why);
}

static void print_noise(struct report_out *out, const struct profile *profile)
{
    report_text(out, "noise, of the mix cut at %u on %u %s%s: cv %.3g", profile->typical->cut_items,
                profile->typical->busy, profile->cores_per_worker > 1 ? "worker" : "core",
                profile->typical->busy == 1 ? "" : "s", profile->noise_cv);
    if (profile->correlated)
        report_text(out, ", correlation_time %.3g ms, correlated_frac %.2f\n",
                    1e3 * profile->correlation_s, profile->correlated_frac);
    else
        report_text(out, ", no correlation\n");
    if (isfinite(profile->drift_cv))
        report_text(
            out,
            "drift: visits of it differ by cv %.3g; their level is known to %.2g %%, and no "
            "run is nearer to the tables than that\n",
            profile->drift_cv, 100 * profile->level_half_frac);
}

static void print_profile(struct report_out *out, const struct task *task,
                          const struct subject *subject)
{
    const struct profile *profile = &subject->profile;
    const struct engine_facts *facts = &profile->facts;
    report_text(out, "\n%s, engine %s%s%s\n", subject->entry.name, task->about.engine,
                *facts->kernels ? ": " : "", facts->kernels);
    if (profile->cores_per_worker > 1)
        report_text(out,
                    "workers of %u cores each, which compute a request together; busy: of %u\n",
                    profile->cores_per_worker, profile->n_workers);
    report_text(out,
                "%llu requests in %.0f s; something else took %.1f %% of the time, %llu more "
                "requests and %llu visits were left out for it; %.4g MB more in use",
                (unsigned long long)profile->n_requests, profile->spent_s,
                100 * interference_frac(&profile->interference),
                (unsigned long long)profile->n_left_out,
                (unsigned long long)profile->n_visits_left_out, 1e-6 * profile->rss_bytes);
    if (facts->table_bytes > 0)
        report_text(out, ", tables %.4g MB of %s (%.3g %% of the rows, %s pages)",
                    1e-6 * facts->table_bytes, model_format_names[facts->format],
                    100 * facts->table_frac, facts->huge_pages ? "huge" : "ordinary");
    report_text(out, "\n");
    print_times(out, subject);
    print_histories(out, subject);
    report_text(out, "queries in a mix:\n");
    print_mixed(out, subject);
    print_cold(out, subject);
    print_noise(out, profile);
}

static void print_all(const struct task *task)
{
    struct report_out out = cmd_report_out(task->line);
    char *processor = topology_text(&task->topology);
    report_text(&out, "%s: %s\n", task->about.platform, processor);
    for (size_t i = 0; i < task->n_done; i++)
        print_profile(&out, task, &task->subjects[i]);
    const struct profile *last = &task->subjects[task->n_done - 1].profile;
    if (isfinite(task->about.idle_w))
        report_text(&out, "\nprocessor and memory: %.1f W idle, %.1f W busy\n", task->about.idle_w,
                    task->about.busy_w);
    else
        report_text(&out, "\nwatts: not known; %s\n", last->power);
    if (*last->pinning)
        report_text(&out, "threads were not pinned: %s\n", last->pinning);
    report_text(&out,
                "\n± half-width of the 95 %% confidence interval, over visits spread over the "
                "time\ntaken: what something else had of the cores; it is not in the times\n"
                "tables and machine: %s\n",
                task->catalogue);
    for (size_t i = 0; i < task->n_done; i++)
        report_text(&out, "study: %s/%s.yaml\n", task->folder, task->subjects[i].stem);
    report_end(&out);
    mem_free(processor);
}

// ---- the command --------------------------------------------------------------------------------

static bool watch(void *user, double done_frac, uint64_t n_requests)
{
    struct task *task = user;
    (void)n_requests;
    progress_update(&task->progress, ((double)task->n_done + done_frac) / (double)task->n, 0);
    return checkpointing_stop_waits();
}

// Bytes of tables at most: as asked for, or what is free now.
static double most_table_bytes(const struct task *task, double needed_bytes)
{
    char line[128];
    double free_bytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    if (task->numbers.table_bytes > 0 || !file) {
        if (file)
            fclose(file);
        return task->numbers.table_bytes;
    }
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lf kB", &free_bytes) == 1)
            break;
    fclose(file);
    free_bytes *= 1024 * FIT_FRAC;
    return free_bytes > 0 && needed_bytes > free_bytes ? free_bytes : 0;
}

static int measure(struct task *task, struct subject *subject, struct err *err)
{
    const struct numbers *numbers = &task->numbers;
    double whole_s = numbers->time_s > 0 ? numbers->time_s : MODEL_S * (double)task->n;
    double end_s = task->begin_s + whole_s * (double)(task->n_done + 1) / (double)task->n;
    struct profiling_config config = {
        .type = task->type,
        .setup = {.model = subject->entry.model,
                  .cost = subject->cost,
                  .format = (enum model_format)numbers->format,
                  .seed = numbers->seed,
                  .library = cmd_value(task->line, "--library", NULL),
                  .file = cmd_value(task->line, "--file", NULL)},
        .topology = &task->topology,
        .n_workers = (uint32_t)(numbers->n_cores / numbers->cores_per_worker),
        .cores_per_worker = (uint32_t)numbers->cores_per_worker,
        .most_items = (uint32_t)numbers->most_items,
        .cuts_items = task->cuts,
        .n_cuts = task->n_cuts,
        .sizes = subject->qsize,
        .histories = subject->histories,
        .idle = (enum live_clock_idle)task->numbers.idle,
        .time_s = end_s - wallclock_s(),
        .seed = numbers->seed,
        .watch = watch,
        .user = task,
    };
    struct model_work work = {0};
    if (subject->entry.model)
        model_derive(subject->entry.model, &work);
    if (subject->entry.model) // as the engine has them, which may not be the model's own format
        work.table_bytes *=
            model_format_bytes(numbers->format) / model_format_bytes(subject->entry.model->format);
    config.setup.most_table_bytes = most_table_bytes(task, work.table_bytes);
    progress_note(&task->progress, "%s", subject->entry.name);
    if (profiling_run(&subject->profile, &config, err) < 0)
        return err_prefix(err, "%s", subject->entry.name);
    task->stopped = subject->profile.stopped;
    if (task->stopped)
        return 0;
    task->n_done++;
    return write_files(task, err);
}

static int measure_all(struct task *task, struct err *err)
{
    FILE *bar = cmd_given(task->line, "--quiet") ? NULL : stderr;
    int rc = 0;
    task->begin_s = wallclock_s();
    if (cmd_given(task->line, "--json"))
        progress_start_json(&task->progress, stderr);
    else
        progress_start(&task->progress, bar);
    for (size_t i = 0; rc == 0 && !task->stopped && i < task->n; i++)
        rc = measure(task, &task->subjects[i], err);
    progress_end(&task->progress, rc == 0 && !task->stopped);
    return rc;
}

static void tell_stopped(const struct task *task)
{
    if (task->n_done > 0)
        fprintf(stderr, "recfleet: stopped; written: %zu of %zu models, in %s\n", task->n_done,
                task->n, task->folder);
    else
        fprintf(stderr, "recfleet: stopped; nothing was written\n");
}

static void describe(struct task *task)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(task->date, sizeof task->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    task->program = mem_printf("recfleet %s", RECFLEET_VERSION);
    task->about = (struct profile_about){
        .platform = cmd_value(task->line, "--name", NAME),
        .program = task->program,
        .date = task->date,
        .engine = task->type->name,
        .topology = &task->topology,
        .idle_w = (double)NAN,
        .busy_w = (double)NAN,
    };
}

static void release(struct task *task)
{
    for (size_t i = 0; i < task->n && task->subjects; i++) {
        profiling_release(&task->subjects[i].profile);
        mem_free(task->subjects[i].stem);
    }
    mem_free(task->subjects);
    mem_free(task->catalogue);
    mem_free(task->program);
    mem_free(task->cuts);
    mem_free(task->numbers.cuts.v);
    qsize_destroy(task->qsize);
    qsize_destroy(task->histories);
    study_destroy(task->study);
    schema_release(qsize_production.fields, &task->sizes);
    schema_release(qsize_lognormal.fields, &task->history);
    topology_release(&task->topology);
    library_release(&task->library);
}

static int profile(struct cmd_line *line, struct err *err)
{
    struct task task = {.line = line};
    if (library_load_with(&task.library, cmd_catalog(line), err) < 0)
        return -1;
    topology_read(&task.topology);
    int rc = read_numbers(&task, err);
    if (rc == 0)
        rc = read_cuts(&task, err);
    if (rc == 0)
        rc = check_name(&task, err);
    if (rc == 0)
        rc = find_engine(&task, err);
    if (rc == 0)
        rc = find_subjects(&task, err);
    if (rc == 0)
        rc = check_files(&task, err);
    if (rc == 0) {
        describe(&task);
        checkpointing_block_signals(); // threads inherit it
        rc = measure_all(&task, err);
    }
    if (rc == 0 && task.n_done > 0 && !cmd_given(line, "--quiet"))
        print_all(&task);
    if (rc == 0 && task.stopped) {
        tell_stopped(&task);
        line->status = CMD_STOPPED;
    }
    remove_folders(&task);
    release(&task);
    return rc;
}

static const char *word(const char *option, size_t i)
{
    if (option && strcmp(option, "--idle") == 0)
        return live_clock_idle_names[i];
    if (!option || strcmp(option, "--engine") != 0)
        return NULL;
    return engine_types[i] ? engine_types[i]->name : NULL; // asked for in turn
}

const struct cmd cmd_profile = {
    .name = "profile",
    .help = "run models on this machine and measure how long they take",
    .arguments = "MODEL...",
    .min_args = 1,
    .max_args = -1,
    .description =
        "Runs each model for real, with random weights and inputs, on the cores of this machine, "
        "and measures requests of one size, requests of queries in a mix, first requests after a "
        "rest, memory and, where the processor tells, watts. Writes for every model a table that a "
        "study's cost reads and a study that is ready to run, and a catalogue of the machine; "
        "prints the same with intervals. Ctrl-C ends it: models that were done by then are there. "
        "Nothing needs root; what the system does not allow is said.",
    .example = "recfleet profile ncf-repo wnd-repo -o here --time 2min",
    .options = options,
    .exits = 1u << CMD_STOPPED,
    .word = word,
    .run = profile,
};
