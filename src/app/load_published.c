// SPDX-License-Identifier: Apache-2.0
#include "app/load_published.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "traces/csv.h"

enum column { FIGURE, QUANTITY, POLICY, BASELINE, VALUE, SOURCE, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"figure",   "quantity", "policy",
                                                    "baseline", "value",    "source"};

// Where in the header what is; -1: nowhere.
struct header {
    int columns[N_COLUMNS], *at, *baseline_at; // the latter [n_axes]
};

struct reader {
    struct csv csv;
    const struct tuning_result *t;
    struct header header;
    size_t n_fields;
    struct published *published;
    struct err left_out; // why the first row that was left out was
};

static char *text_of(const struct csv_field *f)
{
    char *text = mem_printf("%.*s", (int)f->n, f->text);
    size_t n = 0;
    for (const char *p = text; *p; p++) { // two quotes in a row stand for one
        text[n++] = *p;
        p += p[0] == '"' && p[1] == '"';
    }
    text[n] = 0;
    return text;
}

// "a, b or c" of n names. Caller mem_free()s.
static char *choices_of(const char *const *names, size_t n)
{
    char *text = mem_strdup("");
    for (size_t i = 0; i < n; i++) {
        char *longer = mem_printf("%s%s%s", text,
                                  i == 0       ? ""
                                  : i + 1 == n ? " or "
                                               : ", ",
                                  names[i]);
        mem_free(text);
        text = longer;
    }
    return text;
}

static int fail_choice(const struct reader *r, const struct csv_field *f, struct err *err,
                       const char *what, const char *const *names, size_t n)
{
    char shown[CSV_SHOW_MAX], *choices = choices_of(names, n);
    int rc = csv_fail(&r->csv, f->column, err, "%s: expected %s, got %s", what, choices,
                      csv_show(f, shown));
    mem_free(choices);
    return rc;
}

static int find(const struct csv_field *f, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (csv_equals(f, names[i]))
            return (int)i;
    return -1;
}

// ---- the header

// The place in the header that the column's name is for; NULL: none.
static int *place_of(struct reader *r, const struct csv_field *f)
{
    static const char prefix[] = "baseline.";
    const size_t n = sizeof prefix - 1;
    int column = find(f, column_names, N_COLUMNS);
    if (column >= 0)
        return &r->header.columns[column];
    bool baseline = f->n > n && memcmp(f->text, prefix, n) == 0;
    struct csv_field rest = {f->text + n, f->n - n, f->column + n};
    for (uint32_t a = 0; a < r->t->grid.n_axes; a++) {
        if (csv_equals(f, r->t->grid.axes[a].name))
            return &r->header.at[a];
        if (baseline && csv_equals(&rest, r->t->grid.axes[a].name))
            return &r->header.baseline_at[a];
    }
    return NULL;
}

static int fail_column(const struct reader *r, const struct csv_field *f, struct err *err)
{
    const struct point_axes *grid = &r->t->grid;
    const char **names = mem_calloc(N_COLUMNS + grid->n_axes, sizeof *names);
    memcpy(names, column_names, sizeof column_names);
    for (uint32_t a = 0; a < grid->n_axes; a++)
        names[N_COLUMNS + a] = grid->axes[a].name;
    int rc = fail_choice(r, f, err, "a column's name", names, N_COLUMNS + grid->n_axes);
    mem_free(names);
    return rc;
}

static int read_header(struct reader *r, struct err *err)
{
    int rc = csv_next(&r->csv, err);
    if (rc <= 0)
        return rc < 0 ? -1 : csv_fail(&r->csv, 1, err, "expected a line with the columns' names");
    r->n_fields = r->csv.n_fields;
    for (size_t i = 0; i < r->n_fields; i++) {
        int *place = place_of(r, &r->csv.fields[i]);
        char shown[CSV_SHOW_MAX];
        if (!place)
            return fail_column(r, &r->csv.fields[i], err);
        if (*place >= 0)
            return csv_fail(&r->csv, r->csv.fields[i].column, err, "the column %s is there twice",
                            csv_show(&r->csv.fields[i], shown));
        *place = (int)i;
    }
    for (int i = 0; i < N_COLUMNS; i++)
        if (r->header.columns[i] < 0 && i != BASELINE && i != SOURCE)
            return csv_fail(&r->csv, 1, err, "expected a column \"%s\"", column_names[i]);
    return 0;
}

// ---- rows

// What the row has in that column; empty where there is none.
static struct csv_field field_at(const struct reader *r, int column)
{
    return column >= 0 ? r->csv.fields[column] : (struct csv_field){"", 0, 1};
}

// Labels of the row, or 1: there is one that the tuning does not have.
static int read_labels(struct reader *r, const int *columns, uint32_t *at)
{
    for (uint32_t a = 0; a < r->t->grid.n_axes; a++) {
        const struct point_axis *axis = &r->t->grid.axes[a];
        struct csv_field f = field_at(r, columns[a]);
        if (f.n == 0)
            continue;
        int label = find(&f, (const char *const *)axis->labels, axis->n_labels);
        if (label < 0) {
            fail_choice(r, &f, r->left_out.code ? NULL : &r->left_out, axis->name,
                        (const char *const *)axis->labels, axis->n_labels);
            return 1;
        }
        at[a] = (uint32_t)label;
    }
    return 0;
}

// -1: none of that name.
static int read_policy(struct reader *r, enum column column)
{
    struct csv_field f = field_at(r, r->header.columns[column]);
    int policy = find(&f, (const char *const *)r->t->policies, r->t->n_policies);
    if (policy < 0)
        fail_choice(r, &f, r->left_out.code ? NULL : &r->left_out, column_names[column],
                    (const char *const *)r->t->policies, r->t->n_policies);
    return policy;
}

// What is wrong whatever the tuning has.
static int check_row(struct reader *r, struct published_row *row, struct err *err)
{
    struct csv_field value = field_at(r, r->header.columns[VALUE]),
                     quantity = field_at(r, r->header.columns[QUANTITY]),
                     figure = field_at(r, r->header.columns[FIGURE]),
                     baseline = field_at(r, r->header.columns[BASELINE]);
    char shown[CSV_SHOW_MAX];
    if (figure.n == 0)
        return csv_fail(&r->csv, figure.column, err, "figure: expected its name, got nothing");
    row->quantity = find(&quantity, published_quantity_names, N_PUBLISHED_QUANTITIES);
    if (row->quantity < 0)
        return fail_choice(r, &quantity, err, "quantity", published_quantity_names,
                           N_PUBLISHED_QUANTITIES);
    if (!csv_number(&value, &row->value) || !(row->value > 0 && row->value < INFINITY))
        return csv_fail(&r->csv, value.column, err, "value: expected a number above 0, got %s",
                        csv_show(&value, shown));
    for (uint32_t a = 0; a < r->t->grid.n_axes && baseline.n == 0; a++) {
        struct csv_field f = field_at(r, r->header.baseline_at[a]);
        if (f.n > 0)
            return csv_fail(&r->csv, f.column, err,
                            "%s: expected nothing, as the row has no baseline, got %s",
                            r->t->grid.axes[a].name, csv_show(&f, shown));
    }
    return 0;
}

// Is it compared as the other rows of its figure are?
static int check_figure(struct reader *r, const struct published_row *row, struct err *err)
{
    const struct published *p = r->published;
    for (const struct published_row *other = p->rows; other < p->rows + p->n_rows; other++)
        if (strcmp(other->figure, row->figure) == 0 &&
            (other->quantity != row->quantity || other->policy != row->policy ||
             other->baseline != row->baseline))
            return csv_fail(&r->csv, field_at(r, r->header.columns[FIGURE]).column, err,
                            "figure \"%.40s\": expected the quantity, policy and baseline of the "
                            "figure's first line",
                            row->figure);
    return 0;
}

// 1: left out.
static int fill_row(struct reader *r, struct published_row *row, struct err *err)
{
    struct csv_field baseline = field_at(r, r->header.columns[BASELINE]),
                     source = field_at(r, r->header.columns[SOURCE]),
                     figure = field_at(r, r->header.columns[FIGURE]);
    row->figure = text_of(&figure);
    row->source = source.n > 0 ? text_of(&source) : mem_strdup("no source given");
    if (check_row(r, row, err) < 0)
        return -1;
    int policy = read_policy(r, POLICY);
    row->policy = (uint32_t)policy;
    row->baseline = baseline.n > 0 ? read_policy(r, BASELINE) : -1;
    if (policy < 0 || (baseline.n > 0 && row->baseline < 0) ||
        read_labels(r, r->header.at, row->at) > 0 ||
        read_labels(r, r->header.baseline_at, row->baseline_at) > 0)
        return 1;
    return check_figure(r, row, err);
}

static int read_row(struct reader *r, struct err *err)
{
    struct published *p = r->published;
    if (r->csv.n_fields != r->n_fields)
        return csv_fail(&r->csv, 1, err, "expected %zu fields, as the first line has, got %zu",
                        r->n_fields, r->csv.n_fields);
    if (p->n_rows + p->n_left_out == PUBLISHED_MOST_ROWS)
        return csv_fail(&r->csv, 1, err, "expected at most %d figures", PUBLISHED_MOST_ROWS);
    int rc = fill_row(r, published_add(p), err);
    if (rc == 1) {
        published_drop(p);
        p->n_left_out++;
    }
    return rc < 0 ? -1 : 0;
}

static int read_rows(struct reader *r, struct err *err)
{
    int rc = read_header(r, err);
    while (rc == 0 && (rc = csv_next(&r->csv, err)) > 0)
        rc = read_row(r, err);
    if (rc == 0 && r->published->n_rows == 0)
        return r->left_out.code
                   ? err_set(err, ERR_STUDY, "%s; no line is about this tuning", r->left_out.text)
                   : csv_fail(&r->csv, 1, err, "expected at least one figure");
    return rc;
}

struct published *load_published_parse(const char *name, const char *bytes, size_t n,
                                       const struct tuning_result *t, struct err *err)
{
    struct reader r = {.t = t};
    int rc = csv_open(&r.csv, name, bytes, n, CSV_AUTO, err);
    if (rc < 0)
        return NULL;
    size_t n_axes = t->grid.n_axes, n_places = N_COLUMNS + 2 * n_axes;
    r.header.at = mem_calloc(2 * n_axes + 1, sizeof *r.header.at);
    r.header.baseline_at = r.header.at + n_axes;
    for (size_t i = 0; i < n_places; i++)
        *(i < N_COLUMNS ? &r.header.columns[i] : &r.header.at[i - N_COLUMNS]) = -1;
    r.published = published_create(name, t->grid.n_axes);
    r.published->text = mem_printf("%.*s", (int)n, bytes);
    if (read_rows(&r, err) < 0) {
        published_destroy(r.published);
        r.published = NULL;
    }
    mem_free(r.header.at);
    return r.published;
}

struct published *load_published(const char *path, const struct tuning_result *t, struct err *err)
{
    char *bytes;
    size_t n;
    if (csv_read_file(path, &bytes, &n, err) < 0)
        return NULL;
    struct published *p = load_published_parse(path, bytes, n, t, err);
    mem_free(bytes);
    return p;
}
