// SPDX-License-Identifier: Apache-2.0
// doc: a YAML text as a tree whose every node knows where it was written. [Y]
//
// The tree holds texts only; what they mean is the reader's business. It is strict: one document,
// no duplicate keys, no anchors, aliases or tags (nothing that can grow a small file into a large
// tree), at most DOC_MAX_BYTES bytes, DOC_MAX_DEPTH levels and DOC_MAX_NODES nodes. Every error is
// one line that starts with name:line:column.
//
//     struct doc *doc = doc_read("study.yaml", &err);
//     const struct node *rate = node_get(doc_root(doc), "rate");
//     if (!rate)
//         return node_fail_key(doc_root(doc), "rate", &err, "missing");
//     ...
//     doc_destroy(doc);
//
// Nodes belong to their doc. Once built a tree is only changed by doc_set().
#ifndef STUDY_DOC_H
#define STUDY_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DOC_MAX_BYTES ((size_t)16 << 20)
#define DOC_MAX_DEPTH 64
#define DOC_MAX_NODES 1000000

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    bool quoted; // scalar: written in quotes
    // Where it was written: 1-based, 0 when it came from doc_set(); origin is the file or the
    // setting.
    int line, column, key_line, key_column;
    const char *origin;
    struct node *parent; // NULL: the root
    size_t index;        // place in the parent
    char *key;           // in a parent that is a map
    char *text;          // scalar
    size_t n, cap;       // list, map
    struct node **items;
    struct mistakes *mistakes; // of the root: where they are kept (mistakes.h); NULL: nowhere
};

struct doc;
struct mistakes;

// A document from `size` bytes at `data` (not kept); `name` (copied) stands in front of errors. An
// empty text gives an empty map. NULL on error.
struct doc *doc_parse(const char *name, const char *data, size_t size, struct err *err);
// The same, and reading goes on after mistakes, which go into `mistakes` (borrowed until
// doc_destroy()). NULL where the text is no document, and for that reason alone.
struct doc *doc_collect(const char *name, const char *data, size_t size, struct mistakes *mistakes,
                        struct err *err);
// The same from a file.
struct doc *doc_read(const char *path, struct err *err);
// Another document of the same values without the root's key `without`. It names its places by
// texts of `doc`, which must outlive it.
struct doc *doc_copy(const struct doc *doc, const char *without);
void doc_destroy(struct doc *doc); // NULL: no effect

const struct node *doc_root(const struct doc *doc);

// Applies one "key.path[0].sub=value" (".0" works like "[0]"): the value is YAML and replaces what
// is there or is added to a map; maps on the way are created. A last key that carries a unit as
// suffix ("rate_qps=9000") replaces the key without it ("rate: 9000qps") where that key is there.
// On error nothing has changed.
int doc_set(struct doc *doc, const char *setting, struct err *err);

// The node that a message "traffic[0].rate: text" is about; of a key that is not there, the nearest
// that would hold it. NULL where the message begins with no key.
const struct node *doc_find(const struct doc *doc, const char *message);

// Fills err unless `key` is a path that doc_set() could walk; nothing is looked up.
int doc_check_key(const char *key, struct err *err);

// The whole of a file (at most max_bytes), NUL-terminated; caller mem_free()s. NULL on error.
char *doc_load_file(const char *path, size_t max_bytes, size_t *size, struct err *err);

// The value of `key` in a map; NULL when there is none (or `map` is no map).
const struct node *node_get(const struct node *map, const char *key);
// The root of the document that the node is in.
const struct node *node_root(const struct node *node);
// True for an empty value, "~" and "null" without quotes.
bool node_is_null(const struct node *node);
// "a map", "a list" or the scalar in quotes: what was found, for messages; in buf.
const char *node_found(const struct node *node, char *buf, size_t size);
// "traffic[0].rate"; "" for the root; in buf.
char *node_path(const struct node *node, char *buf, size_t size);

// "name:line:column", or where else it comes from; in buf.
void node_where(const struct node *node, char *buf, size_t size);
// Fills err with "name:line:column: path: text"; returns -1.
int node_fail(const struct node *node, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// The same for a key of `map`: at its value, or, when the map lacks it, at the map.
int node_fail_key(const struct node *map, const char *key, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// Puts "name:line:column: path" in front of the text in err; returns -1.
int node_prefix(const struct node *node, struct err *err);
// The same with the position of the node's key rather than its value.
int node_prefix_at_key(const struct node *node, struct err *err);

#endif
