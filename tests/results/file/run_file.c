// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_file.h"

#include "base/mem.h"
#include "results/fixture.h"
#include "results/file/run_result.h"

int run_file_write(const char *path, const char *digest, struct err *err)
{
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *summary = summary_create(total, meta);
    struct run_info run = fixture_run();
    struct run_result_input in = {meta, summary, total, &run, NULL};
    if (digest) {
        mem_free(meta->study_digest);
        meta->study_digest = mem_strdup(digest);
    }
    int rc = run_result_write(&in, path, true, err);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    return rc;
}
