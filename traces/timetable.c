// SPDX-License-Identifier: Apache-2.0
#include "traces/timetable.h"

#include <string.h>

#include "base/simtime.h"

const char *const timetable_unit_names[] = {"auto", "s", "ms", "us", "ns", "timestamp", NULL};
const char *const timetable_header_names[] = {"auto", "yes", "no", NULL};

// ---- times

// Days from 1970-01-01 to the first of March of `year`, Gregorian, year >= 1970.
static int64_t days_to_march(int64_t year)
{
    return year * 365 + year / 4 - year / 100 + year / 400 - 719468;
}

// Digits text[at .. at + n) as a number, or -1.
static int64_t digits(const char *text, size_t at, size_t n)
{
    int64_t value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool in_range(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

// "YYYY-MM-DD" or "YYYY/MM/DD" to seconds since 1970.
static int parse_date(const char *text, int64_t *s)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if ((text[4] != '-' && text[4] != '/') || text[7] != text[4] || !in_range(year, 1970, 2200) ||
        !in_range(month, 1, 12))
        return -1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (!in_range(day, 1, month_days[month - 1]) || (month == 2 && day == 29 && !leap))
        return -1;
    // Months counted from March make the leap day the last of the year.
    int64_t from_march = (month + 9) % 12;
    int64_t days =
        days_to_march(month < 3 ? year - 1 : year) + (from_march * 153 + 2) / 5 + day - 1;
    *s = days * 86400;
    return 0;
}

// "", "Z", "UTC", "+HH:MM", "+HHMM" or "+HH", behind a blank or not, to seconds.
static int parse_zone(const char *text, size_t n, int64_t *s)
{
    *s = 0;
    while (n > 0 && *text == ' ')
        text++, n--;
    if (n == 0 || (n == 1 && (*text == 'Z' || *text == 'z')) ||
        (n == 3 && memcmp(text, "UTC", 3) == 0))
        return 0;
    bool colon = n == 6 && text[3] == ':';
    if ((text[0] != '+' && text[0] != '-') || (n != 3 && n != 5 && !colon))
        return -1;
    int64_t hours = digits(text, 1, 2), minutes = n == 3 ? 0 : digits(text, colon ? 4 : 3, 2);
    if (!in_range(hours, 0, 23) || !in_range(minutes, 0, 59))
        return -1;
    *s = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return 0;
}

// ".123" at text[*at .. n) to ns; *at moves behind it. Digits beyond the ninth are dropped.
static int parse_fraction(const char *text, size_t n, size_t *at, int64_t *ns)
{
    int64_t unit_ns = SIMTIME_S;
    size_t first = ++*at;
    for (*ns = 0; *at < n && text[*at] >= '0' && text[*at] <= '9'; ++*at) {
        unit_ns /= 10;
        *ns += (text[*at] - '0') * unit_ns;
    }
    return *at == first ? -1 : 0;
}

// "YYYY-MM-DD HH:MM[:SS[.f]][zone]", blank or T in the middle, to ns since 1970.
static int parse_stamp(const char *text, size_t n, int64_t *ns)
{
    int64_t date_s, zone_s, fraction_ns = 0, second = 0;
    if (n < 16 || parse_date(text, &date_s) || !strchr(" Tt", text[10]) || text[13] != ':')
        return -1;
    int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2);
    size_t at = 16;
    if (at < n && text[at] == ':') {
        second = n < 19 ? -1 : digits(text, 17, 2);
        at = 19;
    }
    if (!in_range(hour, 0, 23) || !in_range(minute, 0, 59) || !in_range(second, 0, 60))
        return -1;
    if (at == 19 && at < n && text[at] == '.' && parse_fraction(text, n, &at, &fraction_ns))
        return -1;
    if (parse_zone(text + at, n - at, &zone_s))
        return -1;
    *ns = (date_s + hour * 3600 + minute * 60 + second - zone_s) * SIMTIME_S + fraction_ns;
    return *ns < 0 ? -1 : 0;
}

// What the first time says of all. Seconds of the next centuries have at most ten digits before the
// point; with more, a number is a time since 1970 in a smaller unit.
static int guess_unit(const struct csv_field *field, int named_unit)
{
    static const int64_t ends[] = {10000000000, 100000000000000, 100000000000000000};
    int64_t whole;
    if (field->n > 4 && strchr("-/", field->text[4]) && digits(field->text, 0, 4) >= 0)
        return TIMETABLE_STAMP;
    if (named_unit != TIMETABLE_AUTO)
        return named_unit;
    if (csv_decimal(field->text, field->n, 0, &whole))
        return TIMETABLE_S;
    int unit = TIMETABLE_S;
    while (unit < TIMETABLE_NS && whole >= ends[unit - TIMETABLE_S])
        unit++;
    return unit;
}

int timetable_time(struct timetable *table, size_t at, int64_t *ns, struct err *err)
{
    static const int powers[] = {9, 9, 6, 3, 0};
    const struct csv_field *field = &table->csv.fields[at];
    char shown[CSV_SHOW_MAX];
    if (table->time_unit == TIMETABLE_AUTO)
        table->time_unit = guess_unit(field, table->named_unit);
    bool stamp = table->time_unit == TIMETABLE_STAMP;
    if ((stamp ? parse_stamp(field->text, field->n, ns)
               : csv_decimal(field->text, field->n, powers[table->time_unit], ns)) == 0)
        return 0;
    return csv_fail(&table->csv, field->column, err, "expected %s, got %s",
                    stamp ? "a timestamp such as \"2023-11-16 18:17:03.98\""
                          : "a time such as \"12.5\"",
                    csv_show(field, shown));
}

// ---- columns

// What columns are called, in small letters, by what they hold; the first of each is its example.
static const struct {
    const char *word;
    int kinds;
} words[] = {
    {"time", TIMETABLE_TIME},
    {"timestamp", TIMETABLE_TIME},
    {"datetime", TIMETABLE_TIME},
    {"date", TIMETABLE_TIME},
    {"ts", TIMETABLE_TIME},
    {"arrive", TIMETABLE_TIME},
    {"arrival", TIMETABLE_TIME},
    {"arrival_time", TIMETABLE_TIME},
    {"start_time", TIMETABLE_TIME},
    {"end_time", TIMETABLE_TIME},
    {"items", TIMETABLE_ITEMS},
    {"item_count", TIMETABLE_ITEMS},
    {"n_items", TIMETABLE_ITEMS},
    {"num_items", TIMETABLE_ITEMS},
    {"candidates", TIMETABLE_ITEMS},
    {"size", TIMETABLE_ITEMS},
    {"sizes", TIMETABLE_ITEMS},
    {"size_items", TIMETABLE_ITEMS},
    {"weight", TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"weights", TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"probability", TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"frequency", TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"share", TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"duration", TIMETABLE_DURATION},
    {"latency", TIMETABLE_DURATION},
    {"response_time", TIMETABLE_DURATION},
    {"elapsed", TIMETABLE_DURATION},
    {"count", TIMETABLE_COUNT | TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"counts", TIMETABLE_COUNT | TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"queries", TIMETABLE_COUNT | TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"requests", TIMETABLE_COUNT | TIMETABLE_WEIGHT | TIMETABLE_RATE},
    {"rate", TIMETABLE_RATE},
    {"qps", TIMETABLE_RATE},
    {"rps", TIMETABLE_RATE},
    {"rate_qps", TIMETABLE_RATE},
};
#define N_WORDS (sizeof words / sizeof *words)

static int kinds_of_word(const char *word)
{
    for (size_t i = 0; i < N_WORDS; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].kinds;
    return 0;
}

int timetable_kinds(const struct csv_field *name, int *unit)
{
    char word[32];
    size_t n = 0;
    *unit = TIMETABLE_AUTO;
    for (size_t i = 0; i < name->n && n < sizeof word - 1; i++) {
        char c = name->text[i];
        if (!strchr(")]", c)) // "Time (ms)" is "time_ms"
            word[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : strchr(" ([", c) ? '_' : c);
        n -= n >= 2 && word[n - 1] == '_' && word[n - 2] == '_';
    }
    word[n] = '\0';
    int kinds = kinds_of_word(word);
    char *last = strrchr(word, '_');
    for (int k = TIMETABLE_S; last && !kinds && k <= TIMETABLE_NS; k++)
        if (strcmp(last + 1, timetable_unit_names[k]) == 0) {
            *last = '\0';
            kinds = kinds_of_word(word) & (TIMETABLE_TIME | TIMETABLE_DURATION);
            *unit = kinds ? k : TIMETABLE_AUTO;
            break;
        }
    return kinds;
}

int timetable_open(struct timetable *table, const char *name, const char *data, size_t n,
                   int separator, struct err *err)
{
    *table = (struct timetable){.time_unit = TIMETABLE_AUTO};
    if (csv_open(&table->csv, name, data, n, (enum csv_separator)separator, err))
        return -1;
    int rc = csv_next(&table->csv, err);
    if (rc == 0)
        return csv_fail(&table->csv, 1, err, "no records: the file has blank lines only");
    table->n_fields = table->csv.n_fields;
    return rc < 0 ? -1 : 0;
}

// The number that the text is, from 1; 0: it is a name.
static size_t number_of(const char *text)
{
    size_t number = 0;
    for (; *text >= '0' && *text <= '9' && number < 100000; text++)
        number = number * 10 + (size_t)(*text - '0');
    return *text ? 0 : number;
}

// Has nobody said which column?
static bool is_auto(const struct timetable_column *column)
{
    return column->place > 0 && strcmp(column->wanted, "auto") == 0;
}

static size_t number_wanted(const struct timetable_column *column)
{
    return is_auto(column) ? column->place : number_of(column->wanted);
}

// Where the header has that name; n_fields: nowhere.
static size_t named_at(const struct csv *csv, const char *name)
{
    size_t at = 0;
    while (at < csv->n_fields && !csv_equals(&csv->fields[at], name))
        at++;
    return at;
}

int timetable_alone(const struct timetable *table, const char *key, size_t at, struct err *err)
{
    const struct csv *csv = &table->csv;
    const struct csv_field *name = &csv->fields[at];
    char shown[CSV_SHOW_MAX];
    for (size_t i = 0; table->has_header && i < csv->n_fields; i++)
        if (i != at && csv->fields[i].n == name->n &&
            memcmp(csv->fields[i].text, name->text, name->n) == 0) {
            size_t second = i > at ? i : at, first = i > at ? at : i;
            return csv_fail(csv, csv->fields[second].column, err,
                            "%s: columns %zu and %zu are both named %s: rename one", key, first + 1,
                            second + 1, csv_show(name, shown));
        }
    return 0;
}

static int refuse_missing(const struct timetable *table, const struct timetable_column *column,
                          struct err *err)
{
    const struct csv *csv = &table->csv;
    char first[CSV_SHOW_MAX];
    if (number_wanted(column))
        return csv_fail(csv, 1, err, "%s: no column %zu: this line has %zu field%s", column->key,
                        number_wanted(column), csv->n_fields, csv->n_fields == 1 ? "" : "s");
    if (!table->has_header)
        return csv_fail(csv, 1, err, "%s: no column \"%s\": the file has no header", column->key,
                        column->wanted);
    return csv_fail(csv, 1, err,
                    "%s: no column \"%s\" among the %zu of the header, which begins %s",
                    column->key, column->wanted, csv->n_fields, csv_show(&csv->fields[0], first));
}

// A number means the place. Where a header has it as the name of another column, it might mean
// either.
static int find(const struct timetable *table, struct timetable_column *column, struct err *err)
{
    const struct csv *csv = &table->csv;
    size_t number = number_wanted(column);
    size_t named =
        table->has_header && !is_auto(column) ? named_at(csv, column->wanted) : csv->n_fields;
    bool placed = number >= 1 && number <= csv->n_fields;
    if (!placed && named == csv->n_fields)
        return refuse_missing(table, column, err);
    if (placed && named < csv->n_fields && named != number - 1)
        return csv_fail(csv, csv->fields[named].column, err,
                        "%s: column %zu is named \"%s\", which is the number of another: say %zu, "
                        "or rename it",
                        column->key, named + 1, column->wanted, named + 1);
    column->at = placed ? number - 1 : named;
    return placed ? 0 : timetable_alone(table, column->key, column->at, err);
}

// Has another column been given that place by its setting?
static bool is_taken(const struct timetable_column *columns, size_t n, size_t at)
{
    for (size_t i = 0; i < n; i++)
        if (!is_auto(&columns[i]) && columns[i].at == at)
            return true;
    return false;
}

static const char *example_of(int kind)
{
    size_t i = 0;
    while (i < N_WORDS - 1 && !(words[i].kinds & kind))
        i++;
    return words[i].word;
}

// A column that nobody has chosen, in a file with a header.
static int find_named(const struct timetable *table, const struct timetable_column *columns,
                      size_t n, struct timetable_column *column, struct err *err)
{
    const struct csv *csv = &table->csv;
    size_t place = column->place - 1, at = csv->n_fields;
    char shown[CSV_SHOW_MAX], other[CSV_SHOW_MAX];
    int unit;
    bool taken = is_taken(columns, n, place);
    if (place < csv->n_fields && !taken &&
        timetable_kinds(&csv->fields[place], &unit) & column->kind)
        at = place;
    for (size_t i = 0; at != place && i < csv->n_fields; i++) {
        if (!(timetable_kinds(&csv->fields[i], &unit) & column->kind) || is_taken(columns, n, i))
            continue;
        if (at < csv->n_fields)
            return csv_fail(csv, csv->fields[i].column, err, "%s: it might be %s or %s: say which",
                            column->key, csv_show(&csv->fields[at], other),
                            csv_show(&csv->fields[i], shown));
        at = i;
    }
    column->at = at;
    if (at < csv->n_fields)
        return timetable_alone(table, column->key, at, err);
    if (place >= csv->n_fields)
        return refuse_missing(table, column, err);
    column->at = place;
    if (!taken && timetable_kinds(&csv->fields[place], &unit))
        return csv_fail(csv, csv->fields[place].column, err,
                        "%s: column %zu is named %s, which is something else; expected one named "
                        "\"%s\"",
                        column->key, place + 1, csv_show(&csv->fields[place], shown),
                        example_of(column->kind));
    return 0;
}

int timetable_columns(struct timetable *table, int header, struct timetable_column *columns,
                      size_t n, struct err *err)
{
    size_t at[8];
    bool named = false;
    for (size_t i = 0; i < n; i++) {
        size_t number = number_wanted(&columns[i]);
        named = named || !number ||
                (number > table->n_fields && // such as "2023"
                 named_at(&table->csv, columns[i].wanted) < table->n_fields);
        at[i] = number - 1; // of no column, where it is a name
    }
    table->has_header =
        header == TIMETABLE_HEADER_YES ||
        (header == TIMETABLE_HEADER_AUTO && (named || csv_is_header(&table->csv, at, n)));
    table->is_first = !table->has_header;
    for (size_t i = 0; i < n; i++)
        if ((!is_auto(&columns[i]) || !table->has_header) && find(table, &columns[i], err))
            return -1;
    for (size_t i = 0; table->has_header && i < n; i++) {
        if (is_auto(&columns[i]) && find_named(table, columns, n, &columns[i], err))
            return -1;
        timetable_kinds(&table->csv.fields[columns[i].at], &columns[i].unit);
        if (columns[i].kind == TIMETABLE_TIME)
            table->named_unit = columns[i].unit;
    }
    return 0;
}

int timetable_next(struct timetable *table, struct err *err)
{
    struct csv *csv = &table->csv;
    int rc = table->is_first ? 1 : csv_next(csv, err);
    table->is_first = false;
    if (rc <= 0 || csv->n_fields == table->n_fields)
        return rc;
    return csv_fail(csv, csv->fields[csv->n_fields - 1].column, err,
                    "expected %zu field%s as in the first line, got %zu%s", table->n_fields,
                    table->n_fields == 1 ? "" : "s", csv->n_fields,
                    csv->cut ? " (the file ends inside this line)" : "");
}
