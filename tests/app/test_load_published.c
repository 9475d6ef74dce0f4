// SPDX-License-Identifier: Apache-2.0
#include "app/load_published.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// Two targets on one server, under two policies.
static struct tuning_result *tuning(void)
{
    struct tuning_result *t = tuning_result_create(2, 2, 2);
    point_axes_set(&t->grid, 0, "target", (const char *const[]){"low", "high"}, 2);
    point_axes_set(&t->grid, 1, "server", (const char *const[]){"a, \"b\""}, 1);
    t->grid.values[2] = 1;
    t->policies[0] = mem_strdup("static");
    t->policies[1] = mem_strdup("climb");
    return t;
}

static struct published *parse(const char *text, struct err *err)
{
    struct tuning_result *t = tuning();
    err_clear(err);
    struct published *p = load_published_parse("x.csv", text, strlen(text), t, err);
    tuning_result_destroy(t);
    return p;
}

// Columns in any order; empty labels are any; quotes and comments as in every CSV.
START_TEST(rows)
{
    struct err err;
    struct published *p =
        parse("# of somebody\nvalue,figure,quantity,policy,baseline,source,target,server,"
              "baseline.target\n1.7,QPS,qps,climb,static,\"a; \"\"b\"\"\",high,\"a, \"\"b\"\"\",low"
              "\n12e3,own,queries_per_j,climb,,,,,\n",
              &err);
    ck_assert_msg(p, "%s", err.text);
    ck_assert_uint_eq(p->n_rows, 2);
    const struct published_row *row = p->rows;
    ck_assert_str_eq(row->figure, "QPS");
    ck_assert_str_eq(row->source, "a; \"b\"");
    ck_assert(row->value == 1.7 && row->quantity == PUBLISHED_QPS && row->policy == 1 &&
              row->baseline == 0 && row->at[0] == 1 && row->at[1] == 0 &&
              row->baseline_at[0] == 0 && row->baseline_at[1] == PUBLISHED_ANY);
    row++;
    ck_assert(row->value == 12e3 && row->quantity == PUBLISHED_QUERIES_PER_J &&
              row->baseline == -1 && row->at[0] == PUBLISHED_ANY);
    published_destroy(p);
}
END_TEST

// Of a shorter tuning what is there is shown; of another one nothing is.
START_TEST(left_out)
{
    struct err err;
    struct published *p = parse("figure,quantity,policy,target,value\na,qps,climb,low,1\n"
                                "b,qps,climb,medium,2\nc,qps,exhaustive,low,3\n",
                                &err);
    ck_assert_msg(p, "%s", err.text);
    ck_assert(p->n_rows == 1 && p->n_left_out == 2);
    published_destroy(p);
    ck_assert_ptr_null(parse("figure,quantity,policy,target,value\nb,qps,climb,medium,2\n", &err));
    ck_assert_str_eq(err.text, "x.csv:2:13: target: expected low or high, got \"medium\"; no line "
                               "is about this tuning");
}
END_TEST

// One line, with the place and what was expected.
START_TEST(mistakes)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "x.csv:1:1: the file is empty"},
        {"# nothing\n", "x.csv:1:1: expected a line with the columns' names"},
        {"figure,quantity,policy,value,place\n",
         "x.csv:1:30: a column's name: expected figure, quantity, policy, baseline, value, source, "
         "target or server, got \"place\""},
        {"figure,quantity,policy,value,value\n", "x.csv:1:30: the column \"value\" is there twice"},
        {"figure,quantity,value\n", "x.csv:1:1: expected a column \"policy\""},
        {"figure,quantity,policy,value\n", "x.csv:1:1: expected at least one figure"},
        {"figure,quantity,policy,value\na,qps,climb\n",
         "x.csv:2:1: expected 4 fields, as the first line has, got 3"},
        {"figure,quantity,policy,value\n,qps,climb,1\n",
         "x.csv:2:1: figure: expected its name, got nothing"},
        {"figure,quantity,policy,value\na,p95,climb,1\n",
         "x.csv:2:3: quantity: expected qps or queries_per_j, got \"p95\""},
        {"figure,quantity,policy,value\na,qps,climb,2x\n",
         "x.csv:2:13: value: expected a number above 0, got \"2x\""},
        {"figure,quantity,policy,value\na,qps,climb,-2\n",
         "x.csv:2:13: value: expected a number above 0, got \"-2\""},
        {"figure,quantity,policy,value\na,qps,walk,2\n",
         "x.csv:2:7: policy: expected static or climb, got \"walk\"; no line is about this tuning"},
        {"figure,quantity,policy,value,baseline.target\na,qps,climb,2,low\n",
         "x.csv:2:15: target: expected nothing, as the row has no baseline, got \"low\""},
        {"figure,quantity,policy,value\na,qps,climb,2\na,qps,static,2\n",
         "x.csv:3:1: figure \"a\": expected the quantity, policy and baseline of the figure's "
         "first "
         "line"},
        {"figure,quantity,policy,value\na,qps,climb,2\nb,\"qps,climb,2\n", "x.csv:3:3: "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err;
        ck_assert_ptr_null(parse(cases[i].text, &err));
        ck_assert_msg(strncmp(err.text, cases[i].error, strlen(cases[i].error)) == 0,
                      "expected %s, got %s", cases[i].error, err.text);
    }
}
END_TEST

// No more than a page has room for.
START_TEST(too_many)
{
    struct err err;
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    fputs("figure,quantity,policy,value\n", memory);
    for (int i = 0; i <= PUBLISHED_MOST_ROWS; i++)
        fprintf(memory, "f%d,qps,climb,1\n", i);
    fclose(memory);
    ck_assert_ptr_null(parse(text, &err));
    ck_assert_str_eq(err.text, "x.csv:202:1: expected at most 200 figures");
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", rows}, {"limits", left_out}, {"limits", too_many}, {"errors", mistakes}};
    return suite_run("load_published", tests, sizeof tests / sizeof *tests);
}
