// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/simtime.h"

// A suffix is worth mult * 10^exp10: powers of ten stay in the decimal exponent, so that "25ms" is
// the double nearest to 0.025 and not the product of two rounded numbers.
struct suffix {
    const char *text;
    int mult; // 1 for decimal suffixes
    int exp10;
};

#define N_SUFFIXES 12

struct unit_desc {
    const char *expected, *symbol;
    bool bare;                          // a number without suffix is accepted
    struct suffix suffixes[N_SUFFIXES]; // largest last; the first is used to write a value
};

static const struct unit_desc unit_descs[N_UNITS] = {
    [UNIT_NONE] = {"a number", "1", true, {{"", 1, 0}}},
    [UNIT_TIME] = {"a time such as \"25ms\"",
                   "s",
                   false,
                   {{"s", 1, 0},
                    {"ns", 1, -9},
                    {"us", 1, -6},
                    {"ms", 1, -3},
                    {"min", 60, 0},
                    {"h", 3600, 0},
                    {"d", 86400, 0}}},
    [UNIT_RATE] = {"a rate such as \"12000qps\"",
                   "1/s",
                   false,
                   {{"qps", 1, 0}, {"/s", 1, 0}, {"kqps", 1, 3}, {"Mqps", 1, 6}}},
    [UNIT_ITEMS] = {"a number of items such as \"64\"",
                    "items",
                    true,
                    {{"", 1, 0}, {"items", 1, 0}}},
    [UNIT_FRAC] = {"a fraction such as \"0.25\" or \"25%\"", "1", true, {{"", 1, 0}, {"%", 1, -2}}},
    [UNIT_POWER] = {"a power such as \"350W\"",
                    "W",
                    false,
                    {{"W", 1, 0}, {"mW", 1, -3}, {"kW", 1, 3}, {"MW", 1, 6}}},
    [UNIT_ENERGY] = {"an energy such as \"12kJ\"",
                     "J",
                     false,
                     {{"J", 1, 0},
                      {"mJ", 1, -3},
                      {"kJ", 1, 3},
                      {"MJ", 1, 6},
                      {"Wh", 3600, 0},
                      {"kWh", 3600, 3}}},
    [UNIT_BYTES] = {"a size such as \"64MB\"",
                    "B",
                    false,
                    {{"B", 1, 0},
                     {"kB", 1, 3},
                     {"MB", 1, 6},
                     {"GB", 1, 9},
                     {"TB", 1, 12},
                     {"KiB", 1 << 10, 0},
                     {"MiB", 1 << 20, 0},
                     {"GiB", 1 << 30, 0}}},
    [UNIT_BW] = {"a bandwidth such as \"12GB/s\"",
                 "B/s",
                 false,
                 {{"B/s", 1, 0}, {"kB/s", 1, 3}, {"MB/s", 1, 6}, {"GB/s", 1, 9}, {"TB/s", 1, 12}}},
    [UNIT_FLOPS] = {"a speed such as \"1.5TFLOP/s\"",
                    "FLOP/s",
                    false,
                    {{"FLOP/s", 1, 0},
                     {"kFLOP/s", 1, 3},
                     {"MFLOP/s", 1, 6},
                     {"GFLOP/s", 1, 9},
                     {"TFLOP/s", 1, 12},
                     {"PFLOP/s", 1, 15}}},
    [UNIT_FLOP] =
        {"a work such as \"4.1MFLOP\"",
         "FLOP",
         false,
         {{"FLOP", 1, 0}, {"kFLOP", 1, 3}, {"MFLOP", 1, 6}, {"GFLOP", 1, 9}, {"TFLOP", 1, 12}}},
    [UNIT_HZ] = {"a frequency such as \"2.4GHz\"",
                 "Hz",
                 false,
                 {{"Hz", 1, 0}, {"kHz", 1, 3}, {"MHz", 1, 6}, {"GHz", 1, 9}}},
    // The second spelling is for keys: "price_usd_per_h: 0.43".
    [UNIT_PRICE] = {"a price such as \"0.43usd/h\"",
                    "usd/h",
                    false,
                    {{"usd/h", 1, 0}, {"usd_per_h", 1, 0}}},
    [UNIT_CARBON] = {"a carbon intensity such as \"420g/kWh\"",
                     "g/kWh",
                     false,
                     {{"g/kWh", 1, 0}, {"g_per_kwh", 1, 0}}},
    [UNIT_MASS] = {"a mass such as \"350kg\"", "kg", false, {{"kg", 1, 0}, {"t", 1, 3}}},
};
// TiB does not fit an int multiplier; it is 1024 GiB, spelled "1024GiB" by whoever needs it.

const char *unit_expected(enum unit unit)
{
    return unit_descs[unit].expected;
}

const char *unit_symbol(enum unit unit)
{
    return unit_descs[unit].symbol;
}

// A decimal number as written: (negative) digits * 10^exp10, digits without leading zeros.
struct decimal {
    bool negative;
    char digits[40]; // significant digits, "0" for zero
    int exp10;
    const char *end; // first character behind the number
};

#define DECIMAL_MAX_EXP 400

// Reads [+-]digits[.digits][e[+-]digits] and nothing else; false when there is no such number or
// it is too long to be one that somebody wrote.
static bool decimal_read(const char *text, struct decimal *out)
{
    const char *p = text;
    size_t n = 0;
    bool any = false, point = false;

    out->exp10 = 0;
    out->negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    for (;; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)*p))
            break;
        any = true;
        if (point)
            out->exp10--;
        if (n == 0 && *p == '0')
            continue; // leading zero
        if (n + 1 >= sizeof out->digits)
            return false;
        out->digits[n++] = *p;
    }
    if (!any || p[-1] == '.')
        return false;
    if ((*p == 'e' || *p == 'E') &&
        (isdigit((unsigned char)p[1]) ||
         ((p[1] == '-' || p[1] == '+') && isdigit((unsigned char)p[2])))) {
        bool minus = p[1] == '-';
        int e = 0;
        for (p += isdigit((unsigned char)p[1]) ? 1 : 2; isdigit((unsigned char)*p); p++)
            if (e <= DECIMAL_MAX_EXP)
                e = e * 10 + (*p - '0');
        out->exp10 += minus ? -e : e;
    }
    while (n > 0 && out->digits[n - 1] == '0') { // trailing zeros into the exponent
        n--;
        out->exp10++;
    }
    if (n == 0)
        out->digits[n++] = '0';
    out->digits[n] = '\0';
    out->end = p;
    return out->exp10 >= -DECIMAL_MAX_EXP && out->exp10 <= DECIMAL_MAX_EXP;
}

static bool decimal_is_zero(const struct decimal *d)
{
    return d->digits[0] == '0';
}

static const struct suffix *suffix_find(enum unit unit, const char *text)
{
    const struct suffix *s = unit_descs[unit].suffixes;
    for (int i = 0; i < N_SUFFIXES && s[i].text; i++)
        if (strcmp(s[i].text, text) == 0)
            return &s[i];
    return NULL;
}

bool unit_has_suffix(enum unit unit, const char *suffix)
{
    return *suffix && suffix_find(unit, suffix);
}

const char *unit_of_key(enum unit unit, const char *key)
{
    for (const char *cut = strchr(key, '_'); cut; cut = strchr(cut + 1, '_'))
        if (unit_has_suffix(unit, cut + 1))
            return cut + 1;
    return NULL;
}

static int not_expected(enum unit unit, const char *text, struct err *err)
{
    return err_set(err, ERR_STUDY, "expected %s, got \"%.80s\"", unit_descs[unit].expected, text);
}

static const struct suffix no_suffix = {"", 1, 0};

// Splits text into number and suffix (blanks between them are allowed).
static int split(enum unit unit, const char *text, struct decimal *d, const struct suffix **suffix,
                 struct err *err)
{
    if (!decimal_read(text, d))
        return not_expected(unit, text, err);
    const char *p = d->end;
    if (*p == '\0' && (unit_descs[unit].bare || decimal_is_zero(d))) {
        *suffix = &no_suffix;
        return 0;
    }
    while (*p == ' ')
        p++;
    *suffix = *p ? suffix_find(unit, p) : NULL;
    if (!*suffix)
        return not_expected(unit, text, err);
    return 0;
}

int units_parse(enum unit unit, const char *text, double *value, struct err *err)
{
    struct decimal d;
    const struct suffix *s;
    char buf[64];

    if (split(unit, text, &d, &s, err) < 0)
        return -1;
    snprintf(buf, sizeof buf, "%s%se%d", d.negative ? "-" : "", d.digits, d.exp10 + s->exp10);
    double v = strtod(buf, NULL) * s->mult;
    if (!(v >= -1e300 && v <= 1e300)) // also an overflow to infinity
        return not_expected(unit, text, err);
    *value = v == 0 ? 0.0 : v; // no negative zero
    return 0;
}

// digits * 10^exp10 * mult, rounded to the nearest integer; false when it does not fit, or when it
// must be `whole` and is not.
static bool decimal_to_u64(const struct decimal *d, int exp10, uint64_t mult, bool whole,
                           uint64_t *out)
{
    const unsigned __int128 limit = (unsigned __int128)UINT64_MAX;
    unsigned __int128 v = 0;

    if (decimal_is_zero(d)) {
        *out = 0;
        return true;
    }
    for (const char *p = d->digits; *p; p++) {
        v = v * 10 + (unsigned)(*p - '0');
        if (v > limit * 10) // 20 digits at most: times mult < 2^47 it fits 128 bits
            return false;
    }
    v *= mult;
    for (; exp10 > 0; exp10--) {
        v *= 10;
        if (v > limit)
            return false;
    }
    bool up = false; // the last digit cut off was 5 or more
    for (; exp10 < 0; exp10++) {
        unsigned digit = (unsigned)(v % 10);
        if (whole && digit != 0)
            return false;
        up = digit >= 5;
        v /= 10;
    }
    v += up;
    if (v > limit)
        return false;
    *out = (uint64_t)v;
    return true;
}

int units_parse_ns(const char *text, int64_t *ns, struct err *err)
{
    struct decimal d;
    const struct suffix *s;
    uint64_t v;

    if (split(UNIT_TIME, text, &d, &s, err) < 0)
        return -1;
    if (!decimal_to_u64(&d, d.exp10 + s->exp10 + 9, (uint64_t)s->mult, false, &v) || v > INT64_MAX)
        return not_expected(UNIT_TIME, text, err);
    *ns = d.negative ? -(int64_t)v : (int64_t)v;
    return 0;
}

int units_parse_whole(enum unit unit, const char *text, bool *negative, uint64_t *value,
                      struct err *err)
{
    struct decimal d;
    const struct suffix *s;

    if (split(unit, text, &d, &s, err) < 0 ||
        !decimal_to_u64(&d, d.exp10 + s->exp10, (uint64_t)s->mult, true, value))
        return err_set(err, ERR_STUDY, "expected a whole number, got \"%.80s\"", text);
    *negative = d.negative && *value != 0;
    return 0;
}

// The shortest decimal text that strtod reads back as v.
static void shortest(double v, char *buf, size_t size)
{
    if (v > -1e15 && v < 1e15 && v == (double)(int64_t)v) { // 10000 rather than 1e+04
        snprintf(buf, size, "%lld", (long long)v);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buf, size, "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            return;
    }
}

static double power_of_ten(int exp10)
{
    char text[16];
    snprintf(text, sizeof text, "1e%d", exp10);
    return strtod(text, NULL);
}

char *units_format(enum unit unit, double value, char *buf, size_t size)
{
    const struct suffix *s = unit_descs[unit].suffixes;
    char number[32];

    // The largest decimal suffix that keeps the number at 1 or more, if the text then still means
    // exactly the same double.
    const struct suffix *best = NULL;
    for (int i = 1; i < N_SUFFIXES && s[i].text && !unit_descs[unit].bare; i++)
        if (s[i].mult == 1 && s[i].exp10 != 0 && value >= power_of_ten(s[i].exp10) &&
            (!best || s[i].exp10 > best->exp10))
            best = &s[i];
    if (best && (best->exp10 > 0 || value < 1)) {
        double back, scaled = value / power_of_ten(best->exp10);
        // The quotient is rounded: 15 digits drop the tail that 14.27us has as 14.270000000000001.
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(number, sizeof number, "%.*g", digits, scaled);
            shortest(strtod(number, NULL), number, sizeof number);
            snprintf(buf, size, "%s%s", number, best->text);
            if (units_parse(unit, buf, &back, NULL) == 0 && back == value)
                return buf;
        }
    }
    shortest(value, number, sizeof number);
    snprintf(buf, size, "%s%s", number, value == 0 ? "" : s[0].text);
    return buf;
}

static const struct {
    const char *text;
    int64_t ns;
} steps[] = {{"s", SIMTIME_S}, {"ms", SIMTIME_MS}, {"us", SIMTIME_US}, {"ns", 1}};

char *units_format_ns(int64_t ns, char *buf, size_t size)
{
    const int64_t hour_ns = 3600 * SIMTIME_S;
    uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    const char *sign = ns < 0 ? "-" : "";
    size_t i = 0;

    if (ns == 0) {
        snprintf(buf, size, "0s");
        return buf;
    }
    if (ns % hour_ns == 0) {
        snprintf(buf, size, "%lldh", (long long)(ns / hour_ns));
        return buf;
    }
    while (left < (uint64_t)steps[i].ns)
        i++;
    uint64_t whole = left / (uint64_t)steps[i].ns, rest = left % (uint64_t)steps[i].ns;
    char frac[16] = "";
    if (rest) { // steps are powers of ten: the fraction has that many digits, less trailing zeros
        int width = i == 0 ? 9 : i == 1 ? 6 : 3;
        int n = snprintf(frac, sizeof frac, ".%0*llu", width, (unsigned long long)rest);
        while (n > 0 && frac[n - 1] == '0')
            frac[--n] = '\0';
    }
    snprintf(buf, size, "%s%llu%s%s", sign, (unsigned long long)whole, frac, steps[i].text);
    return buf;
}
