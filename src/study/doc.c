// SPDX-License-Identifier: Apache-2.0
#include "study/doc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/units.h"
#include "study/mistakes.h"

struct doc {
    char *name;
    struct node *root;
    char **settings; // origins of what doc_set() put in
    size_t n_settings;
};

static struct node *node_new(enum node_kind kind, const char *origin)
{
    struct node *node = mem_calloc(1, sizeof *node);
    node->kind = kind;
    node->origin = origin;
    return node;
}

// Depth is bounded by DOC_MAX_DEPTH, so recursion is.
static void node_destroy(struct node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n; i++)
        node_destroy(node->items[i]);
    mem_free(node->items);
    mem_free(node->key);
    mem_free(node->text);
    mem_free(node);
}

static void node_add(struct node *parent, struct node *child)
{
    if (parent->n == parent->cap) {
        parent->cap = parent->cap ? 2 * parent->cap : 8;
        parent->items = mem_realloc(parent->items, parent->cap, sizeof(struct node *));
    }
    child->parent = parent;
    child->index = parent->n;
    parent->items[parent->n++] = child;
}

const struct node *node_get(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i]->key, key) == 0)
            return map->items[i];
    return NULL;
}

const struct node *node_root(const struct node *node)
{
    while (node->parent)
        node = node->parent;
    return node;
}

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node->quoted &&
           (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

const char *node_found(const struct node *node, char *buf, size_t size)
{
    if (node->kind == NODE_MAP)
        snprintf(buf, size, "a map");
    else if (node->kind == NODE_LIST)
        snprintf(buf, size, "a list");
    else if (node_is_null(node))
        snprintf(buf, size, "nothing");
    else
        snprintf(buf, size, "\"%.80s\"", node->text);
    return buf;
}

char *node_path(const struct node *node, char *buf, size_t size)
{
    if (!node->parent) {
        buf[0] = '\0';
        return buf;
    }
    node_path(node->parent, buf, size);
    size_t used = strlen(buf);
    if (node->parent->kind == NODE_LIST)
        snprintf(buf + used, size - used, "[%zu]", node->index);
    else
        snprintf(buf + used, size - used, "%s%.60s", used ? "." : "", node->key);
    return buf;
}

static void position(const struct node *node, bool at_key, char *buf, size_t size)
{
    int line = at_key && node->key_line ? node->key_line : node->line;
    int column = at_key && node->key_line ? node->key_column : node->column;
    if (line)
        snprintf(buf, size, "%s:%d:%d", node->origin, line, column);
    else
        snprintf(buf, size, "%s", node->origin);
}

void node_where(const struct node *node, char *buf, size_t size)
{
    position(node, false, buf, size);
}

static int prefix(const struct node *node, bool at_key, const char *key, struct err *err)
{
    char where[ERR_TEXT_MAX / 4], path[ERR_TEXT_MAX / 4];

    position(node, at_key, where, sizeof where);
    node_path(node, path, sizeof path);
    if (key) {
        size_t used = strlen(path);
        snprintf(path + used, sizeof path - used, "%s%s", used ? "." : "", key);
    }
    return *path ? err_prefix(err, "%s: %s", where, path) : err_prefix(err, "%s", where);
}

int node_prefix(const struct node *node, struct err *err)
{
    return prefix(node, false, NULL, err);
}

int node_prefix_at_key(const struct node *node, struct err *err)
{
    return prefix(node, true, NULL, err);
}

static int fill(struct err *err, const char *fmt, va_list args)
{
    char text[ERR_TEXT_MAX / 2];
    vsnprintf(text, sizeof text, fmt, args);
    return err_set(err, ERR_STUDY, "%s", text);
}

int node_fail(const struct node *node, struct err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(err, fmt, args);
    va_end(args);
    return prefix(node, false, NULL, err);
}

int node_fail_key(const struct node *map, const char *key, struct err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(err, fmt, args);
    va_end(args);
    const struct node *child = node_get(map, key);
    return child ? prefix(child, false, NULL, err) : prefix(map, false, key, err);
}

// --- reading

// One pass over libyaml's events. The event interface, not the document interface: it says where
// an alias stands and lets us stop before a tree is built from it.
struct build {
    struct doc *doc;
    struct node *stack[DOC_MAX_DEPTH];
    size_t depth, n_nodes;
    struct mistakes *mistakes; // of the document; NULL: the first ends it
    struct node *pending_key;  // key of the current map that waits for its value
};

static int fail_at(const struct build *b, yaml_mark_t mark, struct err *err, const char *text)
{
    return err_set(err, ERR_STUDY, "%s:%zu:%zu: %s", b->doc->name, mark.line + 1, mark.column + 1,
                   text);
}

// libyaml's own complaint. Reader errors carry a byte offset instead of a mark.
static int syntax_error(const struct build *b, const yaml_parser_t *parser, const char *data,
                        size_t size, struct err *err)
{
    const char *problem = parser->problem ? parser->problem : "not a YAML text";
    size_t line = parser->problem_mark.line, column = parser->problem_mark.column;

    if (parser->error == YAML_READER_ERROR) {
        size_t end = parser->problem_offset < size ? parser->problem_offset : size;
        line = column = 0;
        for (size_t i = 0; i < end; i++) {
            column = data[i] == '\n' ? 0 : column + 1;
            line += data[i] == '\n';
        }
        return err_set(err, ERR_STUDY, "%s:%zu:%zu: not a UTF-8 text: %s", b->doc->name, line + 1,
                       column + 1, problem);
    }
    return err_set(err, ERR_STUDY, "%s:%zu:%zu: not valid YAML: %s%s%s", b->doc->name, line + 1,
                   column + 1, problem, parser->context ? " " : "",
                   parser->context ? parser->context : "");
}

// Puts a new node where the parser stands: root, list element, key or value.
static int place(struct build *b, struct node *node, yaml_mark_t mark, struct err *err)
{
    struct node *parent = b->depth ? b->stack[b->depth - 1] : NULL;

    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    if (++b->n_nodes > DOC_MAX_NODES) {
        node_destroy(node);
        return fail_at(b, mark, err, "too many values in one file");
    }
    if (!parent) {
        b->doc->root = node;
        node->mistakes = b->mistakes;
    } else if (parent->kind == NODE_LIST) {
        node_add(parent, node);
    } else if (b->pending_key) {
        node->key = mem_strdup(b->pending_key->text);
        node->key_line = b->pending_key->line;
        node->key_column = b->pending_key->column;
        node_destroy(b->pending_key);
        b->pending_key = NULL;
        node_add(parent, node);
    } else if (node->kind == NODE_SCALAR) {
        b->pending_key = node;
    } else {
        node_destroy(node);
        return fail_at(b, mark, err, "a key must be a single word, not a list or a map");
    }
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int check_duplicates(const struct node *map, struct err *err)
{
    struct node **sorted = mem_calloc(map->n, sizeof(struct node *));
    const struct node *again = NULL;

    if (map->n)
        memcpy(sorted, map->items, map->n * sizeof(struct node *));
    qsort(sorted, map->n, sizeof(struct node *), compare_keys);
    for (size_t i = 1; i < map->n; i++)
        if (strcmp(sorted[i]->key, sorted[i - 1]->key) == 0 &&
            (!again || sorted[i]->index < again->index))
            again = sorted[i];
    mem_free(sorted);
    if (!again)
        return 0;
    const struct node *first = node_get(map, again->key);
    err_set(err, ERR_STUDY, "duplicate key, first given in line %d", first->key_line);
    return node_prefix_at_key(again, err);
}

// Where values come from, and what is wrong with them, may take more than a line.
static bool is_prose(const struct node *node)
{
    for (; node; node = node->parent)
        if (node->key &&
            (strcmp(node->key, "sources") == 0 || strcmp(node->key, "provisional") == 0))
            return true;
    return false;
}

// The character of n bytes at p as YAML escapes it, in buf.
static const char *escaped(const char *p, size_t n, char buf[16])
{
    unsigned code = (unsigned char)p[0] & (n == 1 ? 0x7fu : 0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3fu);
    snprintf(buf, 16, code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
    return buf;
}

static int on_scalar(struct build *b, const yaml_event_t *event, struct err *err)
{
    const char *value = (const char *)event->data.scalar.value;
    char shown[16];

    if (strlen(value) != event->data.scalar.length)
        return fail_at(b, event->start_mark, err, "a NUL character is not allowed");
    if (event->data.scalar.anchor)
        return fail_at(b, event->start_mark, err, "anchors and aliases are not supported");
    if (event->data.scalar.tag)
        return fail_at(b, event->start_mark, err, "tags are not supported");
    struct node *node = node_new(NODE_SCALAR, b->doc->name);
    node->text = mem_strdup(value);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (place(b, node, event->start_mark, err) < 0)
        return -1;
    // Keys and values become names on terminals and of files. (A key is not in the tree yet.)
    for (const char *p = node->text; *p; p++)
        if (err_control(p) > 0 && !(*p == '\n' && is_prose(node)))
            return node_fail(node, err,
                             "expected a text on one line, without control characters such as %s",
                             escaped(p, err_control(p), shown));
    return 0;
}

static int on_start(struct build *b, enum node_kind kind, const yaml_char_t *anchor,
                    const yaml_char_t *tag, yaml_mark_t mark, struct err *err)
{
    if (anchor)
        return fail_at(b, mark, err, "anchors and aliases are not supported");
    if (tag)
        return fail_at(b, mark, err, "tags are not supported");
    if (b->depth == DOC_MAX_DEPTH)
        return fail_at(b, mark, err, "nested too deeply");
    struct node *node = node_new(kind, b->doc->name);
    if (place(b, node, mark, err) < 0)
        return -1;
    b->stack[b->depth++] = node;
    return 0;
}

static int on_event(struct build *b, const yaml_event_t *event, struct err *err)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(b, NODE_LIST, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag, event->start_mark, err);
    case YAML_MAPPING_START_EVENT:
        return on_start(b, NODE_MAP, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag, event->start_mark, err);
    case YAML_SEQUENCE_END_EVENT:
        b->depth--;
        return 0;
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return mistakes_keep(b->stack[b->depth], check_duplicates(b->stack[b->depth], err), err);
    case YAML_ALIAS_EVENT:
        return fail_at(b, event->start_mark, err, "anchors and aliases are not supported");
    case YAML_DOCUMENT_START_EVENT:
        if (b->doc->root)
            return fail_at(b, event->start_mark, err, "more than one document in the file");
        return 0;
    default:
        return 0;
    }
}

static int build_tree(struct doc *doc, const char *data, size_t size, struct mistakes *mistakes,
                      struct err *err)
{
    struct build b = {.doc = doc, .mistakes = mistakes};
    yaml_parser_t parser;
    yaml_event_t event;
    int rc = 0;

    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_FAIL, "%s: no memory for the YAML parser", doc->name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
    for (bool end = false; !end && rc == 0;) {
        if (!yaml_parser_parse(&parser, &event)) {
            rc = syntax_error(&b, &parser, data, size, err);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        rc = on_event(&b, &event, err);
        yaml_event_delete(&event);
    }
    node_destroy(b.pending_key);
    yaml_parser_delete(&parser);
    return rc;
}

struct doc *doc_collect(const char *name, const char *data, size_t size, struct mistakes *mistakes,
                        struct err *err)
{
    struct doc *doc = mem_calloc(1, sizeof *doc);

    doc->name = mem_strdup(name);
    if (size > DOC_MAX_BYTES) {
        err_set(err, ERR_STUDY, "%s:1:1: larger than %zu MiB", name, DOC_MAX_BYTES >> 20);
        doc_destroy(doc);
        return NULL;
    }
    if (build_tree(doc, data, size, mistakes, err) < 0) {
        doc_destroy(doc);
        return NULL;
    }
    if (!doc->root || node_is_null(doc->root)) {
        node_destroy(doc->root);
        doc->root = node_new(NODE_MAP, doc->name);
        doc->root->line = doc->root->column = 1;
        doc->root->mistakes = mistakes;
    }
    return doc;
}

struct doc *doc_parse(const char *name, const char *data, size_t size, struct err *err)
{
    return doc_collect(name, data, size, NULL, err);
}

char *doc_load_file(const char *path, size_t max_bytes, size_t *size, struct err *err)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t n = 0, cap = 0, got;

    if (!file) {
        err_set(err, ERR_STUDY, "%s: cannot open: %s", path, strerror(errno));
        return NULL;
    }
    do {
        if (n + 1 >= cap) {
            cap = cap ? 2 * cap : 1 << 16;
            data = mem_realloc(data, cap, 1);
        }
        got = fread(data + n, 1, cap - 1 - n, file);
        n += got;
    } while (got > 0 && n <= max_bytes);
    int bad = ferror(file);
    fclose(file);
    if (bad || n > max_bytes) {
        mem_free(data);
        if (bad)
            err_set(err, ERR_STUDY, "%s: cannot read: %s", path, strerror(errno));
        else
            err_set(err, ERR_STUDY, "%s:1:1: larger than %zu MiB", path, max_bytes >> 20);
        return NULL;
    }
    data[n] = '\0';
    *size = n;
    return data;
}

struct doc *doc_read(const char *path, struct err *err)
{
    size_t size;
    char *data = doc_load_file(path, DOC_MAX_BYTES, &size, err);
    if (!data)
        return NULL;
    struct doc *doc = doc_parse(path, data, size, err);
    mem_free(data);
    return doc;
}

static struct node *node_copy(const struct node *node)
{
    struct node *copy = node_new(node->kind, node->origin);
    *copy = *node;
    copy->key = mem_strdup(node->key);
    copy->text = mem_strdup(node->text);
    copy->items = node->n ? mem_alloc(node->n * sizeof(struct node *)) : NULL;
    copy->cap = node->n;
    for (size_t i = 0; i < node->n; i++) {
        copy->items[i] = node_copy(node->items[i]);
        copy->items[i]->parent = copy;
    }
    return copy;
}

struct doc *doc_copy(const struct doc *doc, const char *without)
{
    struct doc *copy = mem_calloc(1, sizeof *copy);
    const struct node *root = doc->root, *left_out = node_get(root, without);
    copy->name = mem_strdup(doc->name);
    if (!left_out) {
        copy->root = node_copy(root);
        return copy;
    }
    copy->root = node_new(NODE_MAP, root->origin);
    copy->root->line = root->line;
    copy->root->column = root->column;
    for (size_t i = 0; i < root->n; i++)
        if (root->items[i] != left_out)
            node_add(copy->root, node_copy(root->items[i]));
    return copy;
}

void doc_destroy(struct doc *doc)
{
    if (!doc)
        return;
    node_destroy(doc->root);
    for (size_t i = 0; i < doc->n_settings; i++)
        mem_free(doc->settings[i]);
    mem_free(doc->settings);
    mem_free(doc->name);
    mem_free(doc);
}

const struct node *doc_root(const struct doc *doc)
{
    return doc->root;
}

// --- doc_set

#define PATH_MAX_STEPS 32

// A key path cut into steps: "a.b[0]" -> "a", "b", "0".
struct path {
    char *copy;
    const char *steps[PATH_MAX_STEPS];
    size_t n;
};

static int path_split(const char *text, size_t size, struct path *path, struct err *err)
{
    // Every separator becomes the end of a step; "[0]." leaves empty pieces, which are skipped.
    path->copy = mem_printf("%.*s", (int)size, text);
    path->n = 0;
    char last = '.';
    for (char *p = path->copy; *p;) {
        size_t len = strcspn(p, ".[]");
        if (len > 0 && path->n < PATH_MAX_STEPS)
            path->steps[path->n++] = p;
        else if (len > 0 || (last != ']' && !(last == '.' && *p == '[' && path->n)))
            goto malformed;
        last = p[len];
        if (last == '\0')
            return 0;
        p[len] = '\0';
        p += len + 1;
    }
    if (last == ']' && path->n)
        return 0;
malformed:
    mem_free(path->copy);
    return err_set(err, ERR_STUDY, "expected key.path=value");
}

int doc_check_key(const char *key, struct err *err)
{
    struct path path = {0};
    if (strchr(key, '='))
        return err_set(err, ERR_STUDY, "expected key.path without \"=\"");
    if (path_split(key, strlen(key), &path, NULL) < 0)
        return err_set(err, ERR_STUDY, "expected a key such as traffic[0].rate");
    mem_free(path.copy);
    return 0;
}

static bool is_index(const char *step, size_t *index)
{
    char *end;
    if (*step < '0' || *step > '9')
        return false;
    *index = strtoul(step, &end, 10);
    return *end == '\0';
}

static void mark_origin(struct node *node, const char *origin)
{
    node->origin = origin;
    node->line = node->column = node->key_line = node->key_column = 0;
    for (size_t i = 0; i < node->n; i++)
        mark_origin(node->items[i], origin);
}

// "rate_qps" -> 4 when "qps" is a unit somewhere, else 0: the length without the unit.
static size_t without_unit(const char *key)
{
    const char *suffix = NULL;
    for (int u = 0; !suffix && u < N_UNITS; u++)
        suffix = unit_of_key((enum unit)u, key);
    return suffix ? (size_t)(suffix - key) - 1 : 0;
}

// The child of `node` that `step` names; NULL when there is none (err is filled for a list).
static struct node *child_of(struct node *node, const char *step, struct err *err)
{
    size_t i;
    if (node->kind == NODE_LIST) {
        if (!is_index(step, &i) || i >= node->n) {
            err_set(err, ERR_STUDY, "no element \"%s\" in a list of %zu", step, node->n);
            return NULL;
        }
        return node->items[i];
    }
    return (struct node *)node_get(node, step);
}

const struct node *doc_find(const struct doc *doc, const char *message)
{
    size_t len = strspn(message, "abcdefghijklmnopqrstuvwxyz_0123456789[].");
    struct node *node = doc->root;
    struct path path = {0};
    if (strncmp(message + len, ": ", 2) != 0 || path_split(message, len, &path, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < path.n && node->kind != NODE_SCALAR; i++) {
        struct node *child = child_of(node, path.steps[i], NULL);
        if (!child)
            break;
        node = child;
    }
    mem_free(path.copy);
    return node;
}

static void replace(struct node *old, struct node *value)
{
    struct node *parent = old->parent;
    value->parent = parent;
    value->index = old->index;
    value->key = mem_strdup(old->key);
    parent->items[old->index] = value;
    node_destroy(old);
}

static void add_keyed(struct node *map, const char *key, struct node *value)
{
    value->key = mem_strdup(key);
    node_add(map, value);
}

// Sets the last step of a path inside `node`.
static int set_last(struct node *node, const char *step, struct node *value, struct err *err)
{
    struct node *old = child_of(node, step, err);
    if (old) {
        replace(old, value);
        return 0;
    }
    if (node->kind != NODE_MAP)
        return -1;
    size_t cut = without_unit(step);
    char *base = mem_printf("%.*s", (int)cut, step);
    old = cut ? (struct node *)node_get(node, base) : NULL;
    mem_free(base);
    if (old && value->kind == NODE_SCALAR) {
        char *text = mem_printf("%s%s", value->text, step + cut + 1);
        mem_free(value->text);
        value->text = text;
        replace(old, value);
    } else {
        add_keyed(node, step, value);
    }
    return 0;
}

// Walks to the parent of the last step, creating maps where `change` says so, and sets the value
// there. Called twice: once to find errors, once for good.
static int set_path(struct doc *doc, const struct path *path, struct node *value,
                    const char *origin, bool change, struct err *err)
{
    struct node *node = doc->root;

    for (size_t i = 0; i + 1 < path->n; i++) {
        struct node *child = child_of(node, path->steps[i], err);
        if (!child && node->kind != NODE_MAP)
            return -1;
        if (!child || node_is_null(child)) {
            if (!change)
                return 0; // all that follows will be new
            struct node *map = node_new(NODE_MAP, origin);
            if (child)
                replace(child, map);
            else
                add_keyed(node, path->steps[i], map);
            child = map;
        }
        if (child->kind == NODE_SCALAR)
            return err_set(err, ERR_STUDY, "\"%s\" has no keys", path->steps[i]);
        node = child;
    }
    const char *last = path->steps[path->n - 1];
    if (change)
        return set_last(node, last, value, err);
    return node->kind == NODE_LIST && !child_of(node, last, err) ? -1 : 0;
}

// The tree of a setting's value; nothing behind "=" is an empty text.
static struct node *value_of(struct doc *value, const char *text, const char *origin)
{
    struct node *root = value->root;

    bool nothing = root->kind == NODE_MAP && root->n == 0 && !strchr(text, '{'); // "null", "~"
    if (!*text || nothing) {
        node_destroy(root);
        root = node_new(NODE_SCALAR, origin);
        root->text = mem_strdup("");
        root->quoted = !*text;
    }
    value->root = NULL;
    mark_origin(root, origin);
    return root;
}

// A value that is one word needs no parser: sweeps set millions of them.
static struct doc *parse_value(const char *text, struct err *err)
{
    static const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t n = strspn(text, letters) + strspn(text, "0123456789");
    while (n > 0 && text[n] && (strchr(letters, text[n]) || strchr("0123456789._-", text[n])))
        n++;
    if (n == 0 || text[n])
        return doc_parse("value", text, strlen(text), err);
    struct doc *doc = mem_calloc(1, sizeof *doc);
    doc->name = mem_strdup("value");
    doc->root = node_new(NODE_SCALAR, doc->name);
    doc->root->text = mem_strdup(text);
    return doc;
}

int doc_set(struct doc *doc, const char *setting, struct err *err)
{
    const char *equal = strchr(setting, '=');
    char *origin = mem_printf("--set %s", setting);
    struct doc *value = NULL;
    struct path path = {0};
    int rc = -1;

    if (!equal || doc->root->kind != NODE_MAP)
        err_set(err, ERR_STUDY, "expected key.path=value");
    else if (path_split(setting, (size_t)(equal - setting), &path, err) == 0) {
        value = parse_value(equal + 1, err);
        if (value)
            rc = set_path(doc, &path, NULL, origin, false, err);
        if (rc == 0) {
            set_path(doc, &path, value_of(value, equal + 1, origin), origin, true, err);
            doc->settings = mem_realloc(doc->settings, doc->n_settings + 1, sizeof(char *));
            doc->settings[doc->n_settings++] = origin;
        }
        mem_free(path.copy);
        doc_destroy(value);
    }
    if (rc < 0) {
        err_prefix(err, "%s", origin);
        mem_free(origin);
    }
    return rc;
}
