// SPDX-License-Identifier: Apache-2.0
// Any bytes are either a study or one error line. What is a study must survive being written out
// and read back; no file is opened.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/doc.h"
#include "study/library.h"
#include "study/study.h"

// Texts longer than this find nothing that shorter ones do not.
#define LONGEST 8192

static struct library library;

static void release(void)
{
    library_release(&library);
}

static struct study *parse(const char *name, const char *text, size_t n, struct err *err)
{
    return study_parse(name, text, n, NULL, 0, &library, false, err);
}

static void round_trip(const struct study *study)
{
    struct err err = {0};
    char *text = study_format(study);
    struct study *back = parse("resolved", text, strlen(text), &err);
    if (!back)
        abort();
    char *again = study_format(back);
    if (strcmp(text, again) != 0)
        abort();
    mem_free(again);
    mem_free(text);
    study_destroy(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    if (size > LONGEST)
        return 0;
    if (!library.n_models) {
        if (library_load(&library, &err) < 0)
            abort();
        atexit(release);
    }
    struct study *study = parse("fuzz", (const char *)data, size, &err);
    if (study)
        round_trip(study);
    else if (err.code != ERR_STUDY || !*err.text || strchr(err.text, '\n'))
        abort(); // an error is one line
    study_destroy(study);
    return 0;
}
