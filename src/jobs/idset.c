// SPDX-License-Identifier: Apache-2.0
#include "jobs/idset.h"

#include <ctype.h>
#include <stdlib.h>

// A plain whole number: no sign, no blanks. Moves *text behind it.
static bool take_number(const char **text, uint64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)**text))
        return false;
    *number = strtoull(*text, &end, 10); // too large a one is the largest, and too large
    *text = end;
    return true;
}

// "7" or "3-5", and what stands behind it: a comma or the end.
static bool take_range(const char **text, uint64_t *first, uint64_t *last)
{
    if (!take_number(text, first))
        return false;
    *last = *first;
    if (**text == '-') {
        (*text)++;
        if (!take_number(text, last))
            return false;
    }
    if (**text == ',')
        return *++*text != '\0';
    return **text == '\0';
}

int idset_parse(const char *text, bool *chosen, uint32_t n, struct err *err)
{
    // Twice over the text: first whether it is good, then what it says.
    for (int pass = 0; pass < 2; pass++) {
        const char *p = text;
        do {
            uint64_t first, last;
            if (!take_range(&p, &first, &last) || last < first)
                return err_set(err, ERR_STUDY, "expected points such as 0-2,7, got \"%.80s\"",
                               text);
            if (last >= n)
                return err_set(err, ERR_STUDY, "expected points from 0 to %u, got \"%.80s\"", n - 1,
                               text);
            for (uint64_t i = first; pass == 1 && i <= last; i++)
                chosen[i] = true;
        } while (*p);
    }
    return 0;
}

int idset_parse_share(const char *text, bool *chosen, uint32_t n, struct err *err)
{
    uint64_t part, n_parts;
    const char *p = text;
    if (!take_number(&p, &part) || *p++ != '/' || !take_number(&p, &n_parts) || *p ||
        part >= n_parts)
        return err_set(err, ERR_STUDY,
                       "expected a share such as 0/4, the first of four, to 3/4, the last, got "
                       "\"%.80s\"",
                       text);
    for (uint64_t i = part; i < n; i += n_parts) {
        chosen[i] = true;
        if (n_parts > n)
            break;
    }
    return 0;
}

uint32_t idset_count(const bool *chosen, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        count += chosen[i];
    return count;
}

void idset_print(FILE *out, const bool *chosen, uint32_t n)
{
    const char *comma = "";
    for (uint32_t i = 0; i < n; i++) {
        uint32_t last = i;
        if (!chosen[i])
            continue;
        while (last + 1 < n && chosen[last + 1])
            last++;
        fprintf(out, "%s%u", comma, i);
        if (last > i)
            fprintf(out, "-%u", last);
        comma = ",";
        i = last;
    }
}
