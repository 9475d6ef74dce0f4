// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/cmd.h"
#include "results/file/dataset_verify.h"

static const struct cmd_option options[] = {
    {"--digest", 0, NULL, "the digest of the content, computed again from the file"},
    {NULL, 0, NULL, NULL}};

static int show(struct cmd_line *line, struct err *err)
{
    char hex[CONTENT_DIGEST_CHARS];
    if (!cmd_given(line, "--digest"))
        return err_set(err, ERR_STUDY,
                       "recfleet show: expected --digest; see: recfleet show --help");
    if (dataset_verify(line->args[0], hex, err) < 0)
        return -1;
    printf("%s\n", hex);
    return 0;
}

const struct cmd cmd_show = {
    .name = "show",
    .help = "say what a results file holds, as one digest",
    .arguments = "FILE.h5",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Computes the digest of everything in a results file that is outside of its group /run, "
        "and prints it. Two files with the same digest hold the same answer, whatever version of "
        "HDF5 wrote them, on however many ranks, and however they were repacked since. A file "
        "whose content is no longer what was written is an error.",
    .example = "recfleet show out.h5 --digest",
    .options = options,
    .run = show,
};
