// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include "support/suite.h"

static double parsed(enum unit unit, const char *text)
{
    double v = -12345;
    struct err err = {0};
    ck_assert_msg(units_parse(unit, text, &v, &err) == 0, "%s: %s", text, err.text);
    return v;
}

static int64_t parsed_ns(const char *text)
{
    int64_t ns = -12345;
    ck_assert_int_eq(units_parse_ns(text, &ns, NULL), 0);
    return ns;
}

// A decimal suffix shifts the exponent, so the value is the double nearest to what was written.
START_TEST(decimal_suffixes_are_exact)
{
    ck_assert_double_eq(parsed(UNIT_TIME, "25ms"), 0.025);
    ck_assert_double_eq(parsed(UNIT_TIME, "0.1us"), 1e-7);
    ck_assert_double_eq(parsed(UNIT_BW, "76.8GB/s"), 76.8e9);
    ck_assert_double_eq(parsed(UNIT_FRAC, "0.7%"), 0.007);
    ck_assert_double_eq(parsed(UNIT_RATE, "1.1kqps"), 1100);
}
END_TEST

// Suffixes that are no powers of ten multiply.
START_TEST(other_suffixes_multiply)
{
    ck_assert_double_eq(parsed(UNIT_TIME, "1.5min"), 90);
    ck_assert_double_eq(parsed(UNIT_BYTES, "2KiB"), 2048);
    ck_assert_double_eq(parsed(UNIT_ENERGY, "1kWh"), 3.6e6);
}
END_TEST

// Times become nanoseconds by decimal arithmetic: no product of doubles is involved.
START_TEST(times_are_exact_nanoseconds)
{
    ck_assert_int_eq(parsed_ns("1.5ms"), 1500000);
    ck_assert_int_eq(parsed_ns("0.000000001s"), 1);
    ck_assert_int_eq(parsed_ns("9007199.254740993s"), 9007199254740993); // 2^53 + 1
    ck_assert_int_eq(parsed_ns("2.5e-3 s"), 2500000);
    ck_assert_int_eq(parsed_ns("30d"), INT64_C(2592000000000000));
}
END_TEST

// Whole numbers may be written with an exponent and keep all 64 bits.
START_TEST(whole_numbers_keep_64_bits)
{
    bool negative;
    uint64_t v;
    ck_assert_int_eq(units_parse_whole(UNIT_NONE, "18446744073709551615", &negative, &v, NULL), 0);
    ck_assert_uint_eq(v, UINT64_MAX);
    ck_assert_int_eq(units_parse_whole(UNIT_NONE, "-1.5e3", &negative, &v, NULL), 0);
    ck_assert(negative);
    ck_assert_uint_eq(v, 1500);
    ck_assert_int_eq(units_parse_whole(UNIT_NONE, "18446744073709551616", &negative, &v, NULL), -1);
    ck_assert_int_eq(units_parse_whole(UNIT_NONE, "1.5", &negative, &v, NULL), -1);
}
END_TEST

// Prices and carbon intensities stay in the units that people quote.
START_TEST(quoted_units)
{
    char buf[64];
    ck_assert_double_eq(parsed(UNIT_PRICE, "0.43usd/h"), 0.43);
    ck_assert_double_eq(parsed(UNIT_PRICE, "0.43 usd_per_h"), 0.43);
    ck_assert_double_eq(parsed(UNIT_CARBON, "420g/kWh"), 420);
    ck_assert_str_eq(units_format(UNIT_PRICE, 0.43, buf, sizeof buf), "0.43usd/h");
    ck_assert_str_eq(units_format(UNIT_CARBON, 420, buf, sizeof buf), "420g/kWh");
    ck_assert_double_eq(parsed(UNIT_MASS, "1.2t"), 1200);
    ck_assert_str_eq(units_format(UNIT_MASS, 30.7, buf, sizeof buf), "30.7kg");
    ck_assert_str_eq(units_format(UNIT_TIME, 1.427e-05, buf, sizeof buf), "14.27us");
}
END_TEST

// A key ends in a unit of its own dimension, of one word or of several.
START_TEST(keys_carry_units)
{
    ck_assert_str_eq(unit_of_key(UNIT_TIME, "dispatch_delay_ms"), "ms");
    ck_assert_str_eq(unit_of_key(UNIT_PRICE, "price_usd_per_h"), "usd_per_h");
    ck_assert_str_eq(unit_of_key(UNIT_TIME, "price_usd_per_h"), "h");
    ck_assert_ptr_null(unit_of_key(UNIT_TIME, "ms"));
    ck_assert_ptr_null(unit_of_key(UNIT_RATE, "delay_ms"));
    ck_assert_ptr_null(unit_of_key(UNIT_TIME, "delay_"));
}
END_TEST

// What is written can be read back to the same bits.
START_TEST(formatted_values_read_back)
{
    const double values[] = {0, 1, 0.025, 12000, 1.0 / 3, 76.8e9, 1e-9, 350, 123456789.125, 5e17};
    char buf[64];
    for (int u = 0; u < N_UNITS; u++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            units_format((enum unit)u, values[i], buf, sizeof buf);
            ck_assert_double_eq(parsed((enum unit)u, buf), values[i]);
        }
}
END_TEST

// Times are written in the largest unit that leaves at least 1, and read back.
START_TEST(formatted_times_read_back)
{
    const struct {
        int64_t ns;
        const char *text;
    } rows[] = {{0, "0s"},         {25000000, "25ms"},          {1500000, "1.5ms"},
                {50000, "50us"},   {60000000000, "60s"},        {86400000000000, "24h"},
                {-1500, "-1.5us"}, {1000000001, "1.000000001s"}};
    char buf[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_str_eq(units_format_ns(rows[i].ns, buf, sizeof buf), rows[i].text);
        ck_assert_int_eq(parsed_ns(buf), rows[i].ns);
    }
}
END_TEST

// "0" needs no unit; every other number of a dimension does.
START_TEST(bare_numbers)
{
    ck_assert_double_eq(parsed(UNIT_TIME, "0"), 0);
    ck_assert_double_eq(parsed(UNIT_NONE, "2.5"), 2.5);
    double v;
    ck_assert_int_eq(units_parse(UNIT_TIME, "25", &v, NULL), -1);
    ck_assert_int_eq(units_parse(UNIT_RATE, "12000", &v, NULL), -1);
    ck_assert_int_eq(units_parse(UNIT_PRICE, "0.43", &v, NULL), -1);
    ck_assert_int_eq(units_parse(UNIT_CARBON, "420", &v, NULL), -1);
}
END_TEST

// A time beyond int64 nanoseconds and a number beyond double are refused, not saturated.
START_TEST(overflow_is_an_error)
{
    int64_t ns;
    double v;
    ck_assert_int_eq(units_parse_ns("1e300d", &ns, NULL), -1);
    ck_assert_int_eq(units_parse_ns("300000d", &ns, NULL), -1);
    ck_assert_int_eq(units_parse(UNIT_NONE, "1e999999999999", &v, NULL), -1);
}
END_TEST

// Nothing but a decimal number and a known suffix is a number.
START_TEST(garbage_is_refused)
{
    const char *const words[] = {"",    "fast", "nan", "inf", "-inf", "0x10s", "1,5s",  "1.5.2s",
                                 "25x", "ms",   ".",   "1.s", "--1s", "1e",    "1 s s", "25msx"};
    double v = 7;
    struct err err;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ck_assert_msg(units_parse(UNIT_TIME, words[i], &v, &err) == -1, "%s", words[i]);
        ck_assert_double_eq(v, 7);
    }
    units_parse(UNIT_RATE, "fast", &v, &err);
    ck_assert_str_eq(err.text, "expected a rate such as \"12000qps\", got \"fast\"");
    ck_assert_int_eq(err.code, ERR_STUDY);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", decimal_suffixes_are_exact},
        {"core", other_suffixes_multiply},
        {"core", times_are_exact_nanoseconds},
        {"core", whole_numbers_keep_64_bits},
        {"core", quoted_units},
        {"core", keys_carry_units},
        {"core", formatted_values_read_back},
        {"core", formatted_times_read_back},
        {"limits", bare_numbers},
        {"limits", overflow_is_an_error},
        {"errors", garbage_is_refused},
    };
    return suite_run("units", tests, sizeof tests / sizeof *tests);
}
