// SPDX-License-Identifier: Apache-2.0
#include "traces/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "support/suite.h"

static struct csv opened(const char *text)
{
    struct csv csv;
    ck_assert_int_eq(csv_open(&csv, "t.csv", text, strlen(text), CSV_AUTO, NULL), 0);
    return csv;
}

static void assert_decimal(const char *text, int power, int64_t expected)
{
    int64_t value = -1;
    ck_assert_msg(csv_decimal(text, strlen(text), power, &value) == 0, "%s", text);
    ck_assert_msg(value == expected, "%s: got %lld", text, (long long)value);
}

// Fields are trimmed, quotes removed, separators inside quotes kept; columns count from 1.
START_TEST(fields_are_split)
{
    struct csv csv = opened("a , \"b,c\",,d\r\n");
    ck_assert_int_eq(csv_next(&csv, NULL), 1);
    ck_assert_uint_eq(csv.n_fields, 4);
    ck_assert(csv_equals(&csv.fields[0], "a"));
    ck_assert(csv_equals(&csv.fields[1], "b,c"));
    ck_assert(csv_equals(&csv.fields[2], ""));
    ck_assert(csv_equals(&csv.fields[3], "d"));
    ck_assert_uint_eq(csv.fields[1].column, 6);
    ck_assert_uint_eq(csv.fields[3].column, 12);
    ck_assert_int_eq(csv_next(&csv, NULL), 0);
}
END_TEST

// Blank lines and comments are passed over but counted; a last line without its end is seen.
START_TEST(lines_are_numbered)
{
    struct csv csv = opened("\n# c\n1\n  \n2");
    ck_assert_int_eq(csv_next(&csv, NULL), 1);
    ck_assert_uint_eq(csv.line, 3);
    ck_assert(!csv.cut);
    ck_assert_int_eq(csv_next(&csv, NULL), 1);
    ck_assert_uint_eq(csv.line, 5);
    ck_assert(csv.cut);
}
END_TEST

// The separator is what the first line holds.
START_TEST(separator_is_found)
{
    ck_assert_int_eq(opened("a;b,c\n").separator, ';');
    ck_assert_int_eq(opened("a\tb;c\n").separator, '\t');
    ck_assert_int_eq(opened("a b\n1;2\n").separator, ',');
    ck_assert_int_eq(opened("\xef\xbb\xbf"
                            "a;b\n")
                         .separator,
                     ';');
    ck_assert_int_eq(opened("\"time;x\",\"items\"\n").separator, ',');
    ck_assert_int_eq(opened("\"time,x\";\"it\"\"e;ms\"\n").separator, ';');
    ck_assert_int_eq(opened("\"a\tb\",5\" disk,c\n").separator, '\t'); // quotes not in pairs
    ck_assert_int_eq(opened("# one; two\n \t\n1,2\n").separator, ',');
}
END_TEST

// What Excel says of the separator is taken, unless the user knows better; it is a line.
START_TEST(said_separators_are_taken)
{
    const char *const texts[] = {"sep=;\n1,5;2\n", "SEP=;\r\n1,5;2\r\n", "\"sep=;\"\n1,5;2\n",
                                 "\xef\xbb\xbfsep=;\n1,5;2"};
    for (size_t i = 0; i < 4; i++) {
        struct csv csv = opened(texts[i]);
        ck_assert_int_eq(csv_next(&csv, NULL), 1);
        ck_assert_uint_eq(csv.line, 2);
        ck_assert_uint_eq(csv.n_fields, 2);
        ck_assert(csv_equals(&csv.fields[0], "1,5"));
        ck_assert_int_eq(csv_next(&csv, NULL), 0);
    }
    struct csv csv = opened("sep=;");
    ck_assert_int_eq(csv_next(&csv, NULL), 0);
    struct err err = {0};
    ck_assert_int_eq(csv_open(&csv, "t.csv", "sep=;\n1\n", 8, CSV_COMMA, NULL), 0);
    ck_assert_int_eq(csv.separator, ',');
    ck_assert_int_eq(csv_open(&csv, "t.csv", "sep=|\n1|2\n", 10, CSV_AUTO, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:1:5: expected a comma, a semicolon or a tab behind sep=");
}
END_TEST

// Decimals are exact: nothing goes through a double.
START_TEST(decimals_are_exact)
{
    assert_decimal("0", 9, 0);
    assert_decimal("12.5", 9, 12500000000);
    assert_decimal("1700157423.979960013", 9, 1700157423979960013);
    assert_decimal(".25", 2, 25);
    assert_decimal("1.5e3", 0, 1500);
    assert_decimal("15E-1", 0, 2);
    assert_decimal("0.4999999999999999999999", 0, 0);
    assert_decimal("0.5", 0, 1);
    assert_decimal("00000000000000000000000000012", 0, 12);
    assert_decimal("1e-400", 9, 0);
    assert_decimal("0e9999", 9, 0);
    assert_decimal("9223372036854775807", 0, INT64_MAX);
}
END_TEST

// Two quotes inside a quoted field stand for one, as in the labels of a metric.
START_TEST(quotes_are_doubled)
{
    struct csv csv = opened("\"qps{job=\"\"a,b\"\"}\",2\n");
    ck_assert_int_eq(csv_next(&csv, NULL), 1);
    ck_assert_uint_eq(csv.n_fields, 2);
    ck_assert(csv_equals(&csv.fields[0], "qps{job=\"a,b\"}"));
    ck_assert(!csv_equals(&csv.fields[0], "qps{job=\"a,b\""));
    ck_assert(csv_equals(&csv.fields[1], "2"));
    ck_assert(!csv_equals(&csv.fields[1], "23"));
}
END_TEST

// Commas may group the digits in front of the point by three.
START_TEST(digits_may_be_grouped)
{
    assert_decimal("10,800.5", 1, 108005);
    assert_decimal("1,234,567", 0, 1234567);
    assert_decimal("999,000e1", 0, 9990000);
    double value;
    ck_assert(csv_number(&(struct csv_field){"-1,234.5", 8, 1}, &value));
    ck_assert_double_eq(value, -1234.5);
    ck_assert(csv_number(&(struct csv_field){"0.52x", 4, 1}, &value));
    ck_assert_double_eq(value, 0.52);
    ck_assert(!csv_number(&(struct csv_field){"10.80 K", 7, 1}, &value));
    ck_assert(!csv_number(&(struct csv_field){"--1", 3, 1}, &value));
    ck_assert(!csv_number(&(struct csv_field){"", 0, 1}, &value));
}
END_TEST

// A header has a name among the fields that are used, and nothing that is data.
START_TEST(headers_are_told_from_data)
{
    const struct {
        const char *text;
        bool header;
    } rows[] = {
        {"time,size\n", true}, {"1,size\n", true},
        {",size\n", true},     {"t,1\n", true},
        {"-2,1\n", false},     {"+7\n", false},
        {"nan,1\n", false},    {",7\n", false},
        {"inf,5\n", false},    {"null,5\n", false},
        {"0.1,x\n", false},    {"-2,x\n", false},
        {"1e3,x\n", false},    {"2023-11-16 18:15:46,x\n", false},
        {"1,2\n", false},      {"NA,-\n", false},
        {"5,2,name\n", false}, {"time\n", true},
    };
    const size_t both[] = {0, 1};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct csv csv = opened(rows[i].text);
        ck_assert_int_eq(csv_next(&csv, NULL), 1);
        ck_assert_msg(csv_is_header(&csv, both, 2) == rows[i].header, "%s", rows[i].text);
    }
}
END_TEST

// What is no decimal, or too large, is refused.
START_TEST(other_numbers_are_refused)
{
    const char *texts[] = {
        "",       "-1",   "+1",    "1.2.3",    "nan",      "inf",    "0x10",
        "1e",     "1 ",   "1e+",   "1e5x",     ".",        "e5",     "9223372036854775808",
        "1e99",   "1,00", "0,123", "1234,567", "1,234,56", "1,2345", ",123",
        "1.5,000"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t value = 5;
        ck_assert_msg(csv_decimal(texts[i], strlen(texts[i]), 0, &value) == -1, "%s", texts[i]);
        ck_assert_int_eq(value, 5);
    }
}
END_TEST

// A field is shown on one line, whatever is in it.
START_TEST(shown_fields_are_printable)
{
    char shown[CSV_SHOW_MAX], text[100];
    memset(text, 'x', sizeof text);
    ck_assert_str_eq(csv_show(&(struct csv_field){"a\001\nb", 4, 1}, shown), "\"a??b\"");
    csv_show(&(struct csv_field){text, sizeof text, 1}, shown);
    ck_assert_uint_lt(strlen(shown), CSV_SHOW_MAX);
    ck_assert_ptr_nonnull(strstr(shown, "x...\""));
}
END_TEST

// Lines at the limit pass, longer ones are refused, and reading goes on behind them.
START_TEST(long_lines_are_refused)
{
    size_t n = CSV_MAX_LINE_BYTES;
    char *text = mem_alloc(2 * n + 10);
    memset(text, '1', 2 * n + 10);
    text[n] = '\n';
    text[2 * n + 2] = '\n';
    text[2 * n + 4] = '\n';
    struct csv csv;
    struct err err = {0};
    ck_assert_int_eq(csv_open(&csv, "t.csv", text, 2 * n + 5, CSV_COMMA, NULL), 0);
    ck_assert_int_eq(csv_next(&csv, &err), 1);
    ck_assert_int_eq(csv_next(&csv, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:2:1: expected lines of at most 65536 bytes, got 65537");
    ck_assert_int_eq(csv_next(&csv, &err), 1);
    mem_free(text);
}
END_TEST

// A line of more fields than there is room for is refused.
START_TEST(too_many_fields_are_refused)
{
    char text[2 * CSV_MAX_FIELDS];
    memset(text, ',', sizeof text);
    struct csv csv;
    struct err err = {0};
    ck_assert_int_eq(csv_open(&csv, "t.csv", text, CSV_MAX_FIELDS - 1, CSV_COMMA, NULL), 0);
    ck_assert_int_eq(csv_next(&csv, &err), 1);
    ck_assert_uint_eq(csv.n_fields, CSV_MAX_FIELDS);
    ck_assert_int_eq(csv_open(&csv, "t.csv", text, CSV_MAX_FIELDS, CSV_COMMA, NULL), 0);
    ck_assert_int_eq(csv_next(&csv, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:1:257: expected at most 256 fields");
}
END_TEST

// What is not a text is refused at once, with the place.
START_TEST(other_than_text_is_refused)
{
    struct csv csv;
    struct err err = {0};
    ck_assert_int_eq(csv_open(&csv, "t.csv", "", 0, CSV_AUTO, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:1:1: the file is empty");
    ck_assert_int_eq(csv_open(&csv, "t.csv", "1,2\n3,\0", 7, CSV_AUTO, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:2:3: expected text, got a NUL byte");
    ck_assert_int_eq(csv_open(&csv, "t.csv",
                              "\xff\xfe"
                              "1",
                              3, CSV_AUTO, &err),
                     -1);
    ck_assert_str_eq(err.text, "t.csv:1:1: expected text in ASCII or UTF-8, got UTF-16");
    ck_assert_int_eq(csv_open(&csv, "t.csv", "1,2\r3,4\r", 8, CSV_AUTO, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:1:4: expected lines that end in LF or CR LF, got CR alone");
    csv = opened("1,\"2\n3\"\n");
    ck_assert_int_eq(csv_next(&csv, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:1:3: expected a closing quote on the same line");
}
END_TEST

// A file compressed by gzip is read as what it was; cut off or damaged it is refused.
START_TEST(compressed_files_are_read)
{
    const char *path = "test_csv.gz";
    char *data;
    size_t n;
    struct err err = {0};
    gzFile gz = gzopen(path, "wb");
    for (int i = 0; i < 50000; i++)
        gzprintf(gz, "%d,1\n", i);
    ck_assert_int_eq(gzclose(gz), Z_OK);
    ck_assert_int_eq(csv_read_file(path, &data, &n, NULL), 0);
    ck_assert_uint_eq(n, 10 * 4 + 90 * 5 + 900 * 6 + 9000 * 7 + 40000 * 8);
    ck_assert_str_eq(data + n - 8, "49999,1\n");
    mem_free(data);
    ck_assert_int_eq(truncate(path, 30000), 0);
    ck_assert_int_eq(csv_read_file(path, &data, &n, &err), -1);
    ck_assert_str_eq(err.text, "test_csv.gz: compressed by gzip, and damaged or cut off");
    unlink(path);
}
END_TEST

// Pieces packed one by one are one file, with zeros behind them or without; other bytes are
// refused.
START_TEST(pieces_of_gzip_are_joined)
{
    const char *path = "test_csv_pieces.gz";
    static const char *const tails[] = {"", "\0\0\0", "\0junk", "\x1f\x8b"};
    static const size_t lengths[] = {0, 3, 5, 2};
    static const char *const wrong[] = {
        NULL, NULL, "test_csv_pieces.gz: compressed by gzip, with something else behind it",
        "test_csv_pieces.gz: compressed by gzip, and damaged or cut off"};
    for (int k = 0; k < 4; k++) {
        char *data;
        size_t n;
        struct err err = {0};
        for (int piece = 0; piece < 2; piece++) {
            gzFile gz = gzopen(path, piece == 0 ? "wb" : "ab");
            gzprintf(gz, "%d,1\n", piece);
            ck_assert_int_eq(gzclose(gz), Z_OK);
        }
        FILE *file = fopen(path, "ab");
        fwrite(tails[k], 1, lengths[k], file);
        fclose(file);
        int rc = csv_read_file(path, &data, &n, &err);
        unlink(path);
        ck_assert_int_eq(rc, wrong[k] ? -1 : 0);
        if (wrong[k]) {
            ck_assert_str_eq(err.text, wrong[k]);
        } else {
            ck_assert_str_eq(data, "0,1\n1,1\n");
            mem_free(data);
        }
    }
}
END_TEST

// Files that are not there, or no files, are refused by name.
START_TEST(unreadable_files_are_refused)
{
    char *data;
    size_t n;
    struct err err = {0};
    ck_assert_int_eq(csv_read_file("/nonexistent/x", &data, &n, &err), -1);
    ck_assert_str_eq(err.text, "/nonexistent/x: No such file or directory");
    ck_assert_int_eq(csv_read_file("/tmp", &data, &n, &err), -1);
    ck_assert_str_eq(err.text, "/tmp: expected a regular file");
    ck_assert_int_eq(csv_read_file("/dev/zero", &data, &n, &err), -1);
}
END_TEST

// Nobody writes to this pipe, and nobody waits for it.
START_TEST(pipes_are_refused)
{
    char folder[] = "/tmp/test_csv.XXXXXX", path[64], expected[96], *data;
    size_t n;
    struct err err = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int rc = csv_read_file(path, &data, &n, &err);
    unlink(path);
    rmdir(folder);
    ck_assert_int_eq(rc, -1);
    snprintf(expected, sizeof expected, "%s: expected a regular file", path);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", fields_are_split},
        {"core", lines_are_numbered},
        {"core", separator_is_found},
        {"core", said_separators_are_taken},
        {"core", pieces_of_gzip_are_joined},
        {"core", decimals_are_exact},
        {"core", shown_fields_are_printable},
        {"core", compressed_files_are_read},
        {"core", quotes_are_doubled},
        {"core", digits_may_be_grouped},
        {"core", headers_are_told_from_data},
        {"limits", long_lines_are_refused},
        {"limits", too_many_fields_are_refused},
        {"errors", other_numbers_are_refused},
        {"errors", other_than_text_is_refused},
        {"errors", unreadable_files_are_refused},
        {"errors", pipes_are_refused},
    };
    return suite_run("csv", tests, sizeof tests / sizeof *tests);
}
