// SPDX-License-Identifier: Apache-2.0
#include "native/network.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "study/library.h"
#include "support/suite.h"

static struct library loaded(void)
{
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, NULL), 0);
    return library;
}

// The layers of a network multiply what model_derive() counts, and its lookups are as many.
START_TEST(does_the_work_of_the_catalogue)
{
    struct library library = loaded();
    uint32_t n_built = 0;
    for (size_t i = 0; i < library.n_models; i++) {
        const struct model *model = &library.models[i];
        struct network network;
        struct model_work work;
        if (network_build(&network, model, NULL) != 0)
            continue;
        model_derive(model, &work);
        double weights = 0;
        for (uint32_t k = 0; k < network.n_layers; k++)
            weights += (double)(network.layers[k].in + 1) * network.layers[k].out;
        ck_assert_double_eq(weights, (double)network.n_parameters);
        ck_assert_double_eq(weights, work_weight_bytes(&work) / model_format_bytes(model->format));
        ck_assert_double_eq(network.lookups_per_item, work.lookups_per_item);
        ck_assert_double_eq(network.lookups_per_history, work.lookups_per_history);
        ck_assert_double_eq(network.lookups_per_request, work.lookups_per_request);
        network_release(&network);
        n_built++;
    }
    ck_assert_uint_ge(n_built, 20);
    library_release(&library);
}
END_TEST

// Every column of a buffer is written by one operator or bag, or by bags of which the first does
// not add; nothing reads what nothing wrote.
START_TEST(writes_every_column_once)
{
    struct library library = loaded();
    struct network net;
    ck_assert_int_eq(network_build(&net, library_model(&library, "din-repo"), NULL), 0);
    for (uint32_t b = 1; b < net.n_buffers; b++) {
        uint32_t written = 0;
        for (uint32_t i = 0; i < net.n_ops; i++)
            written += net.ops[i].out.buffer == b ? net.ops[i].out.width : 0;
        for (uint32_t i = 0; i < net.n_bags; i++)
            written += net.bags[i].out.buffer == b && !net.bags[i].adds ? net.bags[i].out.width : 0;
        written += net.units.n_units > 0 && net.units.out.buffer == b ? net.units.out.width : 0;
        ck_assert_uint_eq(written, net.buffers[b].width);
    }
    network_release(&net);
    library_release(&library);
}
END_TEST

// Every lookup of every table is there once, for units too.
START_TEST(orders_all_lookups)
{
    struct library library = loaded();
    struct network net;
    ck_assert_int_eq(network_build(&net, library_model(&library, "din-repo"), NULL), 0);
    uint32_t n = net.lookups_per_item;
    uint32_t *table = mem_calloc(n, sizeof *table), *lookup = mem_calloc(n, sizeof *lookup);
    uint32_t *seen = mem_calloc(n, sizeof *seen);
    network_lookups(&net, NETWORK_ITEMS, table, lookup);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_lt(lookup[i], 3);
        seen[3 * table[i] + lookup[i]]++;
    }
    for (uint32_t i = 0; i < n; i++)
        ck_assert_uint_eq(seen[i], 1);
    mem_free(table);
    mem_free(lookup);
    mem_free(seen);
    network_release(&net);
    library_release(&library);
}
END_TEST

static uint32_t count_attention(const struct network *net, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += net->ops[i].kind == NETWORK_ATTEND;
    return n;
}

// A history runs through as many attentions as there are blocks, and so do candidates that are
// tokens behind it; others are compared with what came out of it.
START_TEST(histories_go_first)
{
    struct library library = loaded();
    static const char *const names[] = {"sasrec", "hstu", "hstu-large"};
    for (size_t i = 0; i < 3; i++) {
        const struct model *model = library_model(&library, names[i]);
        struct network net;
        uint32_t table[3], lookup[3];
        ck_assert_int_eq(network_build(&net, model, NULL), 0);
        const struct network_sequence *sequence = &net.sequence;
        ck_assert_uint_eq(sequence->n_blocks, (uint32_t)model->blocks);
        ck_assert_uint_eq(count_attention(&net, 0, sequence->n_token_ops), sequence->n_blocks);
        ck_assert_uint_eq(count_attention(&net, sequence->n_token_ops, net.n_ops), 0);
        ck_assert_uint_lt(sequence->n_token_ops, net.n_ops);
        ck_assert(sequence->ranks == (i > 0));
        // Both are summed where tokens are, or candidates apart from them.
        bool same = net.bags[0].out.buffer == net.history_bags[0].out.buffer;
        ck_assert(same == sequence->ranks);
        ck_assert(sequence->ranks || net.buffers[sequence->state.buffer].once);
        network_lookups(&net, NETWORK_HISTORY, table, lookup);
        ck_assert_uint_eq(table[0], 0);
        ck_assert_uint_eq(network_n_lookups(&net, NETWORK_REQUEST), i == 1);
        network_release(&net);
    }
    library_release(&library);
}
END_TEST

// Parameters of a seed are within their bounds, and others with another seed.
START_TEST(parameters_follow_the_seed)
{
    struct library library = loaded();
    struct network net;
    ck_assert_int_eq(network_build(&net, library_model(&library, "ncf"), NULL), 0);
    float *one = mem_calloc(net.n_parameters, sizeof *one);
    float *two = mem_calloc(net.n_parameters, sizeof *two);
    network_parameters(&net, 1, one);
    network_parameters(&net, 2, two);
    uint32_t equal = 0;
    for (uint32_t k = 0; k < net.n_layers; k++)
        for (size_t i = net.layers[k].weights; i < net.layers[k].biases; i++) {
            ck_assert_float_le(fabsf(one[i]), net.layers[k].bound);
            equal += one[i] == two[i];
        }
    ck_assert_uint_lt(equal, 100);
    network_parameters(&net, 1, two);
    ck_assert_mem_eq(one, two, net.n_parameters * sizeof *one);
    mem_free(one);
    mem_free(two);
    network_release(&net);
    library_release(&library);
}
END_TEST

static void expect(const struct model *model, const char *text)
{
    struct network net;
    struct err err = {0};
    ck_assert_int_eq(network_build(&net, model, &err), -1);
    ck_assert_msg(strstr(err.text, text), "%s", err.text);
    ck_assert_ptr_null(net.ops);
}

// What cannot be run is refused by the key that it is for.
START_TEST(refuses_what_it_cannot_run)
{
    struct library library = loaded();
    double task[] = {1};
    struct model model = *library_model(&library, "sasrec");
    model.task_mlp = (struct reals){1, task};
    expect(&model, "sasrec: cannot be run: task_mlp: expected none");
    model = *library_model(&library, "sasrec");
    model.output_parts = 3;
    expect(&model, "output_parts: expected 1 without a gate, got 3");
    model = *library_model(&library, "hstu");
    model.output_parts = 2;
    expect(&model, "output_parts: expected 1 or 3, got 2");
    model = *library_model(&library, "hstu");
    model.dense_inputs = 4;
    expect(&model, "dense_inputs: expected none");
    double none[] = {0, 0, 0};
    model = *library_model(&library, "hstu");
    model.lookups = (struct reals){3, none};
    expect(&model, "lookups: expected some per item");
    model = *library_model(&library, "dien");
    model.gates = 4;
    expect(&model, "gates: expected 1 or 3, got 4");
    model = *library_model(&library, "din");
    model.behaviours = 249;
    expect(&model, "behaviours: expected");
    model = *library_model(&library, "din");
    model.attention_mlp.n = 1;
    expect(&model, "attention_mlp: expected");
    model = *library_model(&library, "rmc1");
    model.dense_once = true;
    expect(&model, "dense_once");
    library_release(&library);
}
END_TEST

// Nothing to release is no mistake.
START_TEST(null_has_no_effect)
{
    network_release(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", does_the_work_of_the_catalogue},
        {"core", writes_every_column_once},
        {"core", orders_all_lookups},
        {"core", histories_go_first},
        {"core", parameters_follow_the_seed},
        {"limits", null_has_no_effect},
        {"errors", refuses_what_it_cannot_run},
    };
    return suite_run("network", tests, sizeof tests / sizeof *tests);
}
