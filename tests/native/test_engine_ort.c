// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "native/engine.h"
#include "support/suite.h"

// lookups.onnx: two tables, and what a row of its output has.
enum { N_FEATURES = 3, ROW_0 = 5, ROW_1, SUM, N_OUT };
enum { ROWS_0 = 7, ROWS_1 = 11, MOST_ITEMS = 64 };

static const char *library(void)
{
    const char *real = getenv("RECFLEET_ONNXRUNTIME");
    return real ? real : STAND_IN;
}

static struct engine *open_file(const char *path, const char *from, uint64_t seed)
{
    struct err err = {0};
    struct engine_setup setup = {.seed = seed, .library = from, .file = path};
    struct engine *engine = engine_open(&engine_ort, &setup, &err);
    ck_assert_msg(engine, "%s", err.text);
    return engine;
}

static void check_row(const float *row)
{
    float sum = row[0] + 2 * row[1] + 4 * row[2] + 0.5F * row[ROW_0] + 0.25F * row[ROW_1];
    for (size_t i = 0; i < N_FEATURES; i++)
        ck_assert(row[i] >= 0 && row[i] < 1);
    ck_assert(row[3] >= 0 && row[3] < ROWS_0 && row[4] >= 0 && row[4] < ROWS_1);
    ck_assert_float_eq(row[ROW_0], 100 + row[3]);
    ck_assert_float_eq(row[ROW_1], 200 + row[4]);
    ck_assert_float_eq_tol(row[SUM], sum, 1e-4F);
}

// What a model computes is what it says, of inputs that reach all rows of its tables and no other,
// each table's own.
START_TEST(computes_the_model_of_a_file)
{
    struct engine *engine = open_file(MODELS "/lookups.onnx", library(), 5);
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){MOST_ITEMS, 0}, NULL);
    uint32_t n_outputs = 0, seen[2] = {0, 0};
    ck_assert_ptr_nonnull(worker);
    for (uint64_t number = 0; number < 100; number++) {
        uint32_t items = 1 + (uint32_t)number % MOST_ITEMS;
        const float *out = engine_worker_run(
            worker, &(struct engine_request){.number = number, .items = items}, &n_outputs);
        ck_assert_ptr_nonnull(out);
        ck_assert_uint_eq(n_outputs, N_OUT);
        for (uint32_t i = 0; i < items; i++) {
            check_row(out + i * N_OUT);
            seen[0] |= 1u << (unsigned)out[i * N_OUT + 3];
            seen[1] |= 1u << (unsigned)out[i * N_OUT + 4];
        }
    }
    ck_assert_uint_eq(seen[0], (1u << ROWS_0) - 1);
    ck_assert_uint_eq(seen[1], (1u << ROWS_1) - 1);
    ck_assert_ptr_nonnull(strstr(engine_facts_of(engine)->kernels, "tables of 7 to 11 rows"));
    engine_worker_close(worker);
    engine_close(engine);
}
END_TEST

// A request is the same whichever worker runs it, follows the one before it, and is another by
// another seed.
START_TEST(requests_depend_on_seed_and_number)
{
    struct engine *engine = open_file(MODELS "/lookups.onnx", library(), 5);
    struct engine *other = open_file(MODELS "/lookups.onnx", library(), 6);
    struct engine_worker *a =
        engine_worker_open(engine, &(struct engine_limits){MOST_ITEMS, 0}, NULL);
    struct engine_worker *b = engine_worker_open(engine, &(struct engine_limits){8, 0}, NULL);
    struct engine_worker *c = engine_worker_open(other, &(struct engine_limits){8, 0}, NULL);
    float kept[8 * N_OUT];
    uint32_t n;
    memcpy(kept,
           engine_worker_run(a, &(struct engine_request){.number = 1000000007, .items = 8}, &n),
           sizeof kept);
    ck_assert_mem_eq(
        engine_worker_run(b, &(struct engine_request){.number = 1000000007, .items = 8}, &n), kept,
        sizeof kept);
    ck_assert_mem_ne(
        engine_worker_run(c, &(struct engine_request){.number = 1000000007, .items = 8}, &n), kept,
        sizeof kept);
    ck_assert_mem_ne(
        engine_worker_run(b, &(struct engine_request){.number = 1000000008, .items = 8}, &n), kept,
        sizeof kept);
    ck_assert_mem_eq(
        engine_worker_run(a, &(struct engine_request){.number = 8000000056, .items = 1}, &n), kept,
        N_OUT * sizeof *kept);
    engine_worker_close(a);
    engine_worker_close(b);
    engine_worker_close(c);
    engine_close(engine);
    engine_close(other);
}
END_TEST

// Integers that no run fails at are below 1000, and that is said.
START_TEST(integers_without_a_table)
{
    struct engine *engine = open_file("free.onnx", STAND_IN, 1);
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){MOST_ITEMS, 0}, NULL);
    float largest = 0;
    uint32_t n_outputs;
    for (uint64_t number = 0; number < 100; number++) {
        const float *out = engine_worker_run(
            worker, &(struct engine_request){.number = number, .items = MOST_ITEMS}, &n_outputs);
        for (uint32_t i = 0; i < MOST_ITEMS; i++)
            largest = out[i * N_OUT + 3] > largest ? out[i * N_OUT + 3] : largest;
    }
    ck_assert(largest >= 900 && largest < 1000);
    ck_assert_ptr_nonnull(strstr(engine_facts_of(engine)->kernels, "1 inputs of integers"));
    engine_worker_close(worker);
    engine_close(engine);
}
END_TEST

// A model whose outputs do not grow with the items runs, and has no results.
START_TEST(a_model_without_results_by_item)
{
    struct engine *engine = open_file("whole.onnx", STAND_IN, 1);
    struct engine_worker *worker = engine_worker_open(engine, &(struct engine_limits){4, 0}, NULL);
    uint32_t n_outputs = 7;
    ck_assert_ptr_nonnull(
        engine_worker_run(worker, &(struct engine_request){.number = 0, .items = 4}, &n_outputs));
    ck_assert_uint_eq(n_outputs, 0);
    engine_worker_close(worker);
    engine_close(engine);
}
END_TEST

static void refuses(const char *path, const char *text)
{
    struct err err = {0};
    struct engine_setup setup = {.library = STAND_IN, .file = path};
    ck_assert_ptr_null(engine_open(&engine_ort, &setup, &err));
    ck_assert_msg(strstr(err.text, text), "%s: %s", path ? path : "none", err.text);
}

// A model that it cannot make inputs for is refused in one line with the input and what is wrong.
START_TEST(says_what_it_cannot_run)
{
    refuses(NULL, "engine ort: expected --file");
    refuses("refused.onnx", "refused.onnx: it is damaged at byte 7");
    refuses("strings.onnx", "input ids: expected float, double, int32 or int64, got ONNX type 8");
    refuses("deep.onnx", "input x: expected at most 8 dimensions, got 9");
    refuses("empty.onnx", "input x: expected 1 to 1e+09 numbers per item, got 0");
    refuses("open.onnx", "input ids: dimension 2 is open (\"length\"): expected a number");
    refuses("fixed.onnx", "no input has an open first dimension");
}
END_TEST

// A size that the library refuses is found when a worker is opened; a request of it has no result.
START_TEST(says_what_the_library_refuses)
{
    struct err err = {0};
    struct engine *engine = open_file("late.onnx", STAND_IN, 1);
    ck_assert_ptr_null(engine_worker_open(engine, &(struct engine_limits){5, 0}, &err));
    ck_assert_str_eq(err.text, "late.onnx: out of memory");
    struct engine_worker *worker = engine_worker_open(engine, &(struct engine_limits){4, 0}, &err);
    ck_assert_ptr_nonnull(worker);
    uint32_t n_outputs;
    ck_assert_ptr_null(
        engine_worker_run(worker, &(struct engine_request){.number = 0, .items = 3}, &n_outputs));
    ck_assert_ptr_nonnull(
        engine_worker_run(worker, &(struct engine_request){.number = 0, .items = 4}, &n_outputs));
    engine_worker_close(worker);
    engine_close(engine);
}
END_TEST

// A slice has the inputs, and with this library to the last bit the results, that its items have in
// the whole.
START_TEST(slices_are_parts_of_the_whole)
{
    struct engine *engine = open_file(MODELS "/lookups.onnx", library(), 5);
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){MOST_ITEMS, 0}, NULL);
    struct engine_request request = {.number = 1000000007, .items = 8};
    float kept[8 * N_OUT];
    uint32_t n;
    memcpy(kept, engine_worker_run(worker, &request, &n), sizeof kept);
    request.whole_items = 8;
    for (request.first = 0; request.first < 8; request.first++)
        for (request.items = 1; request.first + request.items <= 8; request.items++)
            ck_assert_mem_eq(engine_worker_run(worker, &request, &n),
                             kept + (size_t)request.first * N_OUT,
                             (size_t)request.items * N_OUT * sizeof *kept);
    engine_worker_close(worker);
    engine_close(engine);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", computes_the_model_of_a_file},      {"core", requests_depend_on_seed_and_number},
        {"core", slices_are_parts_of_the_whole},     {"limits", integers_without_a_table},
        {"limits", a_model_without_results_by_item}, {"errors", says_what_it_cannot_run},
        {"errors", says_what_the_library_refuses},
    };
    return suite_run("engine_ort", tests, sizeof tests / sizeof *tests);
}
