// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_work.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "study/doc.h"
#include "study/library.h"
#include "study/onnx_bag.h"
#include "study/onnx_bytes.h"
#include "support/suite.h"

static const struct onnx_work_options plain = {NULL, NULL, 0};

static struct onnx_work made(const struct onnx_graph *graph,
                             const struct onnx_work_options *options)
{
    struct onnx_work work;
    struct err err = {0};
    ck_assert_msg(onnx_work_make(&work, graph, options, &err) == 0, "%s", err.text);
    return work;
}

static struct model model_of(const struct onnx_graph *graph)
{
    struct onnx_work work = made(graph, &plain);
    struct model model;
    struct err err = {0};
    ck_assert_msg(onnx_work_model(&work, "m", "folder/m.onnx", &model, &err) == 0, "%s", err.text);
    onnx_work_release(&work);
    return model;
}

// The catalogue's RMC1, drawn as a graph, costs what the catalogue derives from its architecture:
// every class, every lookup, every byte.
START_TEST(a_graph_of_rmc1_is_rmc1)
{
    struct onnx_bytes bytes = onnx_bytes_rmc1();
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct model model = model_of(&graph);
    struct library library;
    struct model_work ours, theirs;
    struct err err;
    ck_assert_int_eq(library_load(&library, &err), 0);
    model_derive(&model, &ours);
    model_derive(library_model(&library, "rmc1-repo"), &theirs);
    ck_assert_double_eq(work_flop_per_item(&ours), 221729);
    ck_assert_double_eq(ours.lookups_per_item, 640);
    for (int c = 0; c < N_WORK_CLASSES; c++) {
        ck_assert_double_eq(ours.by_class[c].flop_per_item, theirs.by_class[c].flop_per_item);
        ck_assert_double_eq(ours.by_class[c].weight_bytes, theirs.by_class[c].weight_bytes);
    }
    ck_assert_mem_eq(&ours, &theirs, sizeof ours);
    ck_assert_int_eq(model.bound, BOUND_EMBEDDING);
    model_release(&model);
    library_release(&library);
    onnx_file_release(&graph);
}
END_TEST

// A stack of layers is 2 m n each; nothing of it is once per request.
START_TEST(a_stack_is_counted_exactly)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 100});
    onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){100, 40});
    onnx_bytes_weights(&bytes, "v", 2, (int64_t[]){40, 1});
    onnx_bytes_node(&bytes, "MatMul", "x w", "a");
    onnx_bytes_node(&bytes, "Relu", "a", "b");
    onnx_bytes_node(&bytes, "MatMul", "b v", "c");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct onnx_work work = made(&graph, &plain);
    ck_assert_double_eq(work.ops[0].flop.item, 2 * 100 * 40);
    ck_assert_double_eq(work.ops[2].flop.item, 2 * 40);
    ck_assert_double_eq(work.ops[0].flop.once, 0);
    ck_assert_str_eq(work.batch, "n");
    char *shape = onnx_work_shape(&work.ops[0]);
    ck_assert_str_eq(shape, "N x 40");
    mem_free(shape);
    onnx_work_release(&work);
    struct model model = model_of(&graph);
    struct model_work derived;
    model_derive(&model, &derived);
    ck_assert_double_eq(work_flop_per_item(&derived), 2 * 100 * 40 + 40 + 2 * 40);
    ck_assert_double_eq(work_weight_bytes(&derived), 4 * (4000 + 40));
    ck_assert_double_eq(derived.dense_bytes_per_item, 400);
    model_release(&model);
    onnx_file_release(&graph);
}
END_TEST

// A user's part, of one row, runs once per request: its layers, its lookups and its inputs.
START_TEST(what_has_no_items_is_the_requests)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "items", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 16});
    onnx_bytes_input(&bytes, "user", ONNX_INT64, 2, (int64_t[]){1, 30});
    onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){500, 16});
    onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){16, 16});
    onnx_bytes_node(&bytes, "Gather", "t user", "rows");
    onnx_bytes_node_list(&bytes, "ReduceSum", "rows", "bag", "axes", 1, (int64_t[]){1});
    onnx_bytes_node(&bytes, "MatMul", "bag w", "u");
    onnx_bytes_node(&bytes, "Mul", "items u", "p");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct model model = model_of(&graph);
    struct model_work work;
    model_derive(&model, &work);
    ck_assert_double_eq(work.lookups_per_request, 30);
    ck_assert_double_eq(work.lookups_per_item, 0);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].request.bytes, 30 * 64);
    ck_assert_double_eq(work.by_class[WORK_FC].request.flop, 2 * 16 * 16);
    ck_assert_double_eq(work.by_class[WORK_FC].flop_per_item, 0);
    ck_assert_double_eq(work.by_class[WORK_ELEMENTWISE].flop_per_item, 16);
    ck_assert_double_eq(work.index_bytes_per_request, 240);
    ck_assert_double_eq(work.dense_bytes_per_item, 64);
    model_release(&model);
    onnx_file_release(&graph);
}
END_TEST

// Two tables of 20 and 30 lookups, pooled and joined: as bags (of flat indices and offsets), or as
// a Gather and a sum each.
static struct onnx_graph pooled_graph(int as_bags)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_weights(&bytes, "t0", 2, (int64_t[]){1000, 16});
    onnx_bytes_weights(&bytes, "t1", 2, (int64_t[]){500, 8});
    for (int t = 0; t < 2; t++) {
        const char *const indices[] = {"i0", "i1"}, *const offsets[] = {"o0", "o1"};
        const char *const tables[] = {"t0", "t1"}, *const outputs[] = {"p0", "p1"};
        const char *const both[] = {"t0 i0", "t1 i1"}, *const rows[] = {"r0", "r1"};
        int64_t n = t == 0 ? 20 : 30;
        if (as_bags) {
            onnx_bytes_input(&bytes, indices[t], ONNX_INT64, 1, (int64_t[]){5 * n});
            onnx_bytes_input(&bytes, offsets[t], ONNX_INT64, 1, (int64_t[]){5});
            onnx_bytes_bag(&bytes, &(struct onnx_bytes_bag){tables[t], indices[t], offsets[t], NULL,
                                                            outputs[t], "ReduceSum", 0, NULL});
            continue;
        }
        onnx_bytes_input(&bytes, indices[t], ONNX_INT64, 2, (int64_t[]){5, n});
        onnx_bytes_node(&bytes, "Gather", both[t], rows[t]);
        onnx_bytes_ints(&bytes, t == 0 ? "a0" : "a1", 1, (int64_t[]){1});
        onnx_bytes_node_with(&bytes, "ReduceSum", t == 0 ? "r0 a0" : "r1 a1", outputs[t],
                             "keepdims", 0);
    }
    onnx_bytes_node_with(&bytes, "Concat", "p0 p1", "y", "axis", 1);
    onnx_bytes_output(&bytes, "y");
    return onnx_bytes_graph(&bytes);
}

// Bags cost what a Gather and a sum of the same rows cost. A request brings their offsets, too.
START_TEST(bags_cost_what_their_sums_do)
{
    struct onnx_graph bags = pooled_graph(1), sums = pooled_graph(0);
    ck_assert_uint_eq(onnx_bag_fold(&bags), 2);
    struct model of_bags = model_of(&bags), of_sums = model_of(&sums);
    struct model_work a, b;
    model_derive(&of_bags, &a);
    model_derive(&of_sums, &b);
    ck_assert_double_eq(a.lookups_per_item, 20 + 30);
    ck_assert_double_eq(a.by_class[WORK_EMBEDDING].flop_per_item, 20 * 16 + 30 * 8);
    ck_assert_double_eq(a.by_class[WORK_EMBEDDING].n_ops, 2);
    ck_assert_double_eq(a.table_bytes, 4 * (1000 * 16 + 500 * 8));
    ck_assert_mem_eq(a.by_class, b.by_class, sizeof a.by_class);
    ck_assert_double_eq(a.lookups_per_item, b.lookups_per_item);
    ck_assert_double_eq(a.index_bytes_per_item, b.index_bytes_per_item + 2 * 8);
    ck_assert_double_eq(of_bags.pooled_rows.v[1], 1);
    model_release(&of_bags);
    model_release(&of_sums);
    onnx_file_release(&bags);
    onnx_file_release(&sums);
}
END_TEST

// What is written reads back, through the catalogue, to the same work.
START_TEST(the_file_reads_back)
{
    struct onnx_bytes bytes = onnx_bytes_rmc1();
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct model model = model_of(&graph);
    char *text = onnx_work_yaml(&model);
    struct err err = {0};
    struct doc *doc = doc_parse("m.yaml", text, strlen(text), &err);
    ck_assert_msg(doc != NULL, "%s", err.text);
    struct library library = {0};
    const struct library_source source = {.origin = "m.yaml"};
    ck_assert_msg(library_add(&library, doc_root(doc), &source, &err) == 0, "%s", err.text);
    const struct model *again = library_model(&library, "m");
    ck_assert_ptr_nonnull(again);
    ck_assert(library_same_model(&model, again));
    ck_assert_str_eq(again->title, "imported from m.onnx");
    ck_assert_ptr_nonnull(strstr(again->sources, "written by a test"));
    struct model_work ours, theirs;
    model_derive(&model, &ours);
    model_derive(again, &theirs);
    ck_assert_mem_eq(&ours, &theirs, sizeof ours);
    doc_destroy(doc);
    library_release(&library);
    mem_free(text);
    model_release(&model);
    onnx_file_release(&graph);
}
END_TEST

// A file for one size is taken as one for any where nothing in it insists on that size.
START_TEST(a_size_may_count_the_items)
{
    struct onnx_bytes bytes = {0};
    struct onnx_work work;
    struct err err = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){64, 8});
    onnx_bytes_node(&bytes, "Relu", "x", "y");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    work = made(&graph, &plain);
    ck_assert_double_eq(work.ops[0].flop.item, 8);
    ck_assert_str_eq(work.batch, "64");
    onnx_work_release(&work);
    onnx_file_release(&graph);
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){64, 8});
    onnx_bytes_ints(&bytes, "s", 3, (int64_t[]){64, 2, 4});
    onnx_bytes_node(&bytes, "Reshape", "x s", "y");
    graph = onnx_bytes_graph(&bytes);
    ck_assert_int_eq(onnx_work_make(&work, &graph, &plain, &err), -1);
    ck_assert_str_eq(err.text, "operator Reshape \"y\": its shape does not fit its input; the file "
                               "is for 64 items: export it with an open first dimension");
    onnx_file_release(&graph);
}
END_TEST

static void refused(struct onnx_bytes *bytes, const char *batch, const char *setting,
                    const char *text)
{
    struct onnx_graph graph = onnx_bytes_graph(bytes);
    const struct onnx_work_options options = {batch, &setting, setting != NULL};
    struct onnx_work work;
    struct err err = {0};
    ck_assert_int_eq(onnx_work_make(&work, &graph, &options, &err), -1);
    ck_assert_str_eq(err.text, text);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_null(work.ops);
    onnx_file_release(&graph);
}

static struct onnx_bytes relu_of(size_t rank, const int64_t *dims, const int64_t *others)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, rank, dims);
    if (others)
        onnx_bytes_input(&bytes, "z", ONNX_FLOAT, rank, others);
    onnx_bytes_node(&bytes, "Relu", "x", "y");
    return bytes;
}

// What is not plain about the items is asked for, by the option that answers it.
START_TEST(unclear_items_are_asked_for)
{
    struct onnx_bytes bytes = relu_of(2, (int64_t[]){3, 8}, (int64_t[]){5, 8});
    refused(&bytes, NULL, NULL,
            "first dimensions of inputs are 3 and 5 and none is open: expected --batch-dim with "
            "the one that counts the items");
    bytes = relu_of(2, (int64_t[]){3, 8}, NULL);
    refused(&bytes, "batch", NULL, "--batch-dim \"batch\": no input has such a dimension");
    bytes = relu_of(2, (int64_t[]){ONNX_OPEN, ONNX_OPEN}, NULL);
    refused(&bytes, NULL, NULL, "input \"x\" counts the items in more than one dimension");
    bytes = relu_of(2, (int64_t[]){3, ONNX_OPEN}, NULL);
    refused(&bytes, "3", NULL,
            "input \"x\" leaves its dimension \"n\" open: expected its size, such as --set "
            "n=50, or 50N for 50 of each item");
    bytes = relu_of(2, (int64_t[]){3, ONNX_OPEN}, NULL);
    refused(&bytes, "3", "m=4", "--set \"m=4\": no input has a dimension of that name");
    bytes = relu_of(2, (int64_t[]){3, ONNX_OPEN}, NULL);
    refused(&bytes, "3", "n=0",
            "--set \"n=0\": expected the name of a dimension and its size, such as seq=50, or "
            "ids=30N for 30 of each item");
    bytes = relu_of(0, NULL, NULL);
    refused(&bytes, NULL, NULL, "no input has a dimension that could count the items");
}
END_TEST

// Where requests bring indices alone, two for each bag of one table and one for each of another,
// the offsets being numbers in the file, the items are asked for, and are as many as are named.
START_TEST(indices_alone_may_count_the_items)
{
    struct onnx_bytes bytes = {0};
    struct onnx_work work;
    struct err err = {0};
    onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){1000, 16});
    onnx_bytes_input(&bytes, "i", ONNX_INT64, 1, (int64_t[]){6});
    onnx_bytes_input(&bytes, "k", ONNX_INT64, 1, (int64_t[]){3});
    onnx_bytes_ints(&bytes, "two", 3, (int64_t[]){0, 2, 4});
    onnx_bytes_ints(&bytes, "one", 3, (int64_t[]){0, 1, 2});
    onnx_bytes_bag(&bytes,
                   &(struct onnx_bytes_bag){"t", "i", "two", NULL, "p", "ReduceSum", 0, NULL});
    onnx_bytes_bag(&bytes,
                   &(struct onnx_bytes_bag){"t", "k", "one", NULL, "q", "ReduceSum", 0, NULL});
    onnx_bytes_node(&bytes, "Add", "p q", "y");
    onnx_bytes_output(&bytes, "y");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    ck_assert_uint_eq(onnx_bag_fold(&graph), 2);
    ck_assert_int_eq(onnx_work_make(&work, &graph, &plain, &err), -1);
    ck_assert_str_eq(err.text, "first dimensions of inputs are 6 and 3 and none is open: expected "
                               "--batch-dim with the one that counts the items");
    work = made(&graph, &(struct onnx_work_options){"3", NULL, 0});
    ck_assert_double_eq(work.ops[0].lookups.item, 2);
    ck_assert_double_eq(work.ops[1].lookups.item, 1);
    ck_assert_double_eq(work.ops[0].rows.item, 1);
    ck_assert_double_eq(work.ops[2].flop.item, 16);
    onnx_work_release(&work);
    onnx_file_release(&graph);
}
END_TEST

static void refuse_bags(const char *file, const char *batch, const char *setting, const char *text)
{
    char path[1000];
    struct onnx_graph graph;
    struct onnx_work work;
    struct err err = {0};
    const struct onnx_work_options options = {batch, &setting, setting != NULL};
    snprintf(path, sizeof path, "%s/%s.onnx", RF_CORPUS, file);
    ck_assert_msg(onnx_file_read(&graph, path, &err) == 0, "%s", err.text);
    ck_assert_uint_gt(onnx_bag_fold(&graph), 0);
    ck_assert_int_eq(onnx_work_make(&work, &graph, &options, &err), -1);
    ck_assert_str_eq(err.text, text);
    onnx_file_release(&graph);
}

// How many indices bags have, where the file leaves that open, is asked for by the option that says
// it; sizes that are none, and bags that do not grow with the items, are errors.
START_TEST(open_bags_are_asked_for)
{
    refuse_bags("bags-weighted", NULL, NULL,
                "input \"i\" leaves its dimension \"ids\" open: expected its size, such as --set "
                "ids=30N where each bag has 30 indices");
    refuse_bags(
        "bags-dlrm", NULL, NULL,
        "first dimensions of inputs are called \"batch\" and \"ends\": expected --batch-dim "
        "with the one that counts the items, or both, separated by a comma");
    static const char *const wrong[] = {"ids=",    "ids=N+",   "ids=N2",   "ids=0N",
                                        "ids=-3N", "ids=3N+x", "ids=1+3N", "ids=30M"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "--set \"%s\": expected the name of a dimension and its size, such as seq=50, or "
                 "ids=30N for 30 of each item",
                 wrong[i]);
        refuse_bags("bags-weighted", NULL, wrong[i], text);
    }
    refuse_bags("bags-weighted", NULL, "ids=30",
                "operator EmbeddingBag \"/e/Loop\": its bags and the indices in them do not grow "
                "together with the items; export it with an open first dimension");
}
END_TEST

// Sizes in items: indices of bags, offsets and their end.
START_TEST(sizes_may_grow_with_the_items)
{
    static const char *const settings[] = {"ids0=3N", "ids1=4N", "ids2=5N", "ends=N+1"};
    const struct onnx_work_options options = {NULL, settings, 4};
    struct onnx_graph graph;
    struct err err = {0};
    ck_assert_msg(onnx_file_read(&graph, RF_CORPUS "/bags-dlrm.onnx", &err) == 0, "%s", err.text);
    ck_assert_uint_eq(onnx_bag_fold(&graph), 3);
    struct onnx_work work = made(&graph, &options);
    double lookups = 0;
    for (size_t i = 0; i < graph.n_nodes; i++) {
        lookups += work.ops[i].lookups.item;
        ck_assert_double_eq(work.ops[i].lookups.once, 0);
    }
    ck_assert_double_eq(lookups, 3 + 4 + 5);
    ck_assert_str_eq(work.batch, "batch");
    ck_assert_double_eq(work.index_bytes.item, 8 * (3 + 4 + 5 + 3));
    ck_assert_double_eq(work.index_bytes.once, 8);
    onnx_work_release(&work);
    onnx_file_release(&graph);
}
END_TEST

// Every item with every other: that is not work per item, whatever the three trials say.
START_TEST(squares_are_refused)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 8});
    onnx_bytes_node(&bytes, "Transpose", "x", "t");
    onnx_bytes_node(&bytes, "MatMul", "x t", "y");
    refused(&bytes, NULL, NULL,
            "operator MatMul \"y\": its work does not grow in proportion to the items; is the "
            "dimension that counts them the right one (--batch-dim)?");
}
END_TEST

// A damaged graph that can still be read gives a model or one line.
START_TEST(damage_is_survived)
{
    struct onnx_bytes bytes = onnx_bytes_rmc1(), file = onnx_bytes_file(&bytes);
    uint32_t random = 7;
    size_t n_models = 0, n_lines = 0;
    for (int i = 0; i < 3000; i++) {
        uint8_t *copy = mem_alloc(file.n);
        memcpy(copy, file.at, file.n);
        for (int k = 0; k < 2; k++) {
            random = random * 1664525 + 1013904223;
            copy[(random >> 8) % file.n] = (uint8_t)(random >> 3);
        }
        struct onnx_graph graph;
        struct onnx_work work;
        struct model model;
        struct err err = {0};
        if (onnx_file_parse(&graph, "m.onnx", copy, file.n, &err) == 0) {
            if (onnx_work_make(&work, &graph, &plain, &err) == 0) {
                if (onnx_work_model(&work, "m", "m.onnx", &model, &err) == 0) {
                    model_release(&model);
                    n_models++;
                }
                onnx_work_release(&work);
            }
            onnx_file_release(&graph);
        }
        n_lines += err.code != ERR_NONE;
        ck_assert_ptr_null(strchr(err.text, '\n'));
        mem_free(copy);
    }
    ck_assert_uint_eq(n_models + n_lines, 3000);
    ck_assert_uint_gt(n_models, 0);
    ck_assert_uint_gt(n_lines, 0);
    onnx_bytes_release(&file);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", a_graph_of_rmc1_is_rmc1},
        {"core", a_stack_is_counted_exactly},
        {"core", what_has_no_items_is_the_requests},
        {"core", the_file_reads_back},
        {"core", bags_cost_what_their_sums_do},
        {"core", sizes_may_grow_with_the_items},
        {"limits", indices_alone_may_count_the_items},
        {"errors", open_bags_are_asked_for},
        {"limits", a_size_may_count_the_items},
        {"errors", unclear_items_are_asked_for},
        {"errors", squares_are_refused},
        {"errors", damage_is_survived},
    };
    return suite_run("onnx_work", tests, sizeof tests / sizeof *tests);
}
