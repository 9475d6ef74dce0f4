// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_infer.h"

#include <string.h>

#include "base/mem.h"
#include "study/onnx_bag.h"

#define ELEMENT_FLOP 1.0
#define SOFTMAX_FLOP 20.0 // as models/catalogue.c counts them
#define NORM_FLOP 5.0
#define BATCH_NORM_FLOP 2.0

double onnx_infer_width(int type)
{
    static const unsigned char widths[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 8, 16, 2};
    return type >= 0 && (size_t)type < sizeof widths ? widths[type] : 0;
}

static bool is_index_type(int type)
{
    return type == ONNX_INT32 || type == ONNX_INT64 || type == ONNX_BOOL;
}

static struct onnx_value *input(const struct onnx_step *step, size_t i)
{
    return i < step->node->n_inputs ? step->inputs[i] : NULL;
}

static double n_elements(const struct onnx_value *value)
{
    double n = 1;
    for (size_t d = 0; d < value->rank; d++)
        n *= (double)value->dims[d];
    return n;
}

double onnx_infer_bytes(const struct onnx_value *value)
{
    return n_elements(value) * value->width;
}

bool onnx_infer_fits(const struct onnx_value *value)
{
    double n = 1; // an axis of 0 hides nothing
    for (size_t d = 0; d < value->rank; d++)
        n *= value->dims[d] > 0 ? (double)value->dims[d] : 1;
    return n <= ONNX_MAX_VALUES;
}

int onnx_infer_fail(const struct onnx_step *step, struct err *err, const char *what)
{
    const struct onnx_node *node = step->node;
    const char *name = *node->name ? node->name : node->n_outputs ? node->outputs[0] : "";
    return err_set(err, ERR_STUDY, "operator %.40s \"%.60s\": %s", node->op, name, what);
}

static void set_ints(struct onnx_value *value, const int64_t *ints, size_t n)
{
    mem_free(value->ints);
    value->ints = NULL;
    value->n_ints = 0;
    if (!ints || n > ONNX_MAX_INTS)
        return;
    value->ints = mem_calloc(n + 1, sizeof *ints);
    memcpy(value->ints, ints, n * sizeof *ints);
    value->n_ints = n;
}

void onnx_infer_set_tensor(struct onnx_value *value, const struct onnx_tensor *tensor)
{
    value->is_there = true;
    value->type = tensor->type;
    value->width = onnx_infer_width(tensor->type);
    value->is_param = !is_index_type(tensor->type);
    value->rank = tensor->rank;
    memcpy(value->dims, tensor->dims, sizeof value->dims);
    set_ints(value, tensor->ints, tensor->n_ints);
}

// ---- helpers of operators -----------------------------------------------------------------------

static void copy_shape(struct onnx_value *to, const struct onnx_value *from)
{
    to->type = from->type;
    to->width = from->width;
    to->rank = from->rank;
    memcpy(to->dims, from->dims, sizeof to->dims);
}

// The axis counted from the end where it is negative; -1: there is none.
static int axis_of(int64_t axis, size_t rank)
{
    int64_t at = axis < 0 ? axis + (int64_t)rank : axis;
    return at >= 0 && at < (int64_t)rank ? (int)at : -1;
}

static int want(const struct onnx_step *step, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!input(step, i))
            return onnx_infer_fail(step, err, "an input is missing");
    return 0;
}

// The integers of an attribute or, where the operator has them there, of an input. False: neither
// says them. *n 0 with *known: none are given.
static bool ints_of(const struct onnx_step *step, const char *name, size_t at, const int64_t **ints,
                    size_t *n, bool *is_given)
{
    const struct onnx_attribute *attribute = onnx_file_attribute(step->node, name);
    const struct onnx_value *value = input(step, at);
    *is_given = attribute || value;
    *ints = attribute ? attribute->ints : value ? value->ints : NULL;
    *n = attribute ? attribute->n_ints : value ? value->n_ints : 0;
    return !*is_given || *ints;
}

// Which axes are named, into is_named[rank]; all where none are.
static int named_axes(const struct onnx_step *step, const struct onnx_value *of, bool *is_named,
                      bool *any, struct err *err)
{
    const int64_t *axes;
    size_t n;
    if (!ints_of(step, "axes", 1, &axes, &n, any))
        return onnx_infer_fail(step, err, "its axes are not known before it runs");
    *any = *any && n > 0;
    memset(is_named, 0, ONNX_MAX_RANK * sizeof *is_named);
    for (size_t i = 0; i < n; i++) {
        int axis = axis_of(axes[i], of->rank);
        if (axis < 0)
            return onnx_infer_fail(step, err, "it names an axis that its input does not have");
        is_named[axis] = true;
    }
    return 0;
}

static int broadcast(struct onnx_step *step, struct onnx_value *to, const struct onnx_value *with,
                     struct err *err)
{
    size_t rank = to->rank > with->rank ? to->rank : with->rank;
    int64_t dims[ONNX_MAX_RANK] = {0};
    for (size_t d = 1; d <= rank; d++) { // from the last on
        int64_t a = d <= to->rank ? to->dims[to->rank - d] : 1;
        int64_t b = d <= with->rank ? with->dims[with->rank - d] : 1;
        if (a != b && a != 1 && b != 1)
            return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
        dims[rank - d] = a == 1 ? b : a;
    }
    to->rank = rank;
    memcpy(to->dims, dims, sizeof dims);
    return 0;
}

// ---- elementwise, and what only changes a shape -------------------------------------------------

static void add_vector_work(struct onnx_step *step)
{
    step->op->class = WORK_ELEMENTWISE;
    step->op->n_ops = step->type->is_view ? 0 : 1;
    step->op->flop = step->type->flop * n_elements(step->out);
    step->op->written_bytes = step->type->is_view ? 0 : onnx_infer_bytes(step->out);
}

static int infer_same(struct onnx_step *step, struct err *err)
{
    if (want(step, 1, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    copy_shape(step->out, in);
    step->out->from_softmax = in->from_softmax;
    if (step->type->keeps_numbers)
        step->out->initializer = in->initializer;
    set_ints(step->out, step->type->is_view ? in->ints : NULL, in->n_ints);
    add_vector_work(step);
    return 0;
}

static int infer_cast(struct onnx_step *step, struct err *err)
{
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    step->out->type = (int)(onnx_file_int(step->node, "to", in->type) & 0xff);
    step->out->width = onnx_infer_width(step->out->type);
    if (is_index_type(step->out->type))
        set_ints(step->out, in->ints, in->n_ints);
    add_vector_work(step);
    return 0;
}

// One number from two, of those that shapes are computed with.
static bool fold_two(const char *op, int64_t a, int64_t b, int64_t *value)
{
    if (strcmp(op, "Add") == 0)
        return !__builtin_add_overflow(a, b, value);
    if (strcmp(op, "Sub") == 0)
        return !__builtin_sub_overflow(a, b, value);
    if (strcmp(op, "Mul") == 0)
        return !__builtin_mul_overflow(a, b, value);
    if (strcmp(op, "Div") == 0 && b != 0 && b != -1)
        return *value = a / b, true;
    if (strcmp(op, "Mod") == 0 && b > 0 && a >= 0)
        return *value = a % b, true;
    if (strcmp(op, "Equal") == 0)
        return *value = a == b, true;
    if (strcmp(op, "Greater") == 0)
        return *value = a > b, true;
    if (strcmp(op, "Less") == 0)
        return *value = a < b, true;
    if (strcmp(op, "Max") == 0)
        return *value = a > b ? a : b, true;
    if (strcmp(op, "Min") == 0)
        return *value = a < b ? a : b, true;
    return false;
}

static int64_t int_at(const struct onnx_value *value, size_t i)
{
    return value->ints[value->n_ints == 1 ? 0 : i];
}

static void fold(struct onnx_step *step)
{
    const struct onnx_value *in[3] = {input(step, 0), input(step, 1), input(step, 2)};
    size_t n_inputs = step->node->n_inputs;
    double n = n_elements(step->out);
    bool is_where = strcmp(step->node->op, "Where") == 0;
    if (n > ONNX_MAX_INTS || n_inputs != (is_where ? 3 : 2))
        return;
    for (size_t i = 0; i < n_inputs; i++)
        if (!in[i]->ints || (in[i]->n_ints != 1 && (double)in[i]->n_ints != n))
            return;
    int64_t ints[ONNX_MAX_INTS];
    for (size_t i = 0; i < (size_t)n; i++) {
        if (is_where)
            ints[i] = int_at(in[0], i) ? int_at(in[1], i) : int_at(in[2], i);
        else if (!fold_two(step->node->op, int_at(in[0], i), int_at(in[1], i), &ints[i]))
            return;
    }
    set_ints(step->out, ints, (size_t)n);
}

static bool gives_bool(const char *op)
{
    static const char *const names[] = {"Equal", "Greater",     "Less", "GreaterOrEqual",
                                        "And",   "LessOrEqual", "Or",   "Xor"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(op, names[i]) == 0)
            return true;
    return false;
}

// Sums of equal values are a class of their own.
static int infer_broadcast(struct onnx_step *step, struct err *err)
{
    bool is_where = strcmp(step->node->op, "Where") == 0;
    bool adds = strcmp(step->node->op, "Add") == 0 || strcmp(step->node->op, "Sum") == 0;
    size_t n_varying = 0;
    if (step->node->n_inputs == 0 || want(step, is_where ? 3 : step->node->n_inputs, err) < 0)
        return onnx_infer_fail(step, err, "an input is missing");
    copy_shape(step->out, input(step, is_where));
    for (size_t i = 0; i < step->node->n_inputs; i++) {
        const struct onnx_value *in = input(step, i);
        if (broadcast(step, step->out, in, err) < 0)
            return -1;
        step->out->from_softmax |= in->from_softmax;
    }
    for (size_t i = 0; i < step->node->n_inputs; i++)
        n_varying += input(step, i)->varies && n_elements(input(step, i)) == n_elements(step->out);
    if (gives_bool(step->node->op)) {
        step->out->type = ONNX_BOOL;
        step->out->width = onnx_infer_width(ONNX_BOOL);
    }
    fold(step);
    add_vector_work(step);
    if (adds && n_varying > 1) {
        step->op->class = WORK_SUM;
        step->op->flop *= (double)step->node->n_inputs - 1;
    }
    return 0;
}

static int infer_normalise(struct onnx_step *step, struct err *err)
{
    if (infer_same(step, err) < 0)
        return -1;
    step->out->from_softmax = false;
    return 0;
}

static int infer_softmax(struct onnx_step *step, struct err *err)
{
    if (infer_same(step, err) < 0)
        return -1;
    step->op->class = WORK_SOFTMAX;
    step->out->from_softmax = true;
    return 0;
}

static int infer_quantised(struct onnx_step *step, struct err *err)
{
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *zero = input(step, 2);
    bool back = strcmp(step->node->op, "DequantizeLinear") == 0;
    step->out->type = back ? ONNX_FLOAT : zero ? zero->type : ONNX_UINT8;
    // What the file has in 8 bits stays so in memory.
    if (!(back && !input(step, 0)->varies))
        step->out->width = onnx_infer_width(step->out->type);
    add_vector_work(step);
    return 0;
}

static int infer_reshape(struct onnx_step *step, struct err *err)
{
    const int64_t *shape;
    size_t n;
    bool is_given;
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    if (!ints_of(step, "shape", 1, &shape, &n, &is_given) || !is_given || n > ONNX_MAX_RANK)
        return onnx_infer_fail(step, err, "its shape is not known before it runs");
    double known = 1;
    int open = -1;
    step->out->rank = n;
    for (size_t d = 0; d < n; d++) {
        bool copies = shape[d] == 0 && onnx_file_int(step->node, "allowzero", 0) == 0;
        if (shape[d] < -1 || (shape[d] == -1 && open >= 0) || (copies && d >= in->rank))
            return onnx_infer_fail(step, err, "its shape is wrong");
        step->out->dims[d] = copies ? in->dims[d] : shape[d];
        if (shape[d] == -1)
            open = (int)d;
        else
            known *= (double)step->out->dims[d];
    }
    double all = n_elements(in);
    if (open >= 0 && known > 0 && all / known == (double)(int64_t)(all / known))
        step->out->dims[open] = (int64_t)(all / known);
    if (n_elements(step->out) != all || (open >= 0 && step->out->dims[open] < 0))
        return onnx_infer_fail(step, err, "its shape does not fit its input");
    return 0;
}

static int infer_flatten(struct onnx_step *step, struct err *err)
{
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    int64_t axis = onnx_file_int(step->node, "axis", 1);
    axis += axis < 0 ? (int64_t)in->rank : 0;
    if (axis < 0 || axis > (int64_t)in->rank)
        return onnx_infer_fail(step, err, "it names an axis that its input does not have");
    step->out->rank = 2;
    step->out->dims[0] = step->out->dims[1] = 1;
    for (size_t d = 0; d < in->rank; d++)
        step->out->dims[(int64_t)d >= axis] *= in->dims[d];
    return 0;
}

static int infer_squeeze(struct onnx_step *step, struct err *err)
{
    bool is_named[ONNX_MAX_RANK], any;
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    if (named_axes(step, in, is_named, &any, err) < 0)
        return -1;
    step->out->rank = 0;
    for (size_t d = 0; d < in->rank; d++) {
        if (any && is_named[d] && in->dims[d] != 1)
            return onnx_infer_fail(step, err, "an axis that it takes away is not 1");
        if (any ? !is_named[d] : in->dims[d] != 1)
            step->out->dims[step->out->rank++] = in->dims[d];
    }
    return 0;
}

static int infer_unsqueeze(struct onnx_step *step, struct err *err)
{
    const int64_t *axes;
    size_t n, from = 0;
    bool is_given, is_new[ONNX_MAX_RANK] = {false};
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    if (!ints_of(step, "axes", 1, &axes, &n, &is_given) || in->rank + n > ONNX_MAX_RANK)
        return onnx_infer_fail(step, err, "its axes are not known before it runs, or are too many");
    step->out->rank = in->rank + n;
    for (size_t i = 0; i < n; i++) {
        int axis = axis_of(axes[i], step->out->rank);
        if (axis < 0 || is_new[axis])
            return onnx_infer_fail(step, err, "its axes are wrong");
        is_new[axis] = true;
    }
    for (size_t d = 0; d < step->out->rank; d++)
        step->out->dims[d] = is_new[d] ? 1 : in->dims[from++];
    return 0;
}

static int infer_transpose(struct onnx_step *step, struct err *err)
{
    const struct onnx_attribute *perm = onnx_file_attribute(step->node, "perm");
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    if (perm && perm->n_ints != in->rank)
        return onnx_infer_fail(step, err, "its order of axes is wrong");
    for (size_t d = 0; d < in->rank; d++) {
        int64_t from = perm ? perm->ints[d] : (int64_t)(in->rank - 1 - d);
        if (from < 0 || from >= (int64_t)in->rank)
            return onnx_infer_fail(step, err, "its order of axes is wrong");
        step->out->dims[d] = in->dims[from];
    }
    if (in->rank < 2)
        set_ints(step->out, in->ints, in->n_ints);
    return 0;
}

static int infer_expand(struct onnx_step *step, struct err *err)
{
    if (want(step, 2, err) < 0 || infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0), *shape = input(step, 1);
    bool tiles = strcmp(step->node->op, "Tile") == 0;
    struct onnx_value to = {.rank = shape->n_ints};
    if (!shape->ints || shape->n_ints > ONNX_MAX_RANK || (tiles && shape->n_ints != in->rank))
        return onnx_infer_fail(step, err, "its shape is not known before it runs");
    for (size_t d = 0; d < to.rank; d++) {
        int64_t times = tiles ? in->dims[d] : 1;
        if (shape->ints[d] < 0 || (double)shape->ints[d] * (double)times > ONNX_MAX_SIZE)
            return onnx_infer_fail(step, err, "its shape is wrong");
        to.dims[d] = shape->ints[d] * times;
    }
    if (tiles)
        memcpy(step->out->dims, to.dims, sizeof to.dims);
    else if (broadcast(step, step->out, &to, err) < 0)
        return -1;
    add_vector_work(step);
    return 0;
}

static int infer_pad(struct onnx_step *step, struct err *err)
{
    const int64_t *pads;
    size_t n;
    bool is_given;
    if (infer_same(step, err) < 0)
        return -1;
    if (!ints_of(step, "pads", 1, &pads, &n, &is_given) || n != 2 * step->out->rank ||
        input(step, 3))
        return onnx_infer_fail(step, err, "what it pads is not known before it runs");
    for (size_t d = 0; d < step->out->rank; d++) {
        double size = (double)step->out->dims[d] + (double)pads[d] + (double)pads[d + n / 2];
        if (!(size >= 0 && size <= ONNX_MAX_SIZE))
            return onnx_infer_fail(step, err, "what it pads is wrong");
        step->out->dims[d] = (int64_t)size;
    }
    add_vector_work(step);
    return 0;
}

// ---- pieces -------------------------------------------------------------------------------------

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

// From start to end in steps, both counted from the end where they are negative.
static int64_t slice_size(int64_t size, int64_t from, int64_t to, int64_t by, int64_t *first)
{
    from += from < 0 && from >= -size ? size : 0;
    to += to < 0 && to >= -size ? size : 0;
    from = by > 0 ? clamp(from, 0, size) : clamp(from, 0, size - 1);
    to = by > 0 ? clamp(to, 0, size) : clamp(to, -1, size - 1);
    *first = from;
    int64_t span = by > 0 ? to - from : from - to, step = by > 0 ? by : -by;
    return span <= 0 ? 0 : (span - 1) / step + 1;
}

static int infer_slice(struct onnx_step *step, struct err *err)
{
    static const char *const names[] = {"starts", "ends", "axes", "steps"};
    const int64_t *ints[4];
    size_t n[4];
    bool given[4], known = true;
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    for (size_t i = 0; i < 4; i++)
        known &= ints_of(step, names[i], i + 1, &ints[i], &n[i], &given[i]);
    if (!known || !given[0] || n[1] != n[0] || (given[2] && n[2] != n[0]) ||
        (given[3] && n[3] != n[0]))
        return onnx_infer_fail(step, err, "what it takes is not known before it runs");
    for (size_t i = 0; i < n[0]; i++) {
        int axis = axis_of(given[2] ? ints[2][i] : (int64_t)i, in->rank);
        int64_t by = given[3] ? ints[3][i] : 1, first;
        if (axis < 0 || by == 0 || by == INT64_MIN)
            return onnx_infer_fail(step, err, "what it takes is wrong");
        step->out->dims[axis] = slice_size(in->dims[axis], ints[0][i], ints[1][i], by, &first);
        if (in->ints && in->rank == 1 && n[0] == 1 && by == 1)
            set_ints(step->out, in->ints + first, (size_t)step->out->dims[0]);
    }
    add_vector_work(step);
    return 0;
}

// The other outputs of an operator, like the first but for what `size` says of an axis.
static void put_output(struct onnx_step *step, size_t at, int axis, int64_t size)
{
    struct onnx_value *to = at < step->node->n_outputs ? step->outputs[at] : NULL;
    if (!to)
        return;
    copy_shape(to, step->out);
    to->is_there = true;
    to->varies = step->out->varies;
    to->is_param = step->out->is_param;
    if (axis >= 0)
        to->dims[axis] = size;
}

static int infer_split(struct onnx_step *step, struct err *err)
{
    const int64_t *parts;
    size_t n, n_outputs = step->node->n_outputs;
    bool is_given;
    if (infer_same(step, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    int axis = axis_of(onnx_file_int(step->node, "axis", 0), in->rank);
    if (axis < 0 || !ints_of(step, "split", 1, &parts, &n, &is_given) ||
        (is_given && n != n_outputs))
        return onnx_infer_fail(step, err, "its parts are not known before it runs");
    int64_t all = in->dims[axis], even = (all + (int64_t)n_outputs - 1) / (int64_t)n_outputs;
    int64_t left = all;
    for (size_t i = 0; i < n_outputs; i++) {
        int64_t size = is_given ? parts[i] : even < left ? even : left;
        if (size < 0 || size > left)
            return onnx_infer_fail(step, err, "its parts do not fit its input");
        left -= size;
        if (i == 0)
            step->out->dims[axis] = size;
        else
            put_output(step, i, axis, size);
    }
    if (left != 0)
        return onnx_infer_fail(step, err, "its parts do not fit its input");
    step->op->written_bytes = onnx_infer_bytes(in);
    return 0;
}

static void join_ints(struct onnx_step *step)
{
    int64_t ints[ONNX_MAX_INTS];
    size_t n = 0;
    for (size_t i = 0; i < step->node->n_inputs; i++) {
        const struct onnx_value *in = input(step, i);
        if (!in->ints || in->rank != 1 || n + in->n_ints > ONNX_MAX_INTS)
            return;
        memcpy(ints + n, in->ints, in->n_ints * sizeof *ints);
        n += in->n_ints;
    }
    set_ints(step->out, ints, n);
}

static int infer_concat(struct onnx_step *step, struct err *err)
{
    size_t n = step->node->n_inputs;
    if (n == 0 || want(step, n, err) < 0)
        return onnx_infer_fail(step, err, "an input is missing");
    copy_shape(step->out, input(step, 0));
    int axis = axis_of(onnx_file_int(step->node, "axis", 1), step->out->rank);
    for (size_t i = 1; i < n && axis >= 0; i++) {
        const struct onnx_value *in = input(step, i);
        for (size_t d = 0; d < step->out->rank; d++)
            if (in->rank != step->out->rank ||
                ((int)d != axis && in->dims[d] != step->out->dims[d]))
                return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
        step->out->dims[axis] += in->dims[axis];
    }
    if (axis < 0)
        return onnx_infer_fail(step, err, "it names an axis that its input does not have");
    join_ints(step);
    add_vector_work(step);
    step->op->class = WORK_CONCAT;
    step->op->n_parts = (double)n;
    return 0;
}

// ---- lookups ------------------------------------------------------------------------------------

static void pick_ints(struct onnx_value *out, const struct onnx_value *data,
                      const struct onnx_value *at)
{
    int64_t ints[ONNX_MAX_INTS];
    if (!data->ints || !at->ints)
        return;
    for (size_t i = 0; i < at->n_ints; i++) {
        int which = axis_of(at->ints[i], data->n_ints);
        if (which < 0)
            return;
        ints[i] = data->ints[which];
    }
    set_ints(out, ints, at->n_ints);
}

// Rows of an initializer by numbers of the request: a table. Numbers that are known pick what is
// known, for shapes.
static int infer_gather(struct onnx_step *step, struct err *err)
{
    if (want(step, 2, err) < 0)
        return -1;
    const struct onnx_value *data = input(step, 0), *at = input(step, 1);
    int axis = axis_of(onnx_file_int(step->node, "axis", 0), data->rank);
    struct onnx_value *out = step->out;
    if (axis < 0 || data->rank - 1 + at->rank > ONNX_MAX_RANK)
        return onnx_infer_fail(step, err, "it names an axis that its input does not have");
    copy_shape(out, data);
    out->rank = data->rank - 1 + at->rank;
    memcpy(out->dims + axis, at->dims, at->rank * sizeof *at->dims);
    memcpy(out->dims + (size_t)axis + at->rank, data->dims + axis + 1,
           (data->rank - 1 - (size_t)axis) * sizeof *data->dims);
    if (data->rank == 1)
        pick_ints(out, data, at);
    add_vector_work(step);
    if (data->varies || !at->varies)
        return 0;
    if (axis != 0 || data->initializer < 0)
        return onnx_infer_fail(step, err, "expected rows of an initializer, along its first axis");
    out->width = onnx_infer_width(out->type); // whatever the rows are stored in
    step->op->class = WORK_EMBEDDING;
    step->op->written_bytes = 0; // counted with the rows
    step->op->table = data->initializer;
    step->op->lookups = step->op->rows = n_elements(at);
    return 0;
}

// Offsets that the file has as numbers were made for one number of bags. Where they are the places
// 0, s, 2s and so on, as for indices of [bags, s], there is a bag in every s indices. False: they
// do not fit the indices.
static bool count_bags(const struct onnx_value *offsets, double n_indices, bool has_end,
                       double *n_bags)
{
    const int64_t *at = offsets->ints;
    size_t n = offsets->n_ints;
    if (n > 0 && at[0] < 0)
        return false;
    int64_t step = n > 1 && at[0] == 0 ? at[1] : 0;
    for (size_t i = 1; i < n; i++) {
        if (at[i] < at[i - 1])
            return false;
        step = at[i] - at[i - 1] == step ? step : 0;
    }
    if (step > 0)
        *n_bags = n_indices / (double)step;
    else if (n > 0 && (has_end ? (double)at[n - 1] != n_indices : (double)at[n - 1] > n_indices))
        return false;
    return *n_bags == (double)(int64_t)*n_bags;
}

// All bags of one table (onnx_bag.h), counted as a Gather and the sum of its rows are.
static int infer_bag(struct onnx_step *step, struct err *err)
{
    if (want(step, 3, err) < 0)
        return -1;
    const struct onnx_value *table = input(step, 0), *at = input(step, 1);
    const struct onnx_value *offsets = input(step, 2), *weights = input(step, 3);
    bool has_end = onnx_file_int(step->node, ONNX_BAG_HAS_END, 0) != 0;
    if (table->initializer < 0 || table->rank != 2 || at->rank != 1 || offsets->rank != 1 ||
        (weights && (weights->rank != 1 || weights->dims[0] != at->dims[0])))
        return onnx_infer_fail(step, err, "expected rows of an initializer, indices and offsets");
    double n_bags = (double)offsets->dims[0] - has_end;
    if (n_bags < 0 ||
        (offsets->ints && !count_bags(offsets, (double)at->dims[0], has_end, &n_bags)))
        return onnx_infer_fail(step, err, "its offsets do not fit its indices");
    copy_shape(step->out, table);
    step->out->width = onnx_infer_width(step->out->type); // whatever the rows are stored in
    step->out->dims[0] = (int64_t)n_bags;
    step->op->class = WORK_EMBEDDING;
    step->op->n_ops = 1;
    step->op->table = table->initializer;
    step->op->lookups = (double)at->dims[0];
    step->op->rows = n_bags;
    step->op->flop = ELEMENT_FLOP * (weights ? 2 : 1) * step->op->lookups * (double)table->dims[1];
    return 0;
}

static int infer_gather_like(struct onnx_step *step, struct err *err)
{
    if (want(step, 2, err) < 0)
        return -1;
    const struct onnx_value *data = input(step, 0), *at = input(step, 1);
    if (!data->varies && at->varies)
        return onnx_infer_fail(step, err, "lookups in an initializer are known as Gather alone");
    copy_shape(step->out, data);
    step->out->rank = at->rank;
    memcpy(step->out->dims, at->dims, sizeof at->dims);
    if (strcmp(step->node->op, "GatherND") == 0) {
        int64_t batch = onnx_file_int(step->node, "batch_dims", 0);
        int64_t deep = at->rank > 0 ? at->dims[at->rank - 1] : 0;
        if (at->rank == 0 || batch < 0 || batch >= (int64_t)at->rank || deep < 1 ||
            deep > ONNX_MAX_RANK || batch + deep > (int64_t)data->rank ||
            at->rank - 1 + data->rank - (size_t)(batch + deep) > ONNX_MAX_RANK)
            return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
        step->out->rank = at->rank - 1;
        for (size_t d = (size_t)(batch + deep); d < data->rank; d++)
            step->out->dims[step->out->rank++] = data->dims[d];
    }
    add_vector_work(step);
    return 0;
}

// ---- reductions ---------------------------------------------------------------------------------

// The lookup whose rows a reduction sums over their lookups, and does nothing else with; NULL:
// none.
static struct onnx_op *bag_of(const struct onnx_step *step, const struct onnx_value *in,
                              const bool *is_named)
{
    struct onnx_op *gather = in->node >= 0 ? &step->ops[in->node] : NULL;
    static const char *const names[] = {"ReduceSum", "ReduceMean", "ReduceMax"};
    bool pools = false;
    if (!gather || gather->table < 0 || in->n_uses != 1)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        pools |= strcmp(step->node->op, names[i]) == 0;
    size_t row_rank = step->graph->initializers[gather->table].rank - 1;
    for (size_t d = in->rank - row_rank; d < in->rank; d++)
        pools &= !is_named[d]; // a row is kept whole
    return pools ? gather : NULL;
}

// "All but the batch" is a product of a shape.
static void multiply_ints(struct onnx_value *out, const struct onnx_value *in)
{
    int64_t product = 1;
    for (size_t i = 0; i < in->n_ints; i++)
        if (__builtin_mul_overflow(product, in->ints[i], &product))
            return;
    set_ints(out, &product, 1);
}

static int infer_reduce(struct onnx_step *step, struct err *err)
{
    bool is_named[ONNX_MAX_RANK], any;
    if (want(step, 1, err) < 0)
        return -1;
    struct onnx_value *in = input(step, 0), *out = step->out;
    bool keeps = onnx_file_int(step->node, "keepdims", 1) != 0;
    if (named_axes(step, in, is_named, &any, err) < 0)
        return -1;
    bool nothing = !any && onnx_file_int(step->node, "noop_with_empty_axes", 0) != 0;
    copy_shape(out, in);
    out->rank = 0;
    for (size_t d = 0; d < in->rank; d++) {
        bool goes = any ? is_named[d] : !nothing;
        is_named[d] = goes;
        if (!goes || keeps)
            out->dims[out->rank++] = goes ? 1 : in->dims[d];
    }
    if (in->ints && n_elements(out) == 1 && !nothing && strcmp(step->node->op, "ReduceProd") == 0)
        multiply_ints(out, in);
    step->op->n_ops = 1;
    step->op->class = WORK_SUM;
    step->op->flop = ELEMENT_FLOP * n_elements(in);
    step->op->written_bytes = onnx_infer_bytes(out);
    struct onnx_op *gather = bag_of(step, in, is_named);
    if (gather) {
        step->op->class = WORK_EMBEDDING;
        step->op->n_ops = step->op->written_bytes = 0;
        gather->rows *= n_elements(in) > 0 ? n_elements(out) / n_elements(in) : 1;
    }
    return 0;
}

// ---- layers -------------------------------------------------------------------------------------

static double moving_bytes(const struct onnx_value *value)
{
    return value->varies ? onnx_infer_bytes(value) : 0;
}

static void add_product(struct onnx_step *step, const struct onnx_value *a,
                        const struct onnx_value *b, double depth)
{
    step->op->is_pairwise = a->varies && b->varies;
    bool attends = step->op->is_pairwise && (a->from_softmax || b->from_softmax);
    step->op->class = attends ? WORK_ATTENTION : WORK_FC;
    step->op->n_ops = 1;
    step->op->flop = 2 * n_elements(step->out) * depth;
    step->op->written_bytes = onnx_infer_bytes(step->out);
    step->op->read_bytes = moving_bytes(a) + moving_bytes(b);
}

static int infer_gemm(struct onnx_step *step, struct err *err)
{
    if (want(step, 2, err) < 0)
        return -1;
    const struct onnx_value *a = input(step, 0), *b = input(step, 1), *c = input(step, 2);
    bool turn_a = onnx_file_int(step->node, "transA", 0) != 0;
    bool turn_b = onnx_file_int(step->node, "transB", 0) != 0;
    if (a->rank != 2 || b->rank != 2 || a->dims[!turn_a] != b->dims[turn_b])
        return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
    copy_shape(step->out, a);
    step->out->dims[0] = a->dims[turn_a];
    step->out->dims[1] = b->dims[!turn_b];
    struct onnx_value whole = *step->out;
    if (c && (broadcast(step, &whole, c, err) < 0 || n_elements(&whole) != n_elements(step->out)))
        return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
    add_product(step, a, b, (double)a->dims[!turn_a]);
    return 0;
}

// As numpy multiplies: matrices at the end, everything before them side by side.
static int infer_matmul(struct onnx_step *step, struct err *err)
{
    if (want(step, 2, err) < 0)
        return -1;
    const struct onnx_value *a = input(step, 0), *b = input(step, 1);
    struct onnx_value left = *a, right = *b, *out = step->out;
    if (a->rank == 0 || b->rank == 0)
        return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
    int64_t depth = a->dims[a->rank - 1];
    if (depth != b->dims[b->rank > 1 ? b->rank - 2 : 0])
        return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
    copy_shape(out, a);
    left.rank = a->rank > 2 ? a->rank - 2 : 0;
    right.rank = b->rank > 2 ? b->rank - 2 : 0;
    if (broadcast(step, &left, &right, err) < 0)
        return -1;
    out->rank = left.rank;
    memcpy(out->dims, left.dims, sizeof left.dims);
    if (a->rank > 1)
        out->dims[out->rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        out->dims[out->rank++] = b->dims[b->rank - 1];
    if (strcmp(step->node->op, "MatMulInteger") == 0) {
        out->type = ONNX_INT32;
        out->width = onnx_infer_width(ONNX_INT32);
    }
    add_product(step, a, b, (double)depth);
    return 0;
}

// GRU, LSTM and RNN: one projection of all inputs, then a product and an activation per step.
static int infer_recurrent(struct onnx_step *step, struct err *err)
{
    if (want(step, 3, err) < 0)
        return -1;
    const struct onnx_value *x = input(step, 0), *w = input(step, 1), *r = input(step, 2);
    bool batch_first = onnx_file_int(step->node, "layout", 0) != 0;
    if (x->rank != 3 || w->rank != 3 || r->rank != 3 || w->dims[2] != x->dims[2] ||
        w->dims[1] != r->dims[1] || w->dims[0] != r->dims[0])
        return onnx_infer_fail(step, err, "the shapes of its inputs do not fit together");
    double in = (double)x->dims[2], hidden = (double)r->dims[2], width = (double)w->dims[1];
    double turns = (double)w->dims[0], steps = (double)x->dims[batch_first];
    double rows = turns * steps * (double)x->dims[!batch_first];
    copy_shape(step->out, x);
    const int64_t shape[4] = {x->dims[0], batch_first ? x->dims[1] : w->dims[0],
                              batch_first ? w->dims[0] : x->dims[1], r->dims[2]};
    step->out->rank = 3; // what a state looks like
    step->out->dims[0] = batch_first ? x->dims[0] : w->dims[0];
    step->out->dims[1] = batch_first ? w->dims[0] : x->dims[1];
    step->out->dims[2] = r->dims[2];
    put_output(step, 1, -1, 0);
    put_output(step, 2, -1, 0);
    step->out->rank = 4;
    memcpy(step->out->dims, shape, sizeof shape);
    step->op->class = WORK_RECURRENT;
    step->op->n_ops = turns * (1 + 2 * steps);
    step->op->flop = 2 * (in + hidden) * width * rows;
    step->op->written_bytes = width * rows * x->width;
    step->op->read_bytes = (in + hidden) * rows * x->width;
    return 0;
}

// ---- what depends on shapes alone ---------------------------------------------------------------

static int put_ints(struct onnx_step *step, size_t rank, const int64_t *ints, size_t n)
{
    step->out->type = ONNX_INT64;
    step->out->width = onnx_infer_width(ONNX_INT64);
    step->out->rank = rank;
    step->out->dims[0] = (int64_t)n;
    step->out->varies = step->out->is_param = false;
    set_ints(step->out, ints, n);
    return 0;
}

static int infer_shape(struct onnx_step *step, struct err *err)
{
    if (want(step, 1, err) < 0)
        return -1;
    const struct onnx_value *in = input(step, 0);
    if (strcmp(step->node->op, "Size") == 0) {
        const int64_t size = (int64_t)n_elements(in);
        return put_ints(step, 0, &size, 1);
    }
    int64_t rank = (int64_t)in->rank, first;
    int64_t n = slice_size(rank, onnx_file_int(step->node, "start", 0),
                           onnx_file_int(step->node, "end", rank), 1, &first);
    return put_ints(step, 1, in->dims + first, (size_t)n);
}

static int infer_constant(struct onnx_step *step, struct err *err)
{
    const struct onnx_attribute *tensor = onnx_file_attribute(step->node, "value");
    const struct onnx_attribute *one = onnx_file_attribute(step->node, "value_int");
    const struct onnx_attribute *many = onnx_file_attribute(step->node, "value_ints");
    const struct onnx_attribute *reals = onnx_file_attribute(step->node, "value_floats");
    if (tensor && tensor->has_tensor) {
        onnx_infer_set_tensor(step->out, &tensor->tensor);
        return 0;
    }
    if (one && one->has_i)
        return put_ints(step, 0, &one->i, 1);
    if (many)
        return put_ints(step, 1, many->ints, many->n_ints);
    if (!reals && !onnx_file_attribute(step->node, "value_float"))
        return onnx_infer_fail(step, err, "expected a tensor or numbers as its value");
    step->out->width = onnx_infer_width(ONNX_FLOAT);
    step->out->is_param = true;
    step->out->rank = reals != NULL;
    step->out->dims[0] = reals ? (int64_t)reals->n_floats : 1;
    return 0;
}

static int infer_constant_of_shape(struct onnx_step *step, struct err *err)
{
    const struct onnx_attribute *value = onnx_file_attribute(step->node, "value");
    if (want(step, 1, err) < 0)
        return -1;
    const struct onnx_value *shape = input(step, 0);
    if (!shape->ints || shape->n_ints > ONNX_MAX_RANK)
        return onnx_infer_fail(step, err, "its shape is not known before it runs");
    step->out->type = value && value->has_tensor ? value->tensor.type : ONNX_FLOAT;
    step->out->width = onnx_infer_width(step->out->type);
    step->out->varies = step->out->is_param = false;
    step->out->rank = shape->n_ints;
    for (size_t d = 0; d < shape->n_ints; d++) {
        step->out->dims[d] = shape->ints[d];
        if (shape->ints[d] < 0 || (double)shape->ints[d] > ONNX_MAX_SIZE)
            return onnx_infer_fail(step, err, "its shape is wrong");
    }
    if (!value || !value->has_tensor || value->tensor.n_ints != 1 ||
        n_elements(step->out) > ONNX_MAX_INTS)
        return 0;
    int64_t ints[ONNX_MAX_INTS];
    size_t n = (size_t)n_elements(step->out);
    for (size_t i = 0; i < n; i++)
        ints[i] = value->tensor.ints[0];
    set_ints(step->out, ints, n);
    return 0;
}

static int infer_range(struct onnx_step *step, struct err *err)
{
    if (want(step, 3, err) < 0)
        return -1;
    const struct onnx_value *in[3] = {input(step, 0), input(step, 1), input(step, 2)};
    for (size_t i = 0; i < 3; i++)
        if (!in[i]->ints || in[i]->n_ints != 1)
            return onnx_infer_fail(step, err, "its numbers are not known before it runs");
    double from = (double)in[0]->ints[0], to = (double)in[1]->ints[0];
    double by = (double)in[2]->ints[0], span = by > 0 ? to - from : from - to;
    double n = by == 0 ? -1 : span <= 0 ? 0 : span / (by > 0 ? by : -by);
    if (!(n >= 0 && n <= ONNX_MAX_INTS))
        return onnx_infer_fail(step, err, "it gives too many numbers, or none");
    int64_t ints[ONNX_MAX_INTS + 1];
    size_t count = 0;
    for (double x = from; (by > 0 ? x < to : x > to) && count <= ONNX_MAX_INTS; x += by)
        ints[count++] = (int64_t)x;
    return count <= ONNX_MAX_INTS ? put_ints(step, 1, ints, count)
                                  : onnx_infer_fail(step, err, "it gives too many numbers");
}

// ---- the table ----------------------------------------------------------------------------------

#define ELEMENTWISE(name)                                                                          \
    {                                                                                              \
        name, infer_same, ELEMENT_FLOP, false, false                                               \
    }
#define BROADCASTS(name)                                                                           \
    {                                                                                              \
        name, infer_broadcast, ELEMENT_FLOP, false, false                                          \
    }
#define REDUCES(name)                                                                              \
    {                                                                                              \
        name, infer_reduce, ELEMENT_FLOP, false, false                                             \
    }
#define MOVES(name, infer)                                                                         \
    {                                                                                              \
        name, infer, 0, false, false                                                               \
    }
#define VIEWS(name, infer)                                                                         \
    {                                                                                              \
        name, infer, 0, true, false                                                                \
    }

// A new operator is a row here, with a function where none of these fits, and a test.
static const struct onnx_operator operators[] = {
    ELEMENTWISE("Abs"),
    ELEMENTWISE("Ceil"),
    ELEMENTWISE("Clip"),
    ELEMENTWISE("Celu"),
    ELEMENTWISE("Cos"),
    ELEMENTWISE("CumSum"),
    ELEMENTWISE("Elu"),
    ELEMENTWISE("Erf"),
    ELEMENTWISE("Exp"),
    ELEMENTWISE("Floor"),
    ELEMENTWISE("Gelu"),
    ELEMENTWISE("HardSigmoid"),
    ELEMENTWISE("HardSwish"),
    ELEMENTWISE("LeakyRelu"),
    ELEMENTWISE("Log"),
    ELEMENTWISE("Mish"),
    ELEMENTWISE("Neg"),
    ELEMENTWISE("Not"),
    ELEMENTWISE("Reciprocal"),
    ELEMENTWISE("Relu"),
    ELEMENTWISE("Round"),
    ELEMENTWISE("Selu"),
    ELEMENTWISE("Sigmoid"),
    ELEMENTWISE("Sign"),
    ELEMENTWISE("Sin"),
    ELEMENTWISE("Softplus"),
    ELEMENTWISE("Softsign"),
    ELEMENTWISE("Sqrt"),
    ELEMENTWISE("Tanh"),
    ELEMENTWISE("ThresholdedRelu"),
    BROADCASTS("Add"),
    BROADCASTS("And"),
    BROADCASTS("Div"),
    BROADCASTS("Equal"),
    BROADCASTS("Greater"),
    BROADCASTS("GreaterOrEqual"),
    BROADCASTS("Less"),
    BROADCASTS("LessOrEqual"),
    BROADCASTS("Max"),
    BROADCASTS("Mean"),
    BROADCASTS("Min"),
    BROADCASTS("Mod"),
    BROADCASTS("Mul"),
    BROADCASTS("Or"),
    BROADCASTS("PRelu"),
    BROADCASTS("Pow"),
    BROADCASTS("Sub"),
    BROADCASTS("Sum"),
    BROADCASTS("Where"),
    BROADCASTS("Xor"),
    REDUCES("ReduceL1"),
    REDUCES("ReduceL2"),
    REDUCES("ReduceLogSumExp"),
    REDUCES("ReduceMax"),
    REDUCES("ReduceMean"),
    REDUCES("ReduceMin"),
    REDUCES("ReduceProd"),
    REDUCES("ReduceSum"),
    REDUCES("ReduceSumSquare"),
    {"BatchNormalization", infer_normalise, BATCH_NORM_FLOP, false, false},
    {"InstanceNormalization", infer_normalise, NORM_FLOP, false, false},
    {"LayerNormalization", infer_normalise, NORM_FLOP, false, false},
    {"RMSNormalization", infer_normalise, NORM_FLOP, false, false},
    {"LogSoftmax", infer_softmax, SOFTMAX_FLOP, false, false},
    {"Softmax", infer_softmax, SOFTMAX_FLOP, false, false},
    {"DequantizeLinear", infer_quantised, ELEMENT_FLOP, false, true},
    {"QuantizeLinear", infer_quantised, ELEMENT_FLOP, false, false},
    {"Cast", infer_cast, 0, false, true},
    MOVES("Concat", infer_concat),
    MOVES("Expand", infer_expand),
    MOVES("Gather", infer_gather),
    MOVES("GatherElements", infer_gather_like),
    MOVES("GatherND", infer_gather_like),
    MOVES("Pad", infer_pad),
    MOVES("Slice", infer_slice),
    MOVES("Split", infer_split),
    MOVES("Tile", infer_expand),
    MOVES("Transpose", infer_transpose),
    MOVES("Trilu", infer_same),
    VIEWS("Dropout", infer_same),
    VIEWS("Flatten", infer_flatten),
    {"Identity", infer_same, 0, true, true},
    VIEWS("Reshape", infer_reshape),
    VIEWS("Squeeze", infer_squeeze),
    VIEWS("Unsqueeze", infer_unsqueeze),
    {"Gemm", infer_gemm, 0, false, false},
    {"MatMul", infer_matmul, 0, false, false},
    {"MatMulInteger", infer_matmul, 0, false, false},
    {"GRU", infer_recurrent, 0, false, false},
    {"LSTM", infer_recurrent, 0, false, false},
    {"RNN", infer_recurrent, 0, false, false},
    VIEWS("Constant", infer_constant),
    VIEWS("ConstantOfShape", infer_constant_of_shape),
    VIEWS("Range", infer_range),
    VIEWS("Shape", infer_shape),
    VIEWS("Size", infer_shape)};

static const struct onnx_operator bag_operator = {ONNX_BAG_OP, infer_bag, 0, false, false};

const struct onnx_operator *onnx_infer_find(const struct onnx_node *node)
{
    if (onnx_bag_is(node))
        return &bag_operator;
    for (size_t i = 0; i < sizeof operators / sizeof *operators && !*node->domain; i++)
        if (strcmp(operators[i].name, node->op) == 0)
            return &operators[i];
    return NULL;
}
