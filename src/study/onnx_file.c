// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_file.h"

#include <string.h>

#include "base/mem.h"

bool onnx_file_is_built(void)
{
#ifdef RECFLEET_ONNX
    return true;
#else
    return false;
#endif
}

const struct onnx_attribute *onnx_file_attribute(const struct onnx_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_attributes; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

int64_t onnx_file_int(const struct onnx_node *node, const char *name, int64_t other)
{
    const struct onnx_attribute *attribute = onnx_file_attribute(node, name);
    return attribute && attribute->has_i ? attribute->i : other;
}

static void release_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mem_free(texts[i]);
    mem_free(texts);
}

static void release_tensor(struct onnx_tensor *tensor)
{
    mem_free(tensor->name);
    mem_free(tensor->ints);
}

void onnx_file_release_node(struct onnx_node *node)
{
    for (size_t i = 0; i < node->n_attributes; i++) {
        mem_free(node->attributes[i].name);
        mem_free(node->attributes[i].text);
        mem_free(node->attributes[i].ints);
        release_tensor(&node->attributes[i].tensor);
    }
    mem_free(node->attributes);
    mem_free(node->op);
    mem_free(node->domain);
    mem_free(node->name);
    release_texts(node->inputs, node->n_inputs);
    release_texts(node->outputs, node->n_outputs);
    if (node->body)
        onnx_file_release(node->body);
    mem_free(node->body);
}

void onnx_file_release(struct onnx_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        onnx_file_release_node(&graph->nodes[i]);
    for (size_t i = 0; i < graph->n_initializers; i++)
        release_tensor(&graph->initializers[i]);
    for (size_t i = 0; i < graph->n_inputs; i++) {
        mem_free(graph->inputs[i].name);
        for (size_t d = 0; d < graph->inputs[i].rank; d++)
            mem_free(graph->inputs[i].names[d]);
    }
    release_texts(graph->outputs, graph->n_outputs);
    mem_free(graph->nodes);
    mem_free(graph->initializers);
    mem_free(graph->inputs);
    mem_free(graph->producer);
    *graph = (struct onnx_graph){0};
}

#ifdef RECFLEET_ONNX

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <onnx.pb-c.h>

#define MAX_FILE_BYTES ((size_t)INT_MAX) // of any message, by the rules of the format
#define MAX_DEPTH 32                     // messages inside messages
#define MAX_INPUTS 10000                 // and initializers are looked up for each
#define FIXED_ROOM ((size_t)1 << 20)
#define ROOM_PER_BYTE 64
#define MAX_ROOM ((size_t)1 << 30)

// ---- what is looked at before the library reads it ----------------------------------------------

struct bytes {
    const uint8_t *at, *end;
};

static bool take_varint(struct bytes *b, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && b->at < b->end; shift += 7) {
        uint8_t byte = *b->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool take_field(struct bytes *b, uint64_t *tag, struct bytes *inside)
{
    uint64_t n;
    if (!take_varint(b, tag))
        return false;
    switch (*tag & 7) {
    case 0:
        return take_varint(b, &n);
    case 1:
        n = 8;
        break;
    case 5:
        n = 4;
        break;
    case 2:
        if (!take_varint(b, &n))
            return false;
        break;
    default:
        return false;
    }
    if (n > (uint64_t)(b->end - b->at))
        return false;
    *inside = (struct bytes){b->at, b->at + n};
    b->at += n;
    return true;
}

// The library calls itself for a message inside another, as often as a file wants; nothing in ONNX
// needs many levels.
static bool is_shallow(const ProtobufCMessageDescriptor *type, struct bytes b, int depth)
{
    uint64_t tag;
    struct bytes inside;
    while (b.at < b.end) {
        if (!take_field(&b, &tag, &inside))
            return false;
        if ((tag & 7) != 2 || tag >> 3 > UINT_MAX)
            continue;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            (depth == 0 || !is_shallow(field->descriptor, inside, depth - 1)))
            return false;
    }
    return true;
}

// A message of two bytes is a struct of hundreds, so what the library may take is bounded.
static void *take_room(void *user, size_t bytes)
{
    size_t *room = user;
    if (bytes > *room)
        return NULL;
    *room -= bytes;
    return mem_alloc(bytes);
}

static void give_room(void *user, void *block)
{
    (void)user; // what was taken once is not given twice
    mem_free(block);
}

// ---- from its structs to ours -------------------------------------------------------------------

static char *text_of(const char *text)
{
    return mem_strdup(text ? text : "");
}

static size_t width_of(int type)
{
    return type == ONNX_INT64 ? 8 : type == ONNX_INT32 ? 4 : 1;
}

static bool is_integer(int type)
{
    return type == ONNX_INT64 || type == ONNX_INT32 || type == ONNX_BOOL || type == ONNX_INT8 ||
           type == ONNX_UINT8;
}

// Value i of raw little-endian bytes.
static int64_t raw_int(const uint8_t *bytes, size_t i, int type)
{
    size_t width = width_of(type);
    uint64_t value = 0;
    for (size_t k = 0; k < width; k++)
        value |= (uint64_t)bytes[i * width + k] << (8 * k);
    return type == ONNX_INT32  ? (int32_t)(uint32_t)value
           : type == ONNX_INT8 ? (int8_t)(uint8_t)value
                               : (int64_t)value;
}

static void take_ints(struct onnx_tensor *to, const Onnx__TensorProto *from, double n_values)
{
    size_t n = (size_t)n_values;
    bool is_raw = from->has_raw_data, is_long = to->type == ONNX_INT64;
    if (!is_integer(to->type) || n_values > ONNX_MAX_INTS ||
        (from->has_data_location &&
         from->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL))
        return;
    if (is_raw ? from->raw_data.len != n * width_of(to->type)
               : (is_long ? from->n_int64_data : from->n_int32_data) != n)
        return;
    to->ints = mem_calloc(n + 1, sizeof *to->ints);
    to->n_ints = n;
    for (size_t i = 0; i < n; i++)
        to->ints[i] = is_raw    ? raw_int(from->raw_data.data, i, to->type)
                      : is_long ? from->int64_data[i]
                                : from->int32_data[i];
}

static int take_tensor(struct onnx_tensor *to, const Onnx__TensorProto *from, struct err *err)
{
    double n = 1, size_or_1 = 1;
    to->name = text_of(from->name);
    to->type = from->has_data_type ? from->data_type : 0;
    if (from->n_dims > ONNX_MAX_RANK)
        return err_set(err, ERR_STUDY, "tensor \"%.60s\" has %zu dimensions, more than %d",
                       to->name, from->n_dims, ONNX_MAX_RANK);
    for (; to->rank < from->n_dims; to->rank++) {
        int64_t size = from->dims[to->rank];
        if (size < 0 || (double)size > ONNX_MAX_SIZE)
            return err_set(err, ERR_STUDY, "tensor \"%.60s\" has a dimension of %lld", to->name,
                           (long long)size);
        to->dims[to->rank] = size;
        n *= (double)size;
        size_or_1 *= size > 0 ? (double)size : 1; // an axis of 0 hides nothing
    }
    if (size_or_1 > ONNX_MAX_VALUES)
        return err_set(err, ERR_STUDY, "tensor \"%.60s\" has too many values", to->name);
    take_ints(to, from, n);
    return 0;
}

static int take_attribute(struct onnx_attribute *to, const Onnx__AttributeProto *from,
                          struct err *err)
{
    to->name = text_of(from->name);
    to->text = mem_alloc(from->s.len + 1);
    if (from->s.len > 0)
        memcpy(to->text, from->s.data, from->s.len);
    to->text[from->s.len] = '\0';
    to->has_i = from->has_i;
    to->has_f = from->has_f;
    to->i = from->i;
    to->n_floats = from->n_floats;
    to->has_ints = from->n_ints > 0;
    to->ints = mem_calloc(from->n_ints + 1, sizeof *to->ints);
    to->n_ints = from->n_ints;
    if (from->n_ints > 0)
        memcpy(to->ints, from->ints, from->n_ints * sizeof *to->ints);
    to->has_tensor = from->t != NULL;
    return from->t ? take_tensor(&to->tensor, from->t, err) : 0;
}

static char **take_texts(char *const *from, size_t n)
{
    char **to = mem_calloc(n + 1, sizeof *to);
    for (size_t i = 0; i < n; i++)
        to[i] = text_of(from[i]);
    return to;
}

static int take_node(struct onnx_node *to, const Onnx__NodeProto *from, struct err *err)
{
    to->op = text_of(from->op_type);
    to->domain = text_of(from->domain && strcmp(from->domain, "ai.onnx") == 0 ? "" : from->domain);
    to->name = text_of(from->name);
    to->inputs = take_texts(from->input, from->n_input);
    to->n_inputs = from->n_input;
    to->outputs = take_texts(from->output, from->n_output);
    to->n_outputs = from->n_output;
    to->attributes = mem_calloc(from->n_attribute + 1, sizeof *to->attributes);
    for (; to->n_attributes < from->n_attribute; to->n_attributes++)
        if (take_attribute(&to->attributes[to->n_attributes], from->attribute[to->n_attributes],
                           err) < 0) {
            to->n_attributes++; // what it has of it is released
            return -1;
        }
    return 0;
}

static int take_input(struct onnx_input *to, const Onnx__ValueInfoProto *from, struct err *err)
{
    const Onnx__TypeProto__Tensor *tensor =
        from->type && from->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
            ? from->type->tensor_type
            : NULL;
    to->name = text_of(from->name);
    if (!tensor || !tensor->shape)
        return err_set(err, ERR_STUDY, "input \"%.60s\" is not a tensor with a shape", to->name);
    to->type = tensor->has_elem_type ? tensor->elem_type : 0;
    if (tensor->shape->n_dim > ONNX_MAX_RANK)
        return err_set(err, ERR_STUDY, "input \"%.60s\" has %zu dimensions, more than %d", to->name,
                       tensor->shape->n_dim, ONNX_MAX_RANK);
    for (; to->rank < tensor->shape->n_dim; to->rank++) {
        const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[to->rank];
        bool sized = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
                     dim->dim_value > 0;
        bool named = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        to->sizes[to->rank] = sized ? dim->dim_value : -1;
        to->names[to->rank] = text_of(named ? dim->dim_param : NULL);
        if (sized && (double)dim->dim_value > ONNX_MAX_SIZE)
            return err_set(err, ERR_STUDY, "input \"%.60s\" has a dimension of %lld", to->name,
                           (long long)dim->dim_value);
    }
    return 0;
}

// Old files list initializers among the inputs, too.
static bool is_initializer(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (name && graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0)
            return true;
    return false;
}

static int take_inputs(struct onnx_graph *to, const Onnx__GraphProto *from, struct err *err)
{
    if (from->n_input > MAX_INPUTS)
        return err_set(err, ERR_STUDY, "the graph has %zu inputs, more than %d", from->n_input,
                       MAX_INPUTS);
    to->inputs = mem_calloc(from->n_input + 1, sizeof *to->inputs);
    for (size_t i = 0; i < from->n_input; i++) {
        if (is_initializer(from, from->input[i]->name))
            continue;
        struct onnx_input *input = &to->inputs[to->n_inputs];
        int rc = take_input(input, from->input[i], err);
        input->rank += rc < 0 && input->rank < ONNX_MAX_RANK && input->names[input->rank];
        to->n_inputs++;
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int take_tensors(struct onnx_graph *to, const Onnx__GraphProto *from, struct err *err)
{
    to->initializers = mem_calloc(from->n_initializer + 1, sizeof *to->initializers);
    for (size_t i = 0; i < from->n_initializer; i++) {
        to->n_initializers = i + 1;
        if (take_tensor(&to->initializers[i], from->initializer[i], err) < 0)
            return -1;
    }
    return 0;
}

static int take_nodes(struct onnx_graph *to, const Onnx__GraphProto *from, struct err *err)
{
    to->nodes = mem_calloc(from->n_node + 1, sizeof *to->nodes);
    for (size_t i = 0; i < from->n_node; i++) {
        to->n_nodes = i + 1;
        if (take_node(&to->nodes[i], from->node[i], err) < 0)
            return -1;
    }
    return 0;
}

static void take_outputs(struct onnx_graph *to, const Onnx__GraphProto *from)
{
    to->outputs = mem_calloc(from->n_output + 1, sizeof *to->outputs);
    for (; to->n_outputs < from->n_output; to->n_outputs++)
        to->outputs[to->n_outputs] = text_of(from->output[to->n_outputs]->name);
}

// A body that cannot be read is none: then the Loop is an operator that is not known.
static void take_body(struct onnx_node *to, const Onnx__NodeProto *from)
{
    const Onnx__GraphProto *graph = NULL;
    for (size_t i = 0; i < from->n_attribute; i++)
        if (from->attribute[i]->g && strcmp(to->attributes[i].name, "body") == 0)
            graph = from->attribute[i]->g;
    if (!graph || strcmp(to->op, "Loop") != 0)
        return;
    struct onnx_graph *body = mem_calloc(1, sizeof *body);
    take_outputs(body, graph);
    body->inputs = mem_calloc(graph->n_input + 1, sizeof *body->inputs);
    for (; body->n_inputs < graph->n_input; body->n_inputs++)
        body->inputs[body->n_inputs].name = text_of(graph->input[body->n_inputs]->name);
    if (take_tensors(body, graph, NULL) == 0 && take_nodes(body, graph, NULL) == 0) {
        to->body = body;
        return;
    }
    onnx_file_release(body);
    mem_free(body);
}

static int take_graph(struct onnx_graph *to, const Onnx__GraphProto *from, struct err *err)
{
    if (from->n_sparse_initializer > 0)
        return err_set(err, ERR_STUDY, "sparse initializers are not supported");
    if (take_inputs(to, from, err) < 0)
        return -1;
    if (take_tensors(to, from, err) < 0 || take_nodes(to, from, err) < 0)
        return -1;
    for (size_t i = 0; i < to->n_nodes; i++)
        take_body(&to->nodes[i], from->node[i]);
    take_outputs(to, from);
    return to->n_nodes > 0 ? 0 : err_set(err, ERR_STUDY, "the graph has no operators");
}

static int take_model(struct onnx_graph *to, const Onnx__ModelProto *from, struct err *err)
{
    if (!from->graph)
        return err_set(err, ERR_STUDY, "it has no graph; expected an ONNX model");
    to->producer = mem_printf("%s%s%s", from->producer_name ? from->producer_name : "",
                              from->producer_version && *from->producer_version ? " " : "",
                              from->producer_version ? from->producer_version : "");
    for (size_t i = 0; i < from->n_opset_import; i++) {
        const char *domain = from->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0)
            to->opset = from->opset_import[i]->version;
    }
    return take_graph(to, from->graph, err);
}

int onnx_file_parse(struct onnx_graph *graph, const char *name, const uint8_t *data, size_t n,
                    struct err *err)
{
    size_t room = n + FIXED_ROOM + (n < MAX_ROOM / ROOM_PER_BYTE ? n * ROOM_PER_BYTE : MAX_ROOM);
    ProtobufCAllocator allocator = {take_room, give_room, &room};
    *graph = (struct onnx_graph){0};
    Onnx__ModelProto *model = NULL;
    if (is_shallow(&onnx__model_proto__descriptor, (struct bytes){data, data + n}, MAX_DEPTH))
        model = onnx__model_proto__unpack(&allocator, n, data);
    if (!model)
        return err_set(err, ERR_STUDY, "%s: is not an ONNX model, or is cut off", name);
    int rc = take_model(graph, model, err);
    onnx__model_proto__free_unpacked(model, &allocator);
    if (rc == 0)
        return 0;
    onnx_file_release(graph);
    return err_prefix(err, "%s", name);
}

// The whole file; *data is the caller's to mem_free(), whatever comes of it.
static int slurp(const char *path, uint8_t **data, size_t *n, struct err *err)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *data = NULL;
    *n = 0;
    if (fd < 0 || fstat(fd, &stat) < 0) {
        err_set(err, ERR_STUDY, "%s: cannot be read: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int rc = !S_ISREG(stat.st_mode) ? err_set(err, ERR_STUDY, "%s: is not a file", path)
             : (uint64_t)stat.st_size > MAX_FILE_BYTES
                 ? err_set(err, ERR_STUDY,
                           "%s: is larger than 2 GiB; expected its weights in files of their own "
                           "(external data)",
                           path)
                 : 0;
    size_t size = rc == 0 ? (size_t)stat.st_size : 0;
    *data = mem_alloc(size + 1);
    while (rc == 0 && *n < size) {
        ssize_t got = read(fd, *data + *n, size - *n);
        if (got < 0 && errno != EINTR)
            rc = err_set(err, ERR_FAIL, "%s: cannot be read: %s", path, strerror(errno));
        else if (got == 0)
            size = *n; // it has become shorter
        *n += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return rc;
}

int onnx_file_read(struct onnx_graph *graph, const char *path, struct err *err)
{
    uint8_t *data;
    size_t n;
    *graph = (struct onnx_graph){0};
    int rc = slurp(path, &data, &n, err);
    if (rc == 0)
        rc = onnx_file_parse(graph, path, data, n, err);
    mem_free(data);
    return rc;
}

#else

int onnx_file_parse(struct onnx_graph *graph, const char *name, const uint8_t *data, size_t n,
                    struct err *err)
{
    (void)data;
    (void)n;
    *graph = (struct onnx_graph){0};
    return err_set(err, ERR_FAIL,
                   "%s: this recfleet was built without ONNX: install libonnx-dev, "
                   "protobuf-c-compiler and libprotobuf-c-dev, then configure and build it again",
                   name);
}

int onnx_file_read(struct onnx_graph *graph, const char *path, struct err *err)
{
    return onnx_file_parse(graph, path, NULL, 0, err);
}

#endif
