// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_verify.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/dataset_file.h"

// No file of ours has groups deeper than this; a forged one may hold itself.
#define MOST_DEPTH 4

struct walk {
    struct dataset_file *file;
    struct content_digest *digest;
    int depth;
};

static void free_texts(enum content_type type, uint64_t n, void *values)
{
    for (uint64_t i = 0; type == CONTENT_TEXT && i < n; i++)
        mem_free(((char **)values)[i]);
}

static void add_variable(struct walk *walk, const char *path)
{
    struct dataset_file_shape shape;
    if (!content_digest_counts(path) || !dataset_file_shape(walk->file, path, &shape))
        return;
    if (shape.n * content_digest_width(shape.type) >
        DATASET_FILE_MOST_MEMORY(dataset_file_bytes(walk->file))) {
        dataset_file_fail(walk->file, path, "is too long");
        return;
    }
    void *values = mem_calloc(shape.n, content_digest_width(shape.type));
    dataset_file_values(walk->file, path, shape.type, shape.n_dims, shape.sizes, values);
    if (!dataset_file_failed(walk->file))
        content_digest_add(walk->digest, path, shape.type, shape.n_dims, shape.sizes, values);
    free_texts(shape.type, shape.n, values);
    mem_free(values);
}

static void visit(void *user, const char *path, enum dataset_file_object what)
{
    struct walk *walk = user;
    if (what == DATASET_FILE_OTHER)
        dataset_file_fail(walk->file, path, "is neither a variable nor a group");
    if (what == DATASET_FILE_VARIABLE)
        add_variable(walk, path);
    if (what != DATASET_FILE_GROUP)
        return;
    if (!content_digest_counts(path))
        return;
    if (++walk->depth > MOST_DEPTH)
        dataset_file_fail(walk->file, path, "is nested too deeply");
    dataset_file_each_object(walk->file, path, visit, user);
    walk->depth--;
}

static void add_attribute(void *user, const char *key, enum content_type type)
{
    struct walk *walk = user;
    char *path = mem_printf("/@%s", key);
    uint64_t value = 0;
    char *text = NULL;
    void *at = type == CONTENT_TEXT ? (void *)&text : &value;
    if (content_digest_counts(path)) {
        dataset_file_attribute(walk->file, "/", key, type, at);
        content_digest_add(walk->digest, path, type, 0, NULL, at);
    }
    mem_free(text);
    mem_free(path);
}

static int verify(const char *path, char hex[CONTENT_DIGEST_CHARS], struct err *err)
{
    struct walk walk = {.file = dataset_file_open(path, true, err)};
    char *recorded = NULL;
    if (!walk.file)
        return -1;
    walk.digest = content_digest_create();
    if (!dataset_file_has_attribute(walk.file, "/", "content_digest"))
        dataset_file_refuse(walk.file, "has no content_digest; not a recfleet result?");
    dataset_file_attribute(walk.file, "/", "content_digest", CONTENT_TEXT, &recorded);
    dataset_file_each_attribute(walk.file, add_attribute, &walk);
    dataset_file_each_object(walk.file, "/", visit, &walk);
    content_digest_finish(walk.digest, hex);
    if (recorded && strcmp(recorded, hex) != 0)
        dataset_file_refuse(walk.file,
                            "its content is not what was written: digest %s, but %.40s "
                            "in the file",
                            hex, recorded);
    mem_free(recorded);
    return dataset_file_close(walk.file);
}

static void try_file(void *path)
{
    char hex[CONTENT_DIGEST_CHARS];
    verify(path, hex, NULL);
}

int dataset_verify(const char *path, char hex[CONTENT_DIGEST_CHARS], struct err *err)
{
    char found[CONTENT_DIGEST_CHARS], *copy = mem_strdup(path);
    int rc = dataset_file_survives(path, try_file, copy, err);
    mem_free(copy);
    if (rc == 0)
        rc = verify(path, found, err);
    if (rc == 0 && hex)
        memcpy(hex, found, sizeof found);
    return rc;
}
