// SPDX-License-Identifier: Apache-2.0
#include "native/product.h"

#include <assert.h>

#include "base/mem.h"
#include "native/narrow.h"
#include "native/onednn.h"

// ---- the ladder ---------------------------------------------------------------------------------

// From each of these on in such steps: an eighth at most is computed in vain.
static const struct {
    uint32_t from, step;
} flights[] = {{0, 1}, {16, 2}, {32, 4}, {64, 8}, {128, 16}, {256, 32}, {512, 64}};
enum { N_FLIGHTS = sizeof flights / sizeof *flights };

static uint32_t flight_of(uint32_t n)
{
    uint32_t i = N_FLIGHTS - 1;
    while (i > 0 && n <= flights[i].from)
        i--;
    return i;
}

uint32_t product_rows(uint32_t n)
{
    uint32_t step = flights[flight_of(n)].step;
    return (n + step - 1) / step * step;
}

#if RECFLEET_ONEDNN
#include <stdio.h>
#include <string.h>

// Which step of the ladder `rows` is, from 0.
static uint32_t rung_of(uint32_t rows)
{
    uint32_t last = flight_of(rows), rung = 0;
    assert(rows >= 1 && product_rows(rows) == rows);
    for (uint32_t i = 0; i < last; i++)
        rung += (flights[i + 1].from - flights[i].from) / flights[i].step;
    return rung + (rows - flights[last].from) / flights[last].step - 1;
}

// ---- makers and products ------------------------------------------------------------------------

struct product_maker {
    struct onednn *dnn;
};

struct kernel {
    struct onednn_desc in, out;
    dnnl_primitive_t primitive;
};

// A format that kernels are made for.
struct kind {
    dnnl_data_type_t in, weights, out;
};

static const struct kind kinds[N_FORMATS] = {
    [FORMAT_FP32] = {dnnl_f32, dnnl_f32, dnnl_f32},
    [FORMAT_BF16] = {dnnl_bf16, dnnl_bf16, dnnl_f32},
    [FORMAT_INT8] = {dnnl_u8, dnnl_s8, dnnl_s32},
};

struct product {
    const struct onednn *dnn;
    const struct kind *kind;
    struct product_config config; // whose weights are not read any more
    struct narrow_layer layer;    // int8
    uint32_t n_kernels;
    struct kernel *kernels; // by rung
    struct onednn_desc weights_desc, biases_desc;
    void *weights; // in the order of the kernels; NULL: not known yet
    dnnl_memory_t weights_memory, biases_memory;
    size_t scratch_bytes; // that a kernel wants at most
    char name[48];
};

static bool is_int8(const struct product *product)
{
    return product->config.format == FORMAT_INT8;
}

static bool is_narrow(const struct product *product)
{
    return product->config.format != FORMAT_FP32;
}

struct product_maker *product_maker_open(struct err *err)
{
    struct onednn *dnn = onednn_open(err);
    if (!dnn)
        return NULL;
    struct product_maker *maker = mem_calloc(1, sizeof *maker);
    maker->dnn = dnn;
    return maker;
}

void product_maker_close(struct product_maker *maker)
{
    if (!maker)
        return;
    onednn_close(maker->dnn);
    mem_free(maker);
}

const char *product_maker_name(const struct product_maker *maker)
{
    return maker->dnn->name;
}

int product_can(const struct product_maker *maker, enum model_format format, struct err *err)
{
    const char *name = model_format_names[format], *lacks = narrow_lacks(format);
    if (lacks)
        return err_set(err, ERR_FAIL, "%s: this processor has no %s", name, lacks);
    if (!onednn_has(maker->dnn, kinds[format].in))
        return err_set(err, ERR_FAIL, "%s: %s does not use this processor's instructions for it",
                       name, maker->dnn->name);
    return 0;
}

static int append_activation(const struct onednn *dnn, dnnl_post_ops_t ops,
                             enum network_activation activation)
{
    static const dnnl_alg_kind_t kinds_of[] = {[NETWORK_RELU] = dnnl_eltwise_relu,
                                               [NETWORK_SIGMOID] = dnnl_eltwise_logistic,
                                               [NETWORK_TANH] = dnnl_eltwise_tanh,
                                               [NETWORK_SILU] = dnnl_eltwise_swish};
    float alpha = activation == NETWORK_SILU ? 1 : 0; // of ReLU, the slope below 0
    return activation == NETWORK_LINEAR ? 0 : onednn_append(dnn, ops, kinds_of[activation], alpha);
}

// What is done behind the product, and that its scratch memory is ours.
static int make_attr(const struct onednn *dnn, const struct product_config *config,
                     dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops = NULL;
    if (dnn->calls.dnnl_primitive_attr_create(attr) != dnnl_success)
        return -1;
    int rc = dnn->calls.dnnl_post_ops_create(&ops) != dnnl_success ? -1 : 0;
    bool follows = config->format != FORMAT_INT8; // where sums are s32, it is done here
    if (rc == 0 && follows && config->adds)
        rc = onednn_append_sum(dnn, ops);
    if (rc == 0 && follows)
        rc = append_activation(dnn, ops, config->activation);
    if (rc == 0 && (dnn->calls.dnnl_primitive_attr_set_post_ops(*attr, ops) != dnnl_success ||
                    dnn->calls.dnnl_primitive_attr_set_scratchpad_mode(
                        *attr, dnnl_scratchpad_mode_user) != dnnl_success))
        rc = -1;
    dnn->calls.dnnl_post_ops_destroy(ops);
    return rc;
}

static void note(struct product *product, const_dnnl_primitive_desc_t desc)
{
    const struct onednn *dnn = product->dnn;
    const char *name = "";
    dnn->calls.dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name);
    snprintf(product->name, sizeof product->name, "%s", name);
    size_t bytes = dnn->calls.dnnl_memory_desc_get_size(
        dnn->calls.dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0));
    if (bytes > product->scratch_bytes)
        product->scratch_bytes = bytes;
}

// The description of the kernel for so many rows. `weights` may be of any order.
static int describe(struct product *product, const struct product_config *config, uint32_t rows,
                    const struct onednn_desc *weights, dnnl_primitive_desc_t *desc)
{
    const struct onednn *dnn = product->dnn;
    struct kernel *kernel = &product->kernels[rung_of(rows)];
    dnnl_primitive_attr_t attr = NULL;
    size_t n = (size_t)rows * config->parts;
    size_t in_stride = is_narrow(product) ? config->in : config->in_stride;
    size_t out_stride = is_int8(product) ? config->out : config->out_stride;
    int rc = make_attr(dnn, config, &attr);
    if (rc == 0)
        rc = onednn_matrix(dnn, &kernel->in, product->kind->in, (size_t[]){n, config->in},
                           (size_t[]){in_stride, 1});
    if (rc == 0)
        rc = onednn_matrix(dnn, &kernel->out, product->kind->out, (size_t[]){n, config->out},
                           (size_t[]){out_stride, 1});
    if (rc == 0) {
        const struct onednn_desc *biases = is_int8(product) ? NULL : &product->biases_desc;
        struct onednn_product it = {&kernel->in, weights, biases, &kernel->out, attr};
        rc = onednn_product_desc(dnn, &it, desc);
    }
    if (attr)
        dnn->calls.dnnl_primitive_attr_destroy(attr);
    return rc;
}

// ---- weights ------------------------------------------------------------------------------------

// Weights in the format of the kernels and the order of the parameters.
static void *narrowed(struct product *product, const struct product_config *config)
{
    size_t n = (size_t)config->in * config->out;
    if (config->format == FORMAT_BF16) {
        uint16_t *bf16 = mem_alloc(n * sizeof *bf16);
        narrow_bf16(bf16, config->weights, n);
        return bf16;
    }
    int8_t *int8 = mem_alloc(n);
    float *scales = mem_alloc(config->out * sizeof *scales);
    int32_t *sums = mem_alloc(config->out * sizeof *sums);
    for (size_t o = 0; o < config->out; o++) {
        narrow_weights(int8 + o * config->in, &scales[o], &sums[o],
                       config->weights + o * config->in, config->in);
        sums[o] *= NARROW_ZERO;
    }
    product->layer = (struct narrow_layer){scales,      config->biases,     sums,
                                           config->out, config->activation, config->adds};
    return int8;
}

// From the order of the parameters to that of the kernels.
static int reorder(struct product *product, const void *weights, const struct onednn_desc *plain)
{
    const struct onednn *dnn = product->dnn;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_t from = NULL;
    dnnl_stream_t stream = NULL;
    bool done = onednn_reorder_desc(dnn, plain, &product->weights_desc, &desc) == 0 &&
                onednn_memory(dnn, &from, plain, (void *)weights) == 0 &&
                dnn->calls.dnnl_primitive_create(&primitive, desc) == dnnl_success &&
                dnn->calls.dnnl_stream_create(&stream, dnn->engine, dnnl_stream_default_flags) ==
                    dnnl_success;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, product->weights_memory}};
    done = done && dnn->calls.dnnl_primitive_execute(primitive, stream, 2, args) == dnnl_success;
    dnn->calls.dnnl_stream_destroy(stream);
    dnn->calls.dnnl_memory_destroy(from);
    dnn->calls.dnnl_primitive_destroy(primitive);
    dnn->calls.dnnl_primitive_desc_destroy(desc);
    return done ? 0 : -1;
}

// The order that `desc` chose becomes that of all kernels.
static int adopt(struct product *product, const struct product_config *config,
                 const_dnnl_primitive_desc_t desc)
{
    const struct onednn *dnn = product->dnn;
    struct onednn_desc plain = {0};
    if (onednn_chosen(dnn, desc, &product->weights_desc) != 0)
        return -1;
    product->weights = mem_huge(onednn_bytes(dnn, &product->weights_desc));
    int rc = onednn_memory(dnn, &product->weights_memory, &product->weights_desc, product->weights);
    void *narrow = is_narrow(product) ? narrowed(product, config) : NULL;
    if (rc == 0)
        rc = onednn_matrix(dnn, &plain, product->kind->weights, (size_t[]){config->in, config->out},
                           (size_t[]){1, config->in});
    if (rc == 0)
        rc = reorder(product, narrow ? narrow : config->weights, &plain);
    onednn_desc_release(dnn, &plain);
    mem_free(narrow);
    return rc;
}

static int make_kernel(struct product *product, const struct product_config *config, uint32_t rows,
                       const struct onednn_desc *weights)
{
    const struct onednn *dnn = product->dnn;
    dnnl_primitive_desc_t desc = NULL;
    if (describe(product, config, rows, weights, &desc) != 0)
        return -1;
    note(product, desc);
    int rc = dnn->calls.dnnl_primitive_create(&product->kernels[rung_of(rows)].primitive, desc) ==
                     dnnl_success
                 ? 0
                 : -1;
    if (rc == 0 && !product->weights)
        rc = adopt(product, config, desc);
    dnn->calls.dnnl_primitive_desc_destroy(desc);
    return rc;
}

// The largest first: it is the one that chooses.
static int make_kernels(struct product *product, const struct product_config *config)
{
    const struct onednn *dnn = product->dnn;
    uint32_t most = product_rows(config->most_rows);
    struct onednn_desc any = {0};
    product->n_kernels = rung_of(most) + 1;
    product->kernels = mem_calloc(product->n_kernels, sizeof *product->kernels);
    if (onednn_any_matrix(dnn, &any, product->kind->weights, (size_t[]){config->in, config->out}) !=
        0)
        return -1;
    int rc = make_kernel(product, config, most, &any);
    onednn_desc_release(dnn, &any);
    for (uint32_t rows = 1; rc == 0 && rows < most; rows = product_rows(rows + 1))
        rc = make_kernel(product, config, rows, &product->weights_desc);
    return rc;
}

static int make_biases(struct product *product, const struct product_config *config)
{
    const struct onednn *dnn = product->dnn;
    size_t shape[] = {1, config->out}, strides[] = {config->out, 1};
    if (onednn_matrix(dnn, &product->biases_desc, dnnl_f32, shape, strides) != 0)
        return -1;
    return onednn_memory(dnn, &product->biases_memory, &product->biases_desc,
                         (void *)config->biases);
}

static int make(const struct product_maker *maker, struct product *product,
                const struct product_config *config, struct err *err)
{
    if (product_can(maker, config->format, err) != 0)
        return -1;
    if (make_biases(product, config) != 0 || make_kernels(product, config) != 0)
        return err_set(err, ERR_FAIL, "%s: it cannot multiply rows of %u numbers to %u in %s",
                       maker->dnn->name, config->in, config->out,
                       model_format_names[config->format]);
    return 0;
}

struct product *product_create(const struct product_maker *maker,
                               const struct product_config *config, struct err *err)
{
    struct product *product = mem_calloc(1, sizeof *product);
    product->dnn = maker->dnn;
    product->config = *config;
    product->kind = &kinds[config->format];
    onednn_single_thread(maker->dnn);
    if (make(maker, product, config, err) == 0)
        return product;
    product_destroy(product);
    return NULL;
}

double product_bytes(const struct product *product)
{
    double outs = product->config.out, n = outs * product->config.in;
    double scaled = is_int8(product) ? sizeof(float) + sizeof(int32_t) : 0;
    return n * model_format_bytes((int)product->config.format) + outs * (sizeof(float) + scaled);
}

const char *product_kernel(const struct product *product)
{
    return product->name;
}

void product_destroy(struct product *product)
{
    if (!product)
        return;
    const struct onednn *dnn = product->dnn;
    for (uint32_t i = 0; i < product->n_kernels; i++) {
        dnn->calls.dnnl_primitive_destroy(product->kernels[i].primitive);
        onednn_desc_release(dnn, &product->kernels[i].in);
        onednn_desc_release(dnn, &product->kernels[i].out);
    }
    dnn->calls.dnnl_memory_destroy(product->weights_memory);
    dnn->calls.dnnl_memory_destroy(product->biases_memory);
    onednn_desc_release(dnn, &product->weights_desc);
    onednn_desc_release(dnn, &product->biases_desc);
    mem_free(product->weights);
    mem_free((void *)product->layer.scales);
    mem_free((void *)product->layer.sums);
    mem_free(product->kernels);
    mem_free(product);
}

// ---- bindings -----------------------------------------------------------------------------------

struct product_binding {
    const struct product *product;
    dnnl_stream_t stream;
    dnnl_memory_t scratch;
    void *scratch_bytes;
    void *narrow;    // a block's input; NULL: it is read as it is
    float *scales;   // int8: of its rows
    int32_t *totals; // int8: of its outputs
    struct {
        dnnl_memory_t in, out;
    } * memories; // by rung; their addresses change from call to call
};

// Memory of a layout that is there fails to be described for want of memory alone.
static void describe_memory(const struct onednn *dnn, dnnl_memory_t *memory,
                            const struct onednn_desc *desc, void *at)
{
    int rc = onednn_memory(dnn, memory, desc, at);
    assert(rc == 0);
    (void)rc;
}

static void bind_scratch(struct product_binding *binding)
{
    const struct onednn *dnn = binding->product->dnn;
    struct onednn_desc desc = {0};
    size_t n = binding->product->scratch_bytes / sizeof(float) + 1;
    binding->scratch_bytes = mem_aligned(64, n * sizeof(float));
    onednn_matrix(dnn, &desc, dnnl_f32, (size_t[]){1, n}, (size_t[]){n, 1});
    describe_memory(dnn, &binding->scratch, &desc, binding->scratch_bytes);
    onednn_desc_release(dnn, &desc);
}

static void bind_narrow(struct product_binding *binding)
{
    const struct product *product = binding->product;
    const struct product_config *config = &product->config;
    size_t rows = (size_t)product_rows(config->most_rows) * config->parts;
    if (is_narrow(product))
        binding->narrow = mem_aligned(64, rows * config->in * sizeof(uint16_t));
    if (!is_int8(product))
        return;
    binding->scales = mem_aligned(64, rows * sizeof(float));
    binding->totals = mem_aligned(64, rows * config->out * sizeof(int32_t));
}

struct product_binding *product_bind(const struct product *product)
{
    const struct onednn *dnn = product->dnn;
    struct product_binding *binding = mem_calloc(1, sizeof *binding);
    binding->product = product;
    onednn_single_thread(dnn);
    dnn->calls.dnnl_stream_create(&binding->stream, dnn->engine, dnnl_stream_default_flags);
    bind_scratch(binding);
    bind_narrow(binding);
    binding->memories = mem_calloc(product->n_kernels, sizeof *binding->memories);
    for (uint32_t i = 0; i < product->n_kernels; i++) {
        describe_memory(dnn, &binding->memories[i].in, &product->kernels[i].in, NULL);
        describe_memory(dnn, &binding->memories[i].out, &product->kernels[i].out, NULL);
    }
    return binding;
}

void product_unbind(struct product_binding *binding)
{
    if (!binding)
        return;
    const struct onednn *dnn = binding->product->dnn;
    for (uint32_t i = 0; i < binding->product->n_kernels; i++) {
        dnn->calls.dnnl_memory_destroy(binding->memories[i].in);
        dnn->calls.dnnl_memory_destroy(binding->memories[i].out);
    }
    dnn->calls.dnnl_memory_destroy(binding->scratch);
    dnn->calls.dnnl_stream_destroy(binding->stream);
    mem_free(binding->scratch_bytes);
    mem_free(binding->narrow);
    mem_free(binding->scales);
    mem_free(binding->totals);
    mem_free(binding->memories);
    mem_free(binding);
}

// A block's input in the format of the kernels.
static void narrow_rows(struct product_binding *binding, size_t rows, const float *in)
{
    const struct product_config *config = &binding->product->config;
    for (size_t i = 0; i < rows; i++, in += config->in_stride)
        if (config->format == FORMAT_BF16)
            narrow_bf16((uint16_t *)binding->narrow + i * config->in, in, config->in);
        else
            narrow_int8((uint8_t *)binding->narrow + i * config->in, &binding->scales[i], in,
                        config->in);
}

// From sums of products of int8 to results.
static void widen_rows(const struct product_binding *binding, size_t rows, float *out)
{
    const struct product *product = binding->product;
    for (size_t i = 0; i < rows; i++)
        narrow_results(&product->layer, out + i * product->config.out_stride,
                       binding->totals + i * product->config.out, binding->scales[i]);
}

static void execute(struct product_binding *binding, uint32_t rows, const void *in, void *out)
{
    const struct product *product = binding->product;
    const struct onednn *dnn = product->dnn;
    uint32_t rung = rung_of(rows);
    dnnl_memory_t from = binding->memories[rung].in, to = binding->memories[rung].out;
    dnn->calls.dnnl_memory_set_data_handle(from, (void *)in);
    dnn->calls.dnnl_memory_set_data_handle(to, out);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, from},
                              {DNNL_ARG_WEIGHTS, product->weights_memory},
                              {DNNL_ARG_DST, to},
                              {DNNL_ARG_SCRATCHPAD, binding->scratch},
                              {DNNL_ARG_BIAS, product->biases_memory}};
    dnnl_status_t status = dnn->calls.dnnl_primitive_execute(
        product->kernels[rung].primitive, binding->stream, is_int8(product) ? 4 : 5, args);
    assert(status == dnnl_success);
    (void)status;
}

void product_run(struct product_binding *binding, uint32_t rows, const float *in, float *out)
{
    const struct product *product = binding->product;
    size_t n = (size_t)rows * product->config.parts;
    if (is_narrow(product))
        narrow_rows(binding, n, in);
    execute(binding, rows, is_narrow(product) ? binding->narrow : in,
            is_int8(product) ? (void *)binding->totals : out);
    if (is_int8(product))
        widen_rows(binding, n, out);
}

#else

struct product_maker *product_maker_open(struct err *err)
{
    err_set(err, ERR_FAIL,
            "oneDNN is missing: this program was built without it "
            "(Debian: libdnnl-dev)");
    return NULL;
}

void product_maker_close(struct product_maker *maker)
{
    (void)maker;
}

// None of what follows is reached: there is no maker.
int product_can(const struct product_maker *maker, enum model_format format, struct err *err)
{
    (void)maker;
    (void)format;
    (void)err;
    return -1;
}

const char *product_maker_name(const struct product_maker *maker)
{
    (void)maker;
    return "";
}

struct product *product_create(const struct product_maker *maker,
                               const struct product_config *config, struct err *err)
{
    (void)maker;
    (void)config;
    (void)err;
    return NULL;
}

double product_bytes(const struct product *product)
{
    (void)product;
    return 0;
}

const char *product_kernel(const struct product *product)
{
    (void)product;
    return "";
}

void product_destroy(struct product *product)
{
    (void)product;
}

struct product_binding *product_bind(const struct product *product)
{
    (void)product;
    return NULL;
}

void product_unbind(struct product_binding *binding)
{
    (void)binding;
}

void product_run(struct product_binding *binding, uint32_t rows, const float *in, float *out)
{
    (void)binding;
    (void)rows;
    (void)in;
    (void)out;
}
#endif
