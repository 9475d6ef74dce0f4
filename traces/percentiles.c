// SPDX-License-Identifier: Apache-2.0
#include "traces/percentiles.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "traces/csv.h"

#define MOST_LINE 512 // of a line that has anything to say; longer ones are cut
#define NS 1e-9

// ---- rows

// Where the two numbers of a row are.
struct place {
    const char *name; // of the file
    uint64_t line;
    size_t quantile, latency; // columns, from 1
};

static int fail(const struct place *at, size_t column, struct err *err, const char *what)
{
    return err_set(err, ERR_STUDY, "%s:%llu:%zu: %s", at->name, (unsigned long long)at->line,
                   column, what);
}

// Quantile and latency of a line; a quantile again, with no less latency, replaces it: hgrm repeats
// its last. A logarithm of 1 - q is all that tells the last ones apart, so they are as given.
static int add_row(struct percentiles *to, const struct place *at, double quantile,
                   double latency_s, struct err *err)
{
    if (!(quantile >= 0 && quantile <= 1))
        return fail(at, at->quantile, err, "expected a quantile from 0 to 1");
    if (!(latency_s >= 0 && latency_s < 1e9))
        return fail(at, at->latency, err, "expected a latency of 0 or more, and below 10^9 s");
    if (to->n > 0 && quantile < to->quantile[to->n - 1])
        return fail(at, at->quantile, err, "the quantile is below that of the line before");
    if (to->n > 0 && latency_s < to->latency_s[to->n - 1])
        return fail(at, at->latency, err, "the latency is below that of the line before");
    if (to->n > 0 && quantile <= to->quantile[to->n - 1]) {
        to->latency_s[to->n - 1] = latency_s;
        return 0;
    }
    if ((to->n & (to->n - 1)) == 0) { // at powers of two
        size_t cap = to->n > 0 ? 2 * to->n : 1;
        to->quantile = mem_realloc(to->quantile, cap, sizeof *to->quantile);
        to->latency_s = mem_realloc(to->latency_s, cap, sizeof *to->latency_s);
    }
    to->quantile[to->n] = quantile;
    to->latency_s[to->n++] = latency_s;
    return 0;
}

// ---- lines

struct lines {
    const char *at, *end;
    uint64_t number;
    char text[MOST_LINE]; // the current one, ended by NUL
};

static bool next_line(struct lines *lines)
{
    if (lines->at >= lines->end)
        return false;
    size_t left = (size_t)(lines->end - lines->at);
    const char *stop = memchr(lines->at, '\n', left);
    size_t n = stop ? (size_t)(stop - lines->at) : left, kept = n < MOST_LINE ? n : MOST_LINE - 1;
    memcpy(lines->text, lines->at, kept);
    lines->text[kept] = 0;
    for (size_t i = 0; i < kept; i++) // a NUL would end it
        lines->text[i] = lines->text[i] ? lines->text[i] : '?';
    lines->at += n + 1;
    lines->number++;
    return true;
}

// Numbers at the head of the line, apart by blanks, up to 4, and the columns that they begin in;
// how many there are, or -1 where something else is among them, whose column comes last.
static int numbers_of(const char *text, double numbers[4], size_t columns[5])
{
    const char *at = text;
    int n = 0;
    while (*at) {
        char *end;
        while (isspace((unsigned char)*at))
            at++;
        columns[n] = (size_t)(at - text) + 1;
        if (!*at)
            break;
        if (n == 4 || isalpha((unsigned char)at[0]) || strncmp(at, "0x", 2) == 0) {
            if (n == 3) // what is above 1 / (1 - 1): "inf", "Infinity"
                return 3;
            columns[4] = columns[n];
            return -1;
        }
        numbers[n] = strtod(at, &end);
        if (end == at || (*end && !isspace((unsigned char)*end))) {
            columns[4] = columns[n];
            return -1;
        }
        at = end;
        n++;
    }
    columns[4] = (size_t)(at - text) + 1;
    return n;
}

// ---- hgrm

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r")] == 0;
}

// "#[Max     =       22.100, Total count    =       100000]"
static void take_footer(struct percentiles *to, const char *text)
{
    const char *at = strstr(text, "Total count");
    unsigned long long n;
    if (at && sscanf(at, "Total count = %llu", &n) == 1)
        to->n_total = n;
}

static int parse_hgrm(struct percentiles *to, const char *name, struct lines lines, double unit_s,
                      struct err *err)
{
    to->kind = "hgrm";
    while (next_line(&lines)) {
        double numbers[4];
        size_t columns[5];
        bool heads = strstr(lines.text, "Value") && strstr(lines.text, "Percentile");
        if (lines.text[strspn(lines.text, " \t")] == '#')
            take_footer(to, lines.text);
        if (heads || is_blank(lines.text) || lines.text[strspn(lines.text, " \t")] == '#')
            continue;
        int n = numbers_of(lines.text, numbers, columns);
        const struct place at = {name, lines.number, columns[1], columns[0]};
        if (n < 2)
            return fail(&at, columns[4], err,
                        "expected Value, Percentile, TotalCount and 1/(1-Percentile)");
        if (add_row(to, &at, numbers[1], numbers[0] * unit_s, err) < 0)
            return -1;
        if (n > 2 && numbers[2] > (double)to->n_total && numbers[2] < 1e18)
            to->n_total = (uint64_t)numbers[2];
    }
    return 0;
}

// ---- LoadGen

// "99.00 percentile latency (ns)   : 51200345", or the same as a key of the detail log: where the
// numbers are in the line, or should be; false: it is another line.
static bool loadgen_line(const char *text, const char **percent, const char **latency_ns)
{
    static const char key[] = "\"result_", named[] = "_percentile_latency_ns\"",
                      value[] = "\"value\":", plain[] = "percentile latency (ns)";
    const char *at = strstr(text, key), *end = at ? strstr(at, named) : NULL;
    if (end) {
        const char *behind = strstr(end, value);
        *percent = at + sizeof key - 1;
        *latency_ns = behind ? behind + sizeof value - 1 : end + sizeof named - 1;
    } else if ((end = strstr(text, plain))) {
        *percent = text;
        *latency_ns = end + sizeof plain - 1;
        *latency_ns += strspn(*latency_ns, " \t:");
    } else {
        return false;
    }
    *percent += strspn(*percent, " \t");
    *latency_ns += strspn(*latency_ns, " \t");
    return isdigit(
        (unsigned char)**percent); // else of something else: "result_first_token_99.00..."
}

// A number that ends where something else begins.
static bool number_at(const char *text, double *number)
{
    char *end;
    *number = isdigit((unsigned char)*text) || *text == '-' || *text == '.' ? strtod(text, &end)
                                                                            : (double)NAN;
    return isfinite(*number) && end > text && !isalnum((unsigned char)*end);
}

static int add_loadgen(struct percentiles *to, const char *name, const struct lines *lines,
                       struct err *err)
{
    const char *percent_at, *latency_at;
    double latency_ns;
    if (!loadgen_line(lines->text, &percent_at, &latency_at))
        return 0;
    const struct place at = {name, lines->number, (size_t)(percent_at - lines->text) + 1,
                             (size_t)(latency_at - lines->text) + 1};
    if (!number_at(latency_at, &latency_ns))
        return fail(&at, at.latency, err, "expected a latency in ns, a number");
    return add_row(to, &at, strtod(percent_at, NULL) / 100, latency_ns * NS, err);
}

// The number behind a key of the detail log, or behind its name in the summary.
static void take_number(const char *text, const char *key, const char *name, double *number)
{
    const char *at = strstr(text, key), *value = at ? strstr(at, "\"value\":") : NULL;
    double found;
    if ((value && sscanf(value, "\"value\": %lf", &found) == 1) ||
        (!at && strncmp(text, name, strlen(name)) == 0 &&
         sscanf(text + strlen(name), " : %lf", &found) == 1))
        *number = found > 0 && found < 1e18 ? found : 0;
}

// Is the line of the detail log cut off? Its last number may then lack digits.
static bool is_cut(const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return strncmp(text, ":::MLLOG", 8) == 0 && n < MOST_LINE - 1 && text[n - 1] != '}';
}

static int parse_loadgen(struct percentiles *to, const char *name, struct lines lines,
                         struct err *err)
{
    to->kind = "LoadGen";
    to->has_unit = true;
    double mean_ns = 0;
    while (next_line(&lines)) {
        const struct place end = {name, lines.number, 0, strlen(lines.text) + 1};
        if (is_cut(lines.text))
            return fail(&end, end.latency, err, "the line is cut off: expected its }");
        take_number(lines.text, "\"result_mean_latency_ns\"", "Mean latency (ns)", &mean_ns);
        take_number(lines.text, "\"effective_samples_per_query\"", "samples_per_query",
                    &to->samples);
        if (add_loadgen(to, name, &lines, err) < 0)
            return -1;
    }
    to->mean_s = mean_ns * NS;
    return 0;
}

// ---- CSV

static const struct {
    const char *name;
    double s;
} units[] = {{"ns", NS}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};

static bool begins(const struct csv_field *field, const char *word)
{
    size_t n = strlen(word);
    if (field->n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (tolower((unsigned char)field->text[i]) != word[i])
            return false;
    return true;
}

// The unit at the end of "latency_ms", "latency (us)"; 0: none is said.
static double unit_of(const struct csv_field *field)
{
    size_t end = field->n;
    while (end > 0 && !isalpha((unsigned char)field->text[end - 1]))
        end--;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i].name);
        if (end > n && strncmp(field->text + end - n, units[i].name, n) == 0 &&
            !isalpha((unsigned char)field->text[end - n - 1]))
            return units[i].s;
    }
    return 0;
}

struct columns {
    size_t quantile, latency;
    bool percent;
    double unit_s;
};

static bool find_columns(const struct csv *csv, struct columns *columns)
{
    bool has_quantile = false, has_latency = false;
    for (size_t i = 0; i < csv->n_fields; i++) {
        const struct csv_field *field = &csv->fields[i];
        bool percent = begins(field, "percentile") || begins(field, "percent");
        if (!has_quantile && (percent || begins(field, "quantile") || csv_says(field, "p") ||
                              csv_says(field, "q"))) {
            columns->quantile = i;
            columns->percent = percent && field->n > 0;
            has_quantile = true;
        } else if (!has_latency && (begins(field, "latency") || begins(field, "value"))) {
            columns->latency = i;
            columns->unit_s = unit_of(field);
            has_latency = true;
        }
    }
    return has_quantile && has_latency;
}

// Percent where any is above 1; a file of nothing but p0.5 and p0.9 is taken for fractions.
static int scale_quantiles(struct percentiles *to, const double *quantiles,
                           const struct place *places, const double *latency_s, size_t n,
                           struct err *err)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, quantiles[i]);
    for (size_t i = 0; i < n; i++)
        if (add_row(to, &places[i], most > 1 ? quantiles[i] / 100 : quantiles[i], latency_s[i],
                    err) < 0)
            return -1;
    return 0;
}

static int parse_csv(struct percentiles *to, const char *name, const char *data, size_t size,
                     double unit_s, struct err *err)
{
    struct csv *csv = mem_calloc(1, sizeof *csv);
    struct columns columns = {0};
    double *quantiles = NULL, *latency_s = NULL;
    struct place *places = NULL;
    size_t n = 0;
    int rc = csv_open(csv, name, data, size, CSV_AUTO, err) < 0 ? -1 : csv_next(csv, err);
    if (rc > 0 && !find_columns(csv, &columns))
        rc = err_set(err, ERR_STUDY,
                     "%s: neither results nor measured percentiles: expected an .hgrm, LoadGen's "
                     "log, or columns such as quantile,latency_ms",
                     name);
    to->kind = "CSV";
    to->has_unit = columns.unit_s > 0;
    while (rc > 0 && (rc = csv_next(csv, err)) > 0) {
        double q, latency;
        size_t most = columns.quantile > columns.latency ? columns.quantile : columns.latency;
        if (csv->n_fields <= most) {
            rc = csv_fail(csv, 1, err, "expected a quantile and a latency");
        } else if (!csv_number(&csv->fields[columns.quantile], &q)) {
            rc = csv_fail(csv, csv->fields[columns.quantile].column, err, "expected a quantile");
        } else if (!csv_number(&csv->fields[columns.latency], &latency)) {
            rc = csv_fail(csv, csv->fields[columns.latency].column, err, "expected a latency");
        } else {
            quantiles = mem_realloc(quantiles, n + 1, sizeof *quantiles);
            latency_s = mem_realloc(latency_s, n + 1, sizeof *latency_s);
            places = mem_realloc(places, n + 1, sizeof *places);
            quantiles[n] = q;
            latency_s[n] = latency * (columns.unit_s > 0 ? columns.unit_s : unit_s);
            places[n++] = (struct place){name, csv->line, csv->fields[columns.quantile].column,
                                         csv->fields[columns.latency].column};
        }
    }
    if (rc == 0)
        rc = scale_quantiles(to, quantiles, places, latency_s, n, err);
    mem_free(quantiles);
    mem_free(latency_s);
    mem_free(places);
    mem_free(csv);
    return rc;
}

// ---- all

enum kind { KIND_CSV, KIND_HGRM, KIND_LOADGEN };

// By the first line that says what it is; lines of numbers apart by blanks are hgrm.
static enum kind kind_of(struct lines lines)
{
    double numbers[4];
    size_t columns[5];
    while (next_line(&lines)) {
        const char *percent, *latency_ns;
        if (loadgen_line(lines.text, &percent, &latency_ns) ||
            strstr(lines.text, "MLPerf Results Summary") || strncmp(lines.text, ":::MLLOG", 8) == 0)
            return KIND_LOADGEN;
        bool comma = strpbrk(lines.text, ",;\"") != NULL;
        if (!comma && strstr(lines.text, "Value") && strstr(lines.text, "Percentile") &&
            strstr(lines.text, "TotalCount"))
            return KIND_HGRM;
        if (!comma && numbers_of(lines.text, numbers, columns) >= 3)
            return KIND_HGRM;
        if (!is_blank(lines.text) && lines.text[0] != '#' && strpbrk(lines.text, ",;\t"))
            return KIND_CSV;
    }
    return KIND_CSV;
}

int percentiles_parse(struct percentiles *to, const char *name, const char *data, size_t n,
                      double unit_s, struct err *err)
{
    const struct lines lines = {.at = data, .end = data + n};
    int rc;
    *to = (struct percentiles){.kind = "CSV"};
    switch (kind_of(lines)) {
    case KIND_HGRM:
        rc = parse_hgrm(to, name, lines, unit_s, err);
        break;
    case KIND_LOADGEN:
        rc = parse_loadgen(to, name, lines, err);
        break;
    default:
        rc = parse_csv(to, name, data, n, unit_s, err);
    }
    if (rc == 0 && to->n == 0)
        rc = err_set(err, ERR_STUDY, "%s: there is no percentile in it", name);
    if (rc < 0)
        percentiles_release(to);
    return rc;
}

int percentiles_read(struct percentiles *to, const char *path, double unit_s, struct err *err)
{
    char *data;
    size_t n;
    *to = (struct percentiles){.n = 0};
    if (csv_read_file(path, &data, &n, err) < 0)
        return -1;
    int rc = percentiles_parse(to, path, data, n, unit_s, err);
    mem_free(data);
    return rc;
}

void percentiles_release(struct percentiles *p)
{
    mem_free(p->quantile);
    mem_free(p->latency_s);
    *p = (struct percentiles){.n = 0};
}
