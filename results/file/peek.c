// SPDX-License-Identifier: Apache-2.0
#include "results/file/peek.h"

#include "base/mem.h"
#include "results/file/h5_read.h"
#include "results/file/checksum.h"

int peek_open(const char *path, struct peek *peek, struct err *err)
{
    enum checksum_state state;
    if (checksum_check(path, &state, err) < 0)
        return -1;
    if (state != CHECKSUM_WHOLE)
        return err_set(err, ERR_STUDY, "%s: not a readable recfleet result: %s", path,
                       state == CHECKSUM_BROKEN ? "damaged" : "not finished by recfleet");
    struct h5_reader *r = h5_read_open(path, "run", err);
    if (!r)
        return -1;
    peek->study_name = h5_read_text(r, "/", "study_name");
    peek->program_version = h5_read_text(r, "/", "program_version");
    peek->study_digest = h5_read_text_if(r, "/", "study_digest");
    if (h5_read_close(r) == 0)
        return 0;
    peek_close(peek);
    return -1;
}

void peek_close(struct peek *peek)
{
    mem_free(peek->study_name);
    mem_free(peek->study_digest);
    mem_free(peek->program_version);
    *peek = (struct peek){0};
}
