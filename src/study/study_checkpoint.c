// SPDX-License-Identifier: Apache-2.0
#include "study/study_checkpoint.h"

#include "base/mem.h"
#include "base/simtime.h"
#include "study/reader.h"
#include "study/study.h"

const struct field study_checkpoint_fields[] = {
    FIELD(study_checkpoint, "every", FIELD_TIME, UNIT_TIME, every_ns, 0, (double)SIMTIME_LONGEST,
          "10min",
          "wall time between checkpoints, longer where writing one takes longer; 0: only when a "
          "signal asks for one"),
    FIELD(study_checkpoint, "file", FIELD_STRING, UNIT_NONE, file, 0, 0, "",
          "checkpoint file; empty: the results file's name with .checkpoint"),
    FIELD_END};

int study_checkpoint_read(struct study *study, const struct node *root, struct err *err)
{
    const struct node *map;
    const struct reader_part part = {study_checkpoint_fields, &study->checkpoint};
    const struct reader_options plain = {NULL, false};
    schema_defaults(study_checkpoint_fields, &study->checkpoint);
    if (reader_map(root, "checkpoint", &map, err) < 0)
        return -1;
    return reader_fill(map, root, &part, 1, &plain, err);
}

void study_checkpoint_release(struct study *study)
{
    schema_release(study_checkpoint_fields, &study->checkpoint);
}

char *study_checkpoint_path(const struct study *study, const char *output)
{
    if (*study->checkpoint.file)
        return mem_strdup(study->checkpoint.file);
    return mem_printf("%s.checkpoint", output);
}
