// SPDX-License-Identifier: Apache-2.0
#include "study/round_trip.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"

char *round_trip_text(struct study *study, const struct library *library)
{
    struct err err = {0};
    char *first = study_format(study);
    struct study *back = study_parse("s.yaml", first, strlen(first), NULL, 0, library, true, &err);
    ck_assert_msg(back != NULL, "%s in\n%s", err.text, first);
    char *second = study_format(back);
    ck_assert_str_eq(first, second);
    mem_free(second);
    study_destroy(back);
    study_destroy(study);
    return first;
}
