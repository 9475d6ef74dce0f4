// SPDX-License-Identifier: Apache-2.0
// The engine `own` against the naive computation of the same models.
#include "native/engine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "native/naive.h"
#include "native/naive_sequence.h"
#include "native/narrow.h"
#include "native/product.h"
#include "native/inputs.h"
#include "study/library.h"
#include "support/suite.h"

enum { SEED = 17, MOST_ITEMS = 300, MOST_OUTPUTS = 4096, MOST_HISTORY = 600 };
#define TABLE_BYTES 2e6

// Without oneDNN the engine says that it is missing, and there is nothing to compare.
static bool have_engine(void)
{
    struct err err = {0};
    struct product_maker *maker = product_maker_open(&err);
    ck_assert_msg(maker || strstr(err.text, "oneDNN is missing"), "%s", err.text);
    product_maker_close(maker);
    return maker != NULL;
}

// Does the processor at hand compute in this format, and the library on it?
static bool have_format(enum model_format format)
{
    struct product_maker *maker = product_maker_open(NULL);
    bool has = maker && product_can(maker, format, NULL) == 0;
    product_maker_close(maker);
    return has;
}

// What the naive computation needs of a model, made as the engine makes it: rows, weights and
// inputs of fp32, whatever the engine makes of them.
struct reference {
    struct network network;
    struct tables tables;
    struct inputs inputs; // those of tables in the engine's format
    struct inputs history, request;
    float *parameters;
    struct naive naive;
};

// Tables of as many rows as the engine has in another format.
static double table_bytes(const struct reference *it, enum model_format format)
{
    return TABLE_BYTES / (4.0 * it->network.dim) *
           (double)narrow_row_bytes(format, it->network.dim);
}

static void make_reference(struct reference *it, const struct model *model,
                           enum model_format format)
{
    struct err err = {0};
    struct tables narrow;
    ck_assert_msg(network_build(&it->network, model, &err) == 0, "%s", err.text);
    ck_assert_int_eq(tables_create(&it->tables, &it->network, FORMAT_FP32, TABLE_BYTES, SEED, &err),
                     0);
    ck_assert_int_eq(
        tables_create(&narrow, &it->network, format, table_bytes(it, format), SEED, &err), 0);
    for (uint32_t t = 0; t < it->network.n_tables; t++)
        ck_assert_uint_eq(tables_n_rows(&narrow, t), tables_n_rows(&it->tables, t));
    inputs_create(&it->inputs, &it->network, &narrow, MOST_ITEMS, SEED);
    inputs_create_of(&it->history, NETWORK_HISTORY, &it->network, &narrow, 1, SEED);
    inputs_create_of(&it->request, NETWORK_REQUEST, &it->network, &narrow, 1, SEED);
    tables_release(&narrow);
    it->parameters = mem_calloc(it->network.n_parameters, sizeof(float));
    network_parameters(&it->network, SEED, it->parameters);
    it->naive = (struct naive){model, &it->network, it->parameters, &it->tables, SEED};
}

static void release_reference(struct reference *it)
{
    mem_free(it->parameters);
    inputs_release(&it->inputs);
    inputs_release(&it->history);
    inputs_release(&it->request);
    tables_release(&it->tables);
    network_release(&it->network);
}

// What a narrow layer adds, in parts of the size of what comes out: as much of a sum of products as
// of one of them. bf16: both numbers are off by at most 2^-8 of themselves, 0.42 of that at root
// mean square. int8: a weight, evenly distributed itself, by half of 1 / 127 of the largest, and an
// activation likewise, whose largest among n is sqrt(2 ln n) times their size. Layers pass on what
// is off, so these add up; the rows of the tables count as one layer more. A quarter of it gets
// through a sigmoid: that is one standard deviation of what comes out.
static double narrow_tolerance(const struct network *network, enum model_format format)
{
    double off = 0;
    for (uint32_t i = 0; i <= network->n_layers; i++) {
        double in = i < network->n_layers ? network->layers[i].in : network->dim;
        double weight = 0.5 / 127, activation = sqrt(2 * log(fmax(in, 2)) / 12) / 127;
        off += format == FORMAT_BF16 ? 0x1p-8 * 0.42 * sqrt(2) : hypot(weight, activation);
    }
    return off;
}

// A sum of n products of fp32 is off by some sqrt(n) roundings of 2^-24 of its size, which is about
// 1 in these networks; layers pass on what is off and add their own. Twice that, for sizes above 1.
static double tolerance(const struct network *network, enum model_format format)
{
    double roundings = 0;
    if (format != FORMAT_FP32)
        return narrow_tolerance(network, format);
    for (uint32_t i = 0; i < network->n_layers; i++)
        roundings += sqrt(network->layers[i].in);
    for (uint32_t i = 0; i < network->sequence.n_blocks; i++) // of scores, and of values
        roundings += sqrt(network->sequence.key_dim) + sqrt(MOST_HISTORY);
    return 2 * roundings * 0x1p-24 + 1e-6; // of exponentials
}

struct compared {
    double worst, least, most; // difference; results
    double squares, n;         // of differences
};

static void compare_results(const double *results, const float *outputs, uint32_t n,
                            struct compared *compared)
{
    for (uint32_t i = 0; i < n; i++) {
        ck_assert(isfinite(results[i]));
        double difference = results[i] - (double)outputs[i];
        compared->worst = fmax(compared->worst, fabs(difference));
        compared->squares += difference * difference;
        compared->n++;
        compared->least = fmin(compared->least, results[i]);
        compared->most = fmax(compared->most, results[i]);
    }
}

static void compare_item(const struct reference *it, uint64_t number, uint32_t items, uint32_t item,
                         const float *outputs, struct compared *compared)
{
    double results[MOST_OUTPUTS];
    uint64_t at = number * items + item;
    uint32_t n = naive_run(&it->naive, at % it->inputs.n_items, at % it->inputs.n_featured, results,
                           MOST_OUTPUTS);
    compare_results(results, outputs + (size_t)item * n, n, compared);
}

// The worst of some hundred results is within four standard deviations, their mean square within
// one; and results differ by more than that, or there would be little to see.
static void expect_near(const struct network *network, const char *name, enum model_format format,
                        const struct compared *compared)
{
    double times = format == FORMAT_FP32 ? 100 : format == FORMAT_BF16 ? 10 : 2;
    double allowed = tolerance(network, format);
    printf("%-16s %s off by %.2g (%.2g at root mean square), allowed %.2g, results %.3g to %.3g\n",
           name, model_format_names[format], compared->worst, sqrt(compared->squares / compared->n),
           allowed, compared->least, compared->most);
    ck_assert_double_le(compared->worst, allowed);
    ck_assert_double_le(sqrt(compared->squares / compared->n), allowed / 4);
    ck_assert_double_gt(compared->most - compared->least, times * allowed);
}

// Requests of one item and of many, of which the first, the last and one between are compared.
static void compare_model(const struct model *model, enum model_format format)
{
    const uint32_t sizes[] = {1, 3, 77, MOST_ITEMS};
    struct reference it;
    struct err err = {0};
    struct compared compared = {.least = INFINITY, .most = -INFINITY};
    make_reference(&it, model, format);
    struct engine_setup setup = {.model = model,
                                 .format = format,
                                 .most_table_bytes = table_bytes(&it, format),
                                 .seed = SEED};
    struct engine *engine = engine_open(&engine_own, &setup, &err);
    ck_assert_msg(engine, "%s", err.text);
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){MOST_ITEMS, 0}, &err);
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t n_outputs, number = 1000 * i + 7;
        const float *outputs = engine_worker_run(
            worker, &(struct engine_request){.number = number, .items = sizes[i]}, &n_outputs);
        ck_assert_uint_eq(n_outputs, it.network.out.width);
        compare_item(&it, number, sizes[i], 0, outputs, &compared);
        compare_item(&it, number, sizes[i], sizes[i] / 2, outputs, &compared);
        compare_item(&it, number, sizes[i], sizes[i] - 1, outputs, &compared);
    }
    expect_near(&it.network, model->name, format, &compared);
    release_reference(&it);
    engine_worker_close(worker);
    engine_close(engine);
}

static struct library loaded(void)
{
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, NULL), 0);
    return library;
}

static void compare_named(const char *const *names, enum model_format format)
{
    struct library library = loaded();
    for (size_t i = 0; names[i] && have_engine() && have_format(format); i++)
        compare_model(library_model(&library, names[i]), format);
    library_release(&library);
}

// The models of the reference repository, and those of the paper that differ from them in more than
// numbers, compute what the naive computation does.
START_TEST(equals_naive)
{
    static const char *const names[] = {"ncf",        "ncf-repo",  "wnd-repo",  "mtwnd",
                                        "mtwnd-repo", "rmc1",      "rmc1-repo", "rmc2-repo",
                                        "rmc3-repo",  "din",       "din-repo",  "din-shipped",
                                        "dien",       "dien-repo", "dlrm-v1",   NULL};
    compare_named(names, FORMAT_FP32);
}
END_TEST

// In narrow formats, of every kind of model: joined tables, tasks, sums of many rows, attention on
// the way and as layers, recurrent layers of both kinds, dots. What is not a product or a row is
// fp32.
static const char *const narrowed[] = {"ncf-repo",  "wnd-repo",  "mtwnd-repo", "rmc1-repo",
                                       "rmc2-repo", "rmc3-repo", "din-repo",   "din-shipped",
                                       "dien",      "dien-repo", "dlrm-v1",    NULL};

START_TEST(bf16_is_near_naive)
{
    compare_named(narrowed, FORMAT_BF16);
}
END_TEST

START_TEST(int8_is_near_naive)
{
    compare_named(narrowed, FORMAT_INT8);
}
END_TEST

// Kinds of models that the catalogue has in sizes too large for a test: cross layers, mask blocks,
// and attention whose first layer has several outputs.
START_TEST(other_kinds_equal_naive)
{
    static double dense[] = {13, 32, 16}, top[] = {64, 1}, task[] = {8, 1}, unit[] = {8, 32};
    struct library library = loaded();
    struct model cross = *library_model(&library, "dlrm-dcnv2");
    cross.dense_mlp = (struct reals){3, dense};
    cross.top_mlp = (struct reals){2, top};
    cross.dim = 16;
    cross.cross_rank = 24;
    struct model mask = *library_model(&library, "masknet");
    mask.dense_inputs = 50;
    mask.mask_aggregation = 20;
    mask.mask_output = 24;
    mask.top_mlp = (struct reals){1, top};
    mask.task_mlp = (struct reals){2, task};
    struct model attention = *library_model(&library, "din");
    attention.attention_mlp = (struct reals){2, unit};
    const struct model *const models[] = {&cross, &mask, &attention};
    for (size_t i = 0; i < 3 && have_engine(); i++)
        compare_model(models[i], FORMAT_FP32);
    library_release(&library);
}
END_TEST

// ---- histories ----------------------------------------------------------------------------------

static void compare_candidate(const struct reference *it, const struct naive_sequence *sequence,
                              const struct engine_request *request, uint32_t item,
                              const float *outputs, struct compared *compared)
{
    double results[MOST_OUTPUTS];
    uint64_t at = request->number * request->items + item;
    uint32_t n = naive_sequence_run(sequence, at % it->inputs.n_items, results, MOST_OUTPUTS);
    compare_results(results, outputs + (size_t)item * n, n, compared);
}

static void compare_request(const struct reference *it, struct engine_worker *worker,
                            const struct engine_request *request, struct compared *compared)
{
    uint32_t n_outputs, number = (uint32_t)request->number;
    struct naive_history history = {.place = (uint64_t)number * request->history_items %
                                             it->history.n_items,
                                    .n_ring = it->history.n_items,
                                    .request = number % it->request.n_items,
                                    .n = request->history_items};
    struct naive_sequence *sequence = naive_sequence_create(&it->naive, &history);
    const float *outputs = engine_worker_run(worker, request, &n_outputs);
    ck_assert_uint_eq(n_outputs, it->network.out.width);
    compare_candidate(it, sequence, request, 0, outputs, compared);
    compare_candidate(it, sequence, request, request->items / 2, outputs, compared);
    compare_candidate(it, sequence, request, request->items - 1, outputs, compared);
    naive_sequence_destroy(sequence);
}

// Requests of one item and of many, with no history and with some.
static void compare_sequence(const struct model *model, enum model_format format,
                             const struct engine_request *requests, size_t n)
{
    struct reference it;
    struct err err = {0};
    struct compared compared = {.least = INFINITY, .most = -INFINITY};
    make_reference(&it, model, format);
    struct engine_setup setup = {.model = model,
                                 .format = format,
                                 .most_table_bytes = table_bytes(&it, format),
                                 .seed = SEED};
    struct engine *engine = engine_open(&engine_own, &setup, &err);
    ck_assert_msg(engine, "%s", err.text);
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){MOST_ITEMS, MOST_HISTORY}, &err);
    for (size_t i = 0; i < n; i++)
        compare_request(&it, worker, &requests[i], &compared);
    expect_near(&it.network, model->name, format, &compared);
    release_reference(&it);
    engine_worker_close(worker);
    engine_close(engine);
}

// The catalogue's models that read a history: short ones, for the naive computation is slow.
START_TEST(sequences_equal_naive)
{
    static const struct engine_request many[] = {
        {1, 1, 0, 0, 0},   {2, 5, 1, 0, 0},   {3, 300, 2, 0, 0},  {4, 7, 15, 0, 0},
        {5, 33, 16, 0, 0}, {6, 2, 130, 0, 0}, {7, 40, 257, 0, 0}, {8, 3, MOST_HISTORY, 0, 0}};
    static const struct engine_request few[] = {{1, 1, 0, 0, 0}, {2, 3, 1, 0, 0}, {3, 9, 7, 0, 0}};
    struct library library = loaded();
    if (have_engine()) {
        compare_sequence(library_model(&library, "sasrec"), FORMAT_FP32, many, 8);
        compare_sequence(library_model(&library, "hstu"), FORMAT_FP32, few, 3);
        compare_sequence(library_model(&library, "hstu-large"), FORMAT_FP32, few, 3);
    }
    library_release(&library);
}
END_TEST

// Long histories, of small models of each kind: one part that goes back and three, layers behind
// the attention or none, several tasks, rows of the request, heads whose widths fill no vector.
START_TEST(long_histories_equal_naive)
{
    static const struct engine_request requests[] = {{1, 1, 0, 0, 0},
                                                     {2, 300, 1, 0, 0},
                                                     {3, 17, 64, 0, 0},
                                                     {900, 5, 391, 0, 0},
                                                     {5, 300, MOST_HISTORY, 0, 0}};
    static double task[] = {8, 1}, top[] = {24}, once[] = {2, 1, 0}, mlp[] = {40, 48, 32};
    struct library library = loaded();
    struct model three = *library_model(&library, "hstu"), one = three, soft;
    three.dim = 32;
    three.blocks = 2;
    three.heads = 3;
    three.key_dim = 20;
    three.value_dim = 24;
    one = three;
    one.output_parts = 1;
    one.request_lookups = (struct reals){3, once};
    one.top_mlp = (struct reals){1, top};
    one.task_mlp = (struct reals){2, task};
    one.tasks = 3;
    soft = one;
    soft.gated = false;
    soft.block_mlp = (struct reals){3, mlp};
    const struct model *const models[] = {&three, &one, &soft};
    for (size_t i = 0; i < 3 && have_engine(); i++)
        compare_sequence(models[i], FORMAT_FP32, requests, 5);
    library_release(&library);
}
END_TEST

// In narrow formats rows and products are; attention is not.
START_TEST(narrow_sequences_are_near_naive)
{
    static const struct engine_request requests[] = {
        {1, 1, 0, 0, 0}, {2, 50, 1, 0, 0}, {3, 17, 64, 0, 0}, {4, 5, 200, 0, 0}};
    static const enum model_format formats[] = {FORMAT_BF16, FORMAT_INT8};
    struct library library = loaded();
    struct model small = *library_model(&library, "hstu-large");
    small.blocks = 3;
    small.dim = 64;
    for (size_t i = 0; i < 2; i++)
        if (have_engine() && have_format(formats[i])) {
            compare_sequence(library_model(&library, "sasrec"), formats[i], requests, 4);
            compare_sequence(&small, formats[i], requests, 4);
        }
    library_release(&library);
}
END_TEST

// Which worker runs a request with a history, and how long a history could be, changes nothing;
// another length does.
START_TEST(histories_are_what_their_length_says)
{
    struct library library = loaded();
    struct engine_setup setup = {.model = library_model(&library, "sasrec"), .seed = SEED};
    struct engine *engine = have_engine() ? engine_open(&engine_own, &setup, NULL) : NULL;
    if (engine) {
        uint32_t n = 0;
        struct engine_worker *one =
            engine_worker_open(engine, &(struct engine_limits){40, 100}, NULL);
        struct engine_worker *two =
            engine_worker_open(engine, &(struct engine_limits){50, 900}, NULL);
        engine_worker_run(
            two, &(struct engine_request){.number = 9, .items = 50, .history_items = 900}, &n);
        const float *results = engine_worker_run(
            one, &(struct engine_request){.number = 5, .items = 40, .history_items = 100}, &n);
        const float *same = engine_worker_run(
            two, &(struct engine_request){.number = 5, .items = 40, .history_items = 100}, &n);
        ck_assert_mem_eq(results, same, 40 * n * sizeof *same);
        ck_assert_mem_ne(
            results,
            engine_worker_run(
                two, &(struct engine_request){.number = 5, .items = 40, .history_items = 99}, &n),
            40 * n * sizeof *same);
        // A slice of it brings all of the history, too.
        const struct engine_request slice = {
            .number = 5, .items = 20, .first = 13, .whole_items = 40, .history_items = 100};
        same = engine_worker_run(two, &slice, &n);
        for (uint32_t i = 0; i < 20 * n; i++)
            ck_assert_float_eq_tol(same[i], results[13 * n + i], 1e-5f);
        engine_worker_close(one);
        engine_worker_close(two);
    }
    engine_close(engine);
    library_release(&library);
}
END_TEST

// Which worker runs a request, and how large it could be, changes nothing; another number does.
START_TEST(requests_are_what_their_number_says)
{
    struct library library = loaded();
    struct engine_setup setup = {
        .model = library_model(&library, "rmc1"), .most_table_bytes = TABLE_BYTES, .seed = SEED};
    struct engine *engine = have_engine() ? engine_open(&engine_own, &setup, NULL) : NULL;
    if (engine) {
        uint32_t n = 0;
        struct engine_worker *one =
            engine_worker_open(engine, &(struct engine_limits){50, 0}, NULL);
        struct engine_worker *two =
            engine_worker_open(engine, &(struct engine_limits){500, 0}, NULL);
        const float *results =
            engine_worker_run(one, &(struct engine_request){.number = 5, .items = 40}, &n);
        const float *same =
            engine_worker_run(two, &(struct engine_request){.number = 5, .items = 40}, &n);
        ck_assert_mem_eq(results, same, 40 * n * sizeof *same);
        ck_assert_mem_ne(
            results, engine_worker_run(two, &(struct engine_request){.number = 6, .items = 40}, &n),
            40 * n * sizeof *same);
        engine_worker_close(one);
        engine_worker_close(two);
    }
    engine_close(engine);
    library_release(&library);
}
END_TEST

// What is held and by what it is computed can be read.
START_TEST(tells_what_it_is)
{
    struct library library = loaded();
    struct engine_setup setup = {.model = library_model(&library, "ncf"), .most_table_bytes = 43e6};
    struct engine *engine = have_engine() ? engine_open(&engine_own, &setup, NULL) : NULL;
    if (engine) {
        const struct engine_facts *facts = engine_facts_of(engine);
        ck_assert_double_le(facts->table_bytes, 43e6);
        ck_assert_double_eq_tol(facts->table_frac, 43e6 / (336000 * 256.0), 1e-9);
        ck_assert_double_eq(facts->weight_bytes, 4 * (128 * 256 + 256 * 256 + 256 * 128 + 640.0));
        ck_assert_ptr_nonnull(strstr(facts->kernels, "oneDNN"));
    }
    engine_close(engine);
    library_release(&library);
}
END_TEST

// A network that cannot be run is refused by one line, and so is no network at all.
START_TEST(refuses_by_name)
{
    struct library library = loaded();
    struct model two_parts = *library_model(&library, "hstu");
    struct engine_setup setup = {.model = &two_parts};
    struct err err = {0};
    two_parts.output_parts = 2;
    ck_assert_ptr_null(engine_open(&engine_own, &setup, &err));
    ck_assert_msg(!have_engine() ||
                      strstr(err.text, "engine own: hstu: cannot be run: output_parts"),
                  "%s", err.text);
    setup.model = NULL;
    ck_assert_ptr_null(engine_open(&engine_own, &setup, &err));
    ck_assert_msg(strstr(err.text, "expected a model"), "%s", err.text);
    library_release(&library);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", equals_naive},
        {"core", other_kinds_equal_naive},
        {"core", bf16_is_near_naive},
        {"core", int8_is_near_naive},
        {"core", requests_are_what_their_number_says},
        {"core", sequences_equal_naive},
        {"core", long_histories_equal_naive},
        {"core", narrow_sequences_are_near_naive},
        {"core", histories_are_what_their_length_says},
        {"limits", tells_what_it_is},
        {"errors", refuses_by_name},
    };
    return suite_run("engine_own", tests, sizeof tests / sizeof *tests);
}
