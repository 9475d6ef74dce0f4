// SPDX-License-Identifier: Apache-2.0
#include "traces/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#define ZLIB_CONST // inflate() writes nothing to its input
#include <zlib.h>

#include "base/mem.h"

const char *const csv_separator_names[] = {"auto", "comma", "semicolon", "tab", NULL};

int csv_fail(const struct csv *csv, size_t column, struct err *err, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(err, ERR_STUDY, "%s:%llu:%zu: %s", csv->name, (unsigned long long)csv->line,
                   column, text);
}

const char *csv_show(const struct csv_field *field, char buf[CSV_SHOW_MAX])
{
    size_t room = CSV_SHOW_MAX - 6; // quotes, three dots, NUL
    size_t n = field->n < room ? field->n : room;
    char *out = buf;
    *out++ = '"';
    for (size_t i = 0; i < n; i++) {
        char c = field->text[i];
        *out++ = c >= ' ' && c <= '~' ? c : '?';
    }
    memcpy(out, n < field->n ? "...\"" : "\"", n < field->n ? 5 : 2);
    return buf;
}

bool csv_equals(const struct csv_field *field, const char *text)
{
    size_t k = 0;
    for (size_t i = 0; i < field->n; i++, k++) {
        if (text[k] != field->text[i])
            return false;
        if (text[k] == '"' && i + 1 < field->n && field->text[i + 1] == '"')
            i++;
    }
    return text[k] == '\0';
}

bool csv_says(const struct csv_field *field, const char *text)
{
    return strlen(text) == field->n && strncasecmp(field->text, text, field->n) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\r' || c == '\t';
}

// Drops blanks around line[*from .. *to).
static void trim(const char *line, size_t *from, size_t *to)
{
    while (*from < *to && is_blank(line[*from]))
        ++*from;
    while (*to > *from && is_blank(line[*to - 1]))
        --*to;
}

static size_t line_length(const char *data, size_t n)
{
    const char *end = memchr(data, '\n', n);
    return end ? (size_t)(end - data) : n;
}

static bool has_content(const char *line, size_t n)
{
    size_t from = 0;
    trim(line, &from, &n);
    return from < n && line[from] != '#';
}

// The separator that a line holds: a tab before a semicolon before a comma. In quotes it is none,
// where they are in pairs.
static char separator_of(const char *line, size_t n)
{
    bool open = false, tab[2] = {false, false}, semicolon[2] = {false, false};
    for (size_t i = 0; i < n; i++) {
        open ^= line[i] == '"';
        tab[open] |= line[i] == '\t';
        semicolon[open] |= line[i] == ';';
    }
    return tab[0] || (open && tab[1]) ? '\t' : semicolon[0] || (open && semicolon[1]) ? ';' : ',';
}

// That of the first line with content.
static char find_separator(const char *data, size_t n)
{
    size_t length = line_length(data, n);
    while (length < n && !has_content(data, length)) {
        data += length + 1;
        n -= length + 1;
        length = line_length(data, n);
    }
    return separator_of(data, length);
}

// "sep=;", the line in front of a table that tells Excel its separator, which goes to *separator;
// it is then left behind.
static int read_separator(struct csv *csv, char *separator, struct err *err)
{
    const char *line = csv->data + csv->pos;
    size_t length = line_length(line, csv->n - csv->pos), from = 0, to = length;
    while (to > from && strchr("\r\"", line[to - 1]))
        to--;
    from = to > 0 && line[0] == '"';
    if (to - from != 5 || strncasecmp(line + from, "sep=", 4) != 0)
        return 0;
    if (!strchr(",;\t", line[to - 1]))
        return csv_fail(csv, to, err, "expected a comma, a semicolon or a tab behind sep=");
    *separator = line[to - 1];
    csv->pos += length + (csv->pos + length < csv->n);
    return 1;
}

int csv_open(struct csv *csv, const char *name, const char *data, size_t n,
             enum csv_separator separator, struct err *err)
{
    static const char separators[] = {0, ',', ';', '\t'};
    memset(csv, 0, sizeof *csv);
    *csv = (struct csv){.name = name, .data = data, .n = n, .line = 1};
    if (n == 0)
        return csv_fail(csv, 1, err, "the file is empty");
    if (n >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0))
        return csv_fail(csv, 1, err, "expected text in ASCII or UTF-8, got UTF-16");
    const char *nul = memchr(data, 0, n);
    if (nul) {
        size_t line_start = 0, at = (size_t)(nul - data);
        for (size_t i = 0; i < at; i++) {
            if (data[i] == '\n') {
                csv->line++;
                line_start = i + 1;
            }
        }
        return csv_fail(csv, at - line_start + 1, err, "expected text, got a NUL byte");
    }
    const char *cr = memchr(data, '\n', n) ? NULL : memchr(data, '\r', n);
    if (cr && cr + 1 < data + n)
        return csv_fail(csv, (size_t)(cr - data) + 1, err,
                        "expected lines that end in LF or CR LF, got CR alone");
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        csv->pos = 3;
    int said = read_separator(csv, &csv->separator, err);
    csv->line = said > 0;
    if (separator != CSV_AUTO)
        csv->separator = separators[separator];
    else if (said == 0)
        csv->separator = find_separator(data + csv->pos, n - csv->pos);
    return said < 0 ? -1 : 0;
}

// The quote that closes a field which begins at text[0], behind its own quote; two quotes in a row
// stand for one inside it. NULL: there is none.
static const char *closing_quote(const char *text, size_t n)
{
    const char *quote = memchr(text, '"', n);
    while (quote && quote + 1 < text + n && quote[1] == '"')
        quote = memchr(quote + 2, '"', n - (size_t)(quote + 2 - text));
    return quote;
}

// One field from line[at .. n): where it ends (its separator, or n), or n + 1 for an open quote.
static size_t split_one(const struct csv *csv, const char *line, size_t n, size_t at,
                        struct csv_field *field)
{
    size_t from = at, end;
    while (from < n && line[from] == ' ')
        from++;
    bool quoted = from < n && line[from] == '"';
    const char *stop = quoted ? closing_quote(line + from + 1, n - from - 1) : NULL;
    if (quoted && !stop)
        return n + 1;
    size_t search = quoted ? (size_t)(stop - line) + 1 : at;
    const char *found = memchr(line + search, csv->separator, n - search);
    end = found ? (size_t)(found - line) : n;
    size_t to = quoted ? (size_t)(stop - line) : end;
    if (quoted)
        from++;
    else
        trim(line, &from, &to);
    *field = (struct csv_field){line + from, to - from, from + 1};
    return end;
}

static int split(struct csv *csv, const char *line, size_t n, struct err *err)
{
    csv->n_fields = 0;
    for (size_t at = 0; at <= n; at++) {
        if (csv->n_fields == CSV_MAX_FIELDS)
            return csv_fail(csv, at + 1, err, "expected at most %d fields", CSV_MAX_FIELDS);
        size_t end = split_one(csv, line, n, at, &csv->fields[csv->n_fields]);
        if (end > n)
            return csv_fail(csv, at + 1, err, "expected a closing quote on the same line");
        csv->n_fields++;
        at = end;
    }
    return 0;
}

int csv_next(struct csv *csv, struct err *err)
{
    while (csv->pos < csv->n) {
        const char *line = csv->data + csv->pos;
        size_t n = line_length(line, csv->n - csv->pos);
        csv->cut = csv->pos + n == csv->n;
        csv->pos += n + !csv->cut;
        csv->line++;
        if (n > CSV_MAX_LINE_BYTES)
            return csv_fail(csv, 1, err, "expected lines of at most %d bytes, got %zu",
                            CSV_MAX_LINE_BYTES, n);
        if (!has_content(line, n))
            continue;
        if (n > 0 && line[n - 1] == '\r')
            n--;
        return split(csv, line, n, err) ? -1 : 1;
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// "e+12" at text[at .. n): the exponent, limited to +-1000; -1 if it is malformed.
static int parse_exponent(const char *text, size_t n, size_t at, int *exponent)
{
    int value = 0, sign = 1;
    at++;
    if (at < n && (text[at] == '+' || text[at] == '-'))
        sign = text[at++] == '-' ? -1 : 1;
    if (at == n)
        return -1;
    for (; at < n; at++) {
        if (!is_digit(text[at]))
            return -1;
        value = value < 1000 ? value * 10 + (text[at] - '0') : value;
    }
    *exponent = sign * value;
    return 0;
}

// mantissa * 10^power to the nearest integer, halves up.
static int scale(uint64_t mantissa, int power, int64_t *value)
{
    for (; power > 0 && mantissa > 0; power--)
        if (__builtin_mul_overflow(mantissa, UINT64_C(10), &mantissa))
            return -1;
    uint64_t divisor = 1;
    for (; power < 0 && mantissa / divisor > 0; power++) {
        if (divisor > UINT64_MAX / 20)
            mantissa /= 10; // far below what the rounding could see
        else
            divisor *= 10;
    }
    if (power < 0)
        mantissa = 0;
    uint64_t whole = mantissa / divisor, rest = mantissa % divisor;
    whole += divisor > 1 && rest >= divisor - rest;
    if (whole > INT64_MAX)
        return -1;
    *value = (int64_t)whole;
    return 0;
}

// A number before it is scaled: mantissa * 10^power.
struct decimal {
    uint64_t mantissa;
    int power;
    size_t n_digits, n_commas;
};

static void add_digit(struct decimal *d, char digit, bool point)
{
    d->n_digits++;
    // 19 digits fit; more are dropped behind the point and counted in front of it.
    if (d->mantissa <= (UINT64_MAX - 9) / 10) {
        d->mantissa = d->mantissa * 10 + (uint64_t)(digit - '0');
        d->power -= point;
    } else {
        d->power += !point;
    }
}

// A comma at text[at]: does it stand before three digits and no more, the first behind one to
// three?
static bool groups_digits(const char *text, size_t n, size_t at, const struct decimal *d)
{
    if (d->n_commas == 0 && (at < 1 || at > 3 || text[0] == '0'))
        return false;
    for (size_t i = at + 1; i <= at + 3; i++)
        if (i >= n || !is_digit(text[i]))
            return false;
    return at + 4 == n || !is_digit(text[at + 4]);
}

// The whole text as a number >= 0; -1 if it is none.
static int scan(const char *text, size_t n, struct decimal *d)
{
    bool point = false;
    size_t at = 0;
    *d = (struct decimal){0};
    for (; at < n; at++) {
        if (is_digit(text[at]))
            add_digit(d, text[at], point);
        else if (text[at] == '.' && !point)
            point = true;
        else if (text[at] == ',' && !point && groups_digits(text, n, at, d))
            d->n_commas++;
        else
            break;
    }
    if (d->n_digits == 0)
        return -1;
    if (at < n) {
        int exponent;
        if ((text[at] != 'e' && text[at] != 'E') || parse_exponent(text, n, at, &exponent))
            return -1;
        d->power += exponent;
    }
    return 0;
}

int csv_decimal(const char *text, size_t n, int power, int64_t *value)
{
    struct decimal d;
    if (scan(text, n, &d))
        return -1;
    return scale(d.mantissa, d.power + power, value);
}

bool csv_number(const struct csv_field *field, double *value)
{
    char plain[CSV_SHOW_MAX * 2];
    struct decimal d;
    size_t sign = field->n > 0 && (field->text[0] == '-' || field->text[0] == '+'), length = 0;
    if (field->n >= sizeof plain || scan(field->text + sign, field->n - sign, &d))
        return false;
    for (size_t i = 0; i < field->n; i++)
        if (field->text[i] != ',')
            plain[length++] = field->text[i];
    plain[length] = '\0';
    *value = strtod(plain, NULL);
    return true;
}

static bool is_among(const struct csv_field *field, const char *const *words)
{
    for (; *words; words++)
        if (csv_says(field, *words))
            return true;
    return false;
}

bool csv_is_missing(const struct csv_field *field)
{
    static const char *const words[] = {"", "null", "none", "nan", "na", "n/a", "-", NULL};
    return is_among(field, words);
}

bool csv_is_name(const struct csv_field *field)
{
    static const char *const infinite[] = {"inf", "infinity", NULL};
    return !csv_is_missing(field) && !is_among(field, infinite) && !is_digit(field->text[0]) &&
           !strchr("+-.", field->text[0]);
}

// A number that is more than digits, or a date.
static bool is_data(const struct csv_field *field)
{
    double value;
    size_t n_digits = 0;
    while (n_digits < field->n && is_digit(field->text[n_digits]))
        n_digits++;
    bool dated = n_digits == 4 && field->n >= 10 && field->text[4] == field->text[7] &&
                 strchr("-/", field->text[4]);
    return dated || (n_digits < field->n && csv_number(field, &value));
}

bool csv_is_header(const struct csv *csv, const size_t *at, size_t n)
{
    bool named = false;
    for (size_t i = 0; i < n; i++) {
        if (at[i] >= csv->n_fields)
            continue;
        if (is_data(&csv->fields[at[i]]))
            return false;
        named = named || csv_is_name(&csv->fields[at[i]]);
    }
    return named;
}

// Most bytes that a compressed file may become: a small one may hold a great many.
#define MOST_BYTES (SIZE_MAX / 2 < UINT64_C(16) << 30 ? SIZE_MAX / 2 : (size_t)(UINT64_C(16) << 30))

#define CHUNK ((size_t)1 << 30) // zlib counts in 32 bits

// One step of unpacking: what is at packed[*at .. n_packed) to bytes[*size .. cap). What inflate()
// says of it.
static int inflate_some(z_stream *z, const char *packed, size_t n_packed, size_t *at, char *bytes,
                        size_t cap, size_t *size)
{
    size_t in = n_packed - *at < CHUNK ? n_packed - *at : CHUNK;
    size_t out = cap - *size < CHUNK ? cap - *size : CHUNK;
    z->next_in = (const Bytef *)packed + *at;
    z->avail_in = (uInt)in;
    z->next_out = (Bytef *)bytes + *size;
    z->avail_out = (uInt)out;
    int rc = inflate(z, Z_NO_FLUSH);
    *at += in - z->avail_in;
    *size += out - z->avail_out;
    return rc;
}

static bool is_gzip(const char *bytes, size_t n)
{
    return n >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

// What gzip has packed, in one piece or several; NULL and a reason if it cannot be. Zeros behind
// it fill a block of a tape and mean nothing.
static char *unpack(const char *packed, size_t n_packed, size_t *n, const char **wrong)
{
    size_t cap = 1 << 16, at = 0;
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 16) != Z_OK) { // 16: gzip
        *wrong = "cannot be decompressed";
        return NULL;
    }
    char *bytes = mem_alloc(cap + 1);
    *wrong = NULL;
    for (*n = 0; !*wrong;) {
        int rc = inflate_some(&z, packed, n_packed, &at, bytes, cap, n);
        if (rc == Z_STREAM_END && !is_gzip(packed + at, n_packed - at))
            break;
        if (rc == Z_STREAM_END)
            rc = inflateReset(&z);
        if (rc != Z_OK && (rc != Z_BUF_ERROR || *n < cap))
            *wrong = "compressed by gzip, and damaged or cut off";
        else if (*n == cap && cap >= MOST_BYTES)
            *wrong = "expected at most 16 GiB when it is no longer compressed";
        else if (*n == cap)
            bytes = mem_realloc(bytes, (cap *= 2) + 1, 1);
    }
    inflateEnd(&z);
    while (at < n_packed && packed[at] == 0)
        at++;
    if (!*wrong && at < n_packed)
        *wrong = "compressed by gzip, with something else behind it";
    if (*wrong) {
        mem_free(bytes);
        return NULL;
    }
    return bytes;
}

// A file compressed by gzip, as it was. Releases what was packed.
static int read_gzip(const char *path, char *packed, size_t n_packed, char **data, size_t *n,
                     struct err *err)
{
    const char *wrong;
    char *bytes = unpack(packed, n_packed, n, &wrong);
    mem_free(packed);
    if (!bytes)
        return err_set(err, ERR_STUDY, "%s: %s", path, wrong);
    bytes[*n] = 0;
    *data = bytes;
    return 0;
}

// A pipe would make open() wait for somebody who writes.
int csv_read_file(const char *path, char **data, size_t *n, struct err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_STUDY, "%s: %s", path, strerror(errno));
    FILE *file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? fdopen(fd, "rb") : NULL;
    if (!file) {
        close(fd);
        return err_set(err, ERR_STUDY, "%s: expected a regular file", path);
    }
    size_t size = (size_t)info.st_size;
    char *bytes = mem_alloc(size + 1);
    size_t got = fread(bytes, 1, size, file);
    int failed = ferror(file);
    fclose(file);
    if (failed || got != size) {
        mem_free(bytes);
        return err_set(err, ERR_FAIL, "%s: read %zu of %zu bytes", path, got, size);
    }
    if (is_gzip(bytes, size))
        return read_gzip(path, bytes, size, data, n, err);
    bytes[size] = 0;
    *data = bytes;
    *n = size;
    return 0;
}
