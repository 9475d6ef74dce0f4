// SPDX-License-Identifier: Apache-2.0
#include "results/file/chosen.h"

#include <string.h>

int chosen_add(struct chosen *chosen, const struct settings_axis *axes, const struct field *fields,
               struct err *err)
{
    for (const struct settings_axis *axis = axes; axis->key; axis++) {
        if (data_field_find(chosen->fields, axis->key))
            continue;
        if (chosen->n == CHOSEN_MOST)
            return err_set(err, ERR_STUDY,
                           "a search varies %d settings at most, \"%s\" is one more", CHOSEN_MOST,
                           axis->key);
        chosen->axes[chosen->n] = axis;
        chosen->fields[chosen->n] =
            data_field_of_setting(schema_find(fields, axis->key), chosen->n * sizeof(uint64_t));
        chosen->n++;
    }
    return 0;
}

// By key and not by place: the row may be of another scheduler than the one before.
void chosen_values(const struct chosen *chosen, const struct settings *settings,
                   uint64_t values[CHOSEN_MOST])
{
    memset(values, 0, CHOSEN_MOST * sizeof *values);
    for (uint32_t i = 0; i < chosen->n; i++) {
        const char *key = chosen->axes[i]->key;
        if (settings_field(settings, key))
            values[i] = (uint64_t)settings_whole(settings, key);
    }
}
