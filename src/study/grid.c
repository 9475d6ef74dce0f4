// SPDX-License-Identifier: Apache-2.0
#include "study/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "study/doc.h"
#include "study/flow.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study.h"

// "key=value", and where the value is written; line 0: not in the file.
struct setting {
    char *text;
    int line, column;
};

// One value of an axis.
struct value {
    char *label;
    struct setting *settings;
    size_t n_settings;
    bool has_seed; // one of the settings is a seed
    uint64_t seed;
};

struct axis {
    char *name, *key;
    struct value *values;
    uint32_t n_values;
};

struct grid {
    char *name, *output; // of the study
    uint64_t seed;       // of the study, for points that set none
    struct axis *axes;   // [GRID_MAX_AXES + 1]; that of replications is the last
    uint32_t n_axes, n_points;
    uint32_t n_replications;
    struct err replications_at; // begins with where they are asked for: "study.yaml:9:1: ..."
    size_t *first;              // [n_points + 1]: where a point's settings begin in `settings`
    const char **settings;      // of all points, borrowed from the values and from `seeds`
    char **seeds;               // [n_points]; NULL for those that keep their seed
};

const struct field grid_fields[] = {
    FIELD(grid_settings, "replications", FIELD_INT, UNIT_NONE, replications, 1,
          GRID_MAX_REPLICATIONS, "1",
          "how often a sweep repeats every point, each time with another seed"),
    FIELD_END};

// Lists and maps are read by this module; their rows are for the listing.
const struct field grid_axis_fields[] = {
    FIELD(axis, "axis", FIELD_STRING, UNIT_NONE, name, 0, 0, NULL, "name of the axis"),
    FIELD(axis, "key", FIELD_STRING, UNIT_NONE, key, 0, 0, "",
          "key that takes each of values in turn, such as traffic[0].rate"),
    FIELD(axis, "values", FIELD_STRING, UNIT_NONE, key, 0, 0, "", "list of values of the key"),
    FIELD(axis, "labels", FIELD_STRING, UNIT_NONE, key, 0, 0, "",
          "list of names, one for each of values; without it, their texts"),
    FIELD(axis, "points", FIELD_STRING, UNIT_NONE, key, 0, 0, "",
          "list of points of several settings each, in place of key and values"),
    FIELD_END};

const struct field grid_point_fields[] = {
    FIELD(value, "label", FIELD_STRING, UNIT_NONE, label, 0, 0, NULL, "name of the point"),
    FIELD(value, "set", FIELD_STRING, UNIT_NONE, label, 0, 0, NULL,
          "map from keys, such as traffic[0].rate, to values"),
    FIELD_END};

static int expect_map(const struct node *node, struct err *err)
{
    char found[128];
    if (node->kind == NODE_MAP)
        return 0;
    return node_fail(node, err, "expected a map, got %s", node_found(node, found, sizeof found));
}

// A list that must be there and hold something.
static int filled_list(const struct node *map, const char *key, const char *what,
                       const struct node **list, struct err *err)
{
    if (reader_list(map, key, list, err) < 0)
        return -1;
    if (!*list)
        return node_fail_key(map, key, err, "missing; expected a list of %s", what);
    if ((*list)->n == 0)
        return node_fail(*list, err, "empty; expected at least one of %s", what);
    return 0;
}

// A sweep that changes the sweep would be read before it changes.
static bool is_own_key(const char *key)
{
    static const char *const own[] = {"sweep", "replications"};
    size_t len = strcspn(key, ".[]");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (len == strlen(own[i]) && strncmp(key, own[i], len) == 0)
            return true;
    return false;
}

static int check_key(const char *key, struct err *err)
{
    if (is_own_key(key))
        return err_set(err, ERR_STUDY, "a sweep cannot change itself");
    return doc_check_key(key, err);
}

// False where there is no seed that a study could have; whoever reads the point says so.
static bool parse_seed(const struct node *node, uint64_t *seed)
{
    struct study_settings settings = {0};
    if (node->kind != NODE_SCALAR ||
        schema_parse(schema_find(study_fields, "seed"), node->text, &settings, NULL) < 0)
        return false;
    *seed = settings.seed;
    return true;
}

static int add_setting(struct value *value, const char *key, const struct node *node,
                       struct err *err)
{
    if (node_is_null(node))
        return node_fail(node, err, "expected a value, got nothing");
    char *flow = flow_value(node);
    value->settings = mem_realloc(value->settings, value->n_settings + 1, sizeof *value->settings);
    value->settings[value->n_settings++] =
        (struct setting){mem_printf("%s=%s", key, flow), node->line, node->column};
    mem_free(flow);
    if (strcmp(key, "seed") == 0)
        value->has_seed = parse_seed(node, &value->seed);
    return 0;
}

// `label` is the node with the value's name; NULL: the value names itself.
static int read_value(struct axis *axis, struct value *value, const struct node *node,
                      const struct node *label, struct err *err)
{
    if (!label && node->kind != NODE_SCALAR)
        return node_fail(node, err,
                         "expected a single value, got a %s, which needs labels as well "
                         "as values",
                         node->kind == NODE_MAP ? "map" : "list");
    if (add_setting(value, axis->key, node, err) < 0)
        return -1;
    const char *text = reader_text(label ? label : node, "a name", err);
    value->label = text ? mem_strdup(text) : NULL;
    return text ? 0 : -1;
}

static int read_values(struct axis *axis, const struct node *map, struct err *err)
{
    const struct node *values, *labels;
    const struct node *key = node_get(map, "key");
    if (!key || !*axis->key)
        return node_fail_key(map, "key", err, "missing; expected a key such as traffic[0].rate");
    if (check_key(axis->key, err) < 0)
        return node_prefix(key, err);
    if (filled_list(map, "values", "values", &values, err) < 0 ||
        reader_list(map, "labels", &labels, err) < 0)
        return -1;
    if (labels && labels->n != values->n)
        return node_fail(labels, err, "expected as many as values (%zu), got %zu", values->n,
                         labels->n);
    axis->values = mem_calloc(values->n, sizeof *axis->values);
    axis->n_values = (uint32_t)values->n;
    for (size_t i = 0; i < values->n; i++) {
        const struct node *item = values->items[i], *label = labels ? labels->items[i] : NULL;
        if (mistakes_keep(item, read_value(axis, &axis->values[i], item, label, err), err) < 0)
            return -1;
    }
    return 0;
}

static int read_point(struct value *value, const struct node *map, struct err *err)
{
    static const char *const others[] = {"set", NULL};
    const struct reader_part part = {grid_point_fields, value};
    const struct reader_options options = {others, false};
    const struct node *set;
    if (expect_map(map, err) < 0 || reader_fill(map, NULL, &part, 1, &options, err) < 0 ||
        reader_map(map, "set", &set, err) < 0)
        return -1;
    if (!set || set->n == 0)
        return node_fail_key(map, "set", err, "missing; expected a map from keys to values");
    for (size_t i = 0; i < set->n; i++) {
        const struct node *item = set->items[i];
        int rc = check_key(item->key, err);
        rc = rc < 0 ? node_prefix_at_key(item, err) : add_setting(value, item->key, item, err);
        if (mistakes_keep(item, rc, err) < 0)
            return -1;
    }
    return 0;
}

static int read_points(struct axis *axis, const struct node *map, struct err *err)
{
    static const char *const not_beside[] = {"key", "values", "labels"};
    const struct node *points;
    for (size_t i = 0; i < sizeof not_beside / sizeof *not_beside; i++) {
        const struct node *other = node_get(map, not_beside[i]);
        if (!other)
            continue;
        err_set(err, ERR_STUDY, "not together with points");
        return node_prefix_at_key(other, err);
    }
    if (filled_list(map, "points", "points", &points, err) < 0)
        return -1;
    axis->values = mem_calloc(points->n, sizeof *axis->values);
    axis->n_values = (uint32_t)points->n;
    for (size_t i = 0; i < points->n; i++)
        if (mistakes_keep(points->items[i], read_point(&axis->values[i], points->items[i], err),
                          err) < 0)
            return -1;
    return 0;
}

struct labelled {
    const char *label;
    uint32_t value;
};

static int compare_labels(const void *a, const void *b)
{
    const struct labelled *x = a, *y = b;
    int order = strcmp(x->label, y->label);
    return order ? order : (x->value > y->value) - (x->value < y->value);
}

// Where the label of a value is written.
static const struct node *label_node(const struct node *map, uint32_t value)
{
    const struct node *points = node_get(map, "points"), *labels = node_get(map, "labels");
    if (points)
        return node_get(points->items[value], "label");
    return (labels && labels->kind == NODE_LIST ? labels : node_get(map, "values"))->items[value];
}

static int check_labels(const struct axis *axis, const struct node *map, struct err *err)
{
    struct labelled *sorted = mem_calloc(axis->n_values, sizeof *sorted);
    uint32_t again = axis->n_values; // the first value whose label was there before
    for (uint32_t i = 0; i < axis->n_values; i++)
        sorted[i] = (struct labelled){axis->values[i].label, i};
    qsort(sorted, axis->n_values, sizeof *sorted, compare_labels);
    for (uint32_t i = 1; i < axis->n_values; i++)
        if (strcmp(sorted[i].label, sorted[i - 1].label) == 0 && sorted[i].value < again)
            again = sorted[i].value;
    mem_free(sorted);
    if (again == axis->n_values)
        return 0;
    return node_fail(label_node(map, again), err, "label \"%.80s\" is there already",
                     axis->values[again].label);
}

static int read_axis(struct grid *grid, const struct node *map, struct err *err)
{
    static const char *const others[] = {"values", "labels", "points", NULL};
    struct axis *axis = &grid->axes[grid->n_axes++];
    const struct reader_part part = {grid_axis_fields, axis};
    const struct reader_options options = {others, false};
    if (expect_map(map, err) < 0 || reader_fill(map, NULL, &part, 1, &options, err) < 0)
        return -1;
    for (uint32_t i = 0; i + 1 < grid->n_axes; i++)
        if (strcmp(grid->axes[i].name, axis->name) == 0)
            return node_fail(node_get(map, "axis"), err, "axis \"%.80s\" is there already",
                             axis->name);
    if (strcmp(axis->name, GRID_REPLICATION) == 0)
        return node_fail(node_get(map, "axis"), err,
                         "\"%s\" is the name of the axis that the key replications makes",
                         axis->name);
    int rc = node_get(map, "points") ? read_points(axis, map, err) : read_values(axis, map, err);
    return rc < 0 || mistakes_in(map) ? -1 : check_labels(axis, map, err);
}

// Replications turn slowest, whatever their place among the axes: more of them are more points at
// the end, and those that were there keep their ids.
static uint32_t replication_of(const struct grid *grid, uint32_t point)
{
    return point / (grid->n_points / grid->n_replications);
}

// The seed that the point has in its first replication: the last axis that sets one wins.
static uint64_t seed_of(const struct grid *grid, uint32_t point)
{
    uint64_t seed = grid->seed;
    for (uint32_t a = 0; a < grid->n_axes; a++) {
        const struct value *value = &grid->axes[a].values[grid_value(grid, point, a)];
        if (value->has_seed)
            seed = value->seed;
    }
    return seed;
}

// Far from any seed that a person would write, so that replications of one seed do not meet those
// of the next. 63 bits: readers with signed numbers only show the same one.
static char *seed_setting(uint64_t seed, uint32_t replication)
{
    const struct rng_stream stream = rng_stream(seed, RNG_REPLICATION, 0);
    uint64_t words[2];
    rng_block(&stream, replication, words);
    return mem_printf("seed=%llu", (unsigned long long)(words[0] >> 1));
}

// How many settings a point has.
static size_t count_settings(const struct grid *grid, uint32_t point)
{
    size_t n = grid->seeds[point] != NULL;
    for (uint32_t a = 0; a < grid->n_axes; a++)
        n += grid->axes[a].values[grid_value(grid, point, a)].n_settings;
    return n;
}

// The settings of all points, in order; fails when there are too many.
static int lay_out(struct grid *grid, const struct node *sweep, struct err *err)
{
    size_t n = 0;
    grid->first = mem_calloc((size_t)grid->n_points + 1, sizeof *grid->first);
    grid->seeds = mem_calloc(grid->n_points, sizeof *grid->seeds);
    for (uint32_t p = 0; p < grid->n_points; p++) {
        if (replication_of(grid, p) > 0)
            grid->seeds[p] = seed_setting(seed_of(grid, p), replication_of(grid, p));
        n += count_settings(grid, p);
        if (n > GRID_MAX_SETTINGS)
            return node_fail(sweep, err, "expected at most %d settings over all points",
                             GRID_MAX_SETTINGS);
        grid->first[p + 1] = n;
    }
    grid->settings = mem_calloc(n + 1, sizeof *grid->settings);
    n = 0;
    for (uint32_t p = 0; p < grid->n_points; p++) {
        for (uint32_t a = 0; a < grid->n_axes; a++) {
            const struct value *value = &grid->axes[a].values[grid_value(grid, p, a)];
            for (size_t i = 0; i < value->n_settings; i++)
                grid->settings[n++] = value->settings[i].text;
        }
        if (grid->seeds[p])
            grid->settings[n++] = grid->seeds[p];
    }
    return 0;
}

static int read_replications(struct grid *grid, const struct node *root, struct err *err)
{
    struct grid_settings settings;
    const struct node *node = node_get(root, "replications");
    char expected[128], found[128];
    schema_defaults(grid_fields, &settings);
    if (node && (node->kind != NODE_SCALAR || node_is_null(node))) {
        schema_expected(&grid_fields[0], expected, sizeof expected);
        return node_fail(node, err, "expected %s, got %s", expected,
                         node_found(node, found, sizeof found));
    }
    if (node && schema_parse(&grid_fields[0], node->text, &settings, err) < 0)
        return node_prefix(node, err);
    if (node)
        node_fail(node, &grid->replications_at, "%s", "");
    grid->n_replications = (uint32_t)settings.replications;
    return 0;
}

// The implicit last axis; without replications there is none.
static void add_replications(struct grid *grid)
{
    uint32_t n = grid->n_replications;
    if (n == 1)
        return;
    struct axis *axis = &grid->axes[grid->n_axes++];
    *axis = (struct axis){mem_strdup(GRID_REPLICATION), mem_strdup("seed"),
                          mem_calloc(n, sizeof *axis->values), n};
    for (uint32_t i = 0; i < n; i++)
        axis->values[i].label = mem_printf("%u", i);
}

static int read_axes(struct grid *grid, const struct node *root, const struct node *sweep,
                     struct err *err)
{
    if (sweep && sweep->n == 0)
        return node_fail(sweep, err, "empty; expected at least one axis");
    if (sweep && sweep->n > GRID_MAX_AXES)
        return node_fail(sweep, err, "expected at most %d axes, got %zu", GRID_MAX_AXES, sweep->n);
    grid->axes = mem_calloc(GRID_MAX_AXES + 1, sizeof *grid->axes);
    uint64_t n_points = 1;
    for (size_t i = 0; sweep && i < sweep->n; i++) {
        if (mistakes_keep(sweep->items[i], read_axis(grid, sweep->items[i], err), err) < 0)
            return -1;
        n_points *= grid->axes[i].n_values; // both at most a million, so far from overflow
        if (n_points > GRID_MAX_POINTS)
            return node_fail(sweep, err, "expected at most %d points in all", GRID_MAX_POINTS);
    }
    n_points *= grid->n_replications;
    if (n_points > GRID_MAX_POINTS)
        return node_fail_key(root, "replications", err,
                             "expected at most %d points in all, replications included",
                             GRID_MAX_POINTS);
    grid->n_points = (uint32_t)n_points;
    add_replications(grid);
    return 0;
}

// A text of the study or what stands for it; whether it is a good one, the point's reader says.
static char *text_at(const struct node *map, const char *key, const char *other)
{
    const struct node *node = node_get(map, key);
    return mem_strdup(node && node->kind == NODE_SCALAR && !node_is_null(node) ? node->text
                                                                               : other);
}

static void read_names(struct grid *grid, const struct node *root)
{
    const struct node *seed = node_get(root, "seed");
    struct study_settings settings = {0};
    schema_parse(schema_find(study_fields, "seed"), schema_find(study_fields, "seed")->dflt,
                 &settings, NULL);
    grid->seed = settings.seed;
    if (seed)
        parse_seed(seed, &grid->seed);
    grid->name = text_at(root, "name", schema_find(study_fields, "name")->dflt);
    char *file = text_at(node_get(root, "output"), "file", "");
    grid->output = *file ? mem_strdup(file) : mem_printf("%s.h5", grid->name);
    mem_free(file);
}

static int read_sweep(struct grid *grid, const struct node *root, struct err *err)
{
    const struct node *sweep;
    char found[64];
    if (root->kind != NODE_MAP)
        return node_fail(root, err, "expected a map with keys such as \"traffic\", got %s",
                         node_found(root, found, sizeof found));
    read_names(grid, root);
    if (mistakes_keep(root, read_replications(grid, root, err), err) < 0 ||
        reader_list(root, "sweep", &sweep, err) < 0 || read_axes(grid, root, sweep, err) < 0 ||
        mistakes_in(root))
        return -1;
    return lay_out(grid, sweep ? sweep : root, err);
}

static struct grid *from_doc(struct doc *doc, const char *const *settings, size_t n_settings,
                             struct err *err)
{
    if (!doc)
        return NULL;
    struct grid *grid = mem_calloc(1, sizeof *grid);
    int rc = 0;
    for (size_t i = 0; i < n_settings && rc == 0; i++)
        rc = mistakes_keep(doc_root(doc), doc_set(doc, settings[i], err), err);
    if (rc == 0)
        rc = read_sweep(grid, doc_root(doc), err);
    doc_destroy(doc);
    if (rc == 0)
        return grid;
    grid_destroy(grid);
    return NULL;
}

struct grid *grid_parse(const char *path, const char *data, size_t size,
                        const char *const *settings, size_t n_settings, struct err *err)
{
    return from_doc(doc_parse(path, data, size, err), settings, n_settings, err);
}

void grid_mistakes(const char *path, const char *data, size_t size, const char *const *settings,
                   size_t n_settings, struct mistakes *mistakes)
{
    struct err err = {0};
    struct doc *doc = doc_collect(path, data, size, mistakes, &err);
    grid_destroy(from_doc(doc, settings, n_settings, &err));
    if (err.code != ERR_NONE)
        mistakes_add(mistakes, NULL, err.text);
}

static void release_value(struct value *value)
{
    for (size_t i = 0; i < value->n_settings; i++)
        mem_free(value->settings[i].text);
    mem_free(value->settings);
    mem_free(value->label);
}

void grid_destroy(struct grid *grid)
{
    if (!grid)
        return;
    for (uint32_t a = 0; a < grid->n_axes; a++) {
        struct axis *axis = &grid->axes[a];
        for (uint32_t v = 0; v < axis->n_values; v++)
            release_value(&axis->values[v]);
        mem_free(axis->values);
        mem_free(axis->name);
        mem_free(axis->key);
    }
    for (uint32_t p = 0; grid->seeds && p < grid->n_points; p++)
        mem_free(grid->seeds[p]);
    mem_free(grid->axes);
    mem_free(grid->first);
    mem_free(grid->settings);
    mem_free(grid->seeds);
    mem_free(grid->name);
    mem_free(grid->output);
    mem_free(grid);
}

const char *grid_study_name(const struct grid *grid)
{
    return grid->name;
}

const char *grid_output(const struct grid *grid)
{
    return grid->output;
}

uint32_t grid_n_replications(const struct grid *grid)
{
    return grid->n_replications;
}

int grid_fail_replications(const struct grid *grid, struct err *err, const char *why)
{
    return err_set(err, ERR_STUDY, "%s%s", grid->replications_at.text, why);
}

uint32_t grid_n_axes(const struct grid *grid)
{
    return grid->n_axes;
}

uint32_t grid_n_points(const struct grid *grid)
{
    return grid->n_points;
}

const char *grid_axis_name(const struct grid *grid, uint32_t axis)
{
    return grid->axes[axis].name;
}

uint32_t grid_n_labels(const struct grid *grid, uint32_t axis)
{
    return grid->axes[axis].n_values;
}

const char *grid_label(const struct grid *grid, uint32_t axis, uint32_t value)
{
    return grid->axes[axis].values[value].label;
}

uint32_t grid_value(const struct grid *grid, uint32_t point, uint32_t axis)
{
    uint32_t n_own = grid->n_axes - (grid->n_replications > 1);
    if (axis == n_own)
        return replication_of(grid, point);
    point %= grid->n_points / grid->n_replications;
    for (uint32_t a = n_own - 1; a > axis; a--)
        point /= grid->axes[a].n_values;
    return point % grid->axes[axis].n_values;
}

const char *const *grid_settings(const struct grid *grid, uint32_t point, size_t *n)
{
    *n = grid->first[point + 1] - grid->first[point];
    return grid->settings + grid->first[point];
}

const char **grid_point_settings(const struct grid *grid, uint32_t point,
                                 const char *const *settings, size_t n_settings, size_t *n)
{
    size_t n_own;
    const char *const *own = grid_settings(grid, point, &n_own);
    const char **all = mem_calloc(n_settings + n_own, sizeof *all);
    for (size_t i = 0; i < n_settings; i++)
        all[i] = settings[i];
    for (size_t i = 0; i < n_own; i++)
        all[n_settings + i] = own[i];
    *n = n_settings + n_own;
    return all;
}

bool grid_locate(const struct grid *grid, uint32_t point, const char *setting, int *line,
                 int *column)
{
    for (uint32_t a = grid->n_axes; a-- > 0;) { // the last one of a key is the one that counts
        const struct value *value = &grid->axes[a].values[grid_value(grid, point, a)];
        for (size_t i = 0; i < value->n_settings; i++) {
            const struct setting *own = &value->settings[i];
            if (own->line == 0 || strcmp(own->text, setting) != 0)
                continue;
            *line = own->line;
            *column = own->column;
            return true;
        }
    }
    return false;
}

char *grid_name(const struct grid *grid, uint32_t point)
{
    char *name = mem_strdup("");
    for (uint32_t a = 0; a < grid->n_axes; a++) {
        char *longer = mem_printf("%s%s%s=%s", name, a ? "," : "", grid->axes[a].name,
                                  grid_label(grid, a, grid_value(grid, point, a)));
        mem_free(name);
        name = longer;
    }
    return name;
}
