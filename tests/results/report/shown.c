// SPDX-License-Identifier: Apache-2.0
#include "results/report/shown.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"

struct report_out *shown_open(struct shown *shown)
{
    shown->text = NULL;
    shown->out = (struct report_out){.file = open_memstream(&shown->text, &shown->n)};
    return &shown->out;
}

char *shown_text(struct shown *shown)
{
    fclose(shown->out.file);
    return shown->text;
}

// In characters of UTF-8.
static int widest(const char *text)
{
    int most = 0, width = 0;
    for (; *text; text++) {
        width = *text == '\n' ? 0 : width + (((unsigned char)*text & 0xc0) != 0x80);
        if (width > most)
            most = width;
    }
    return most;
}

int shown_lines(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

void shown_has(const char *text, const char *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(strstr(text, wanted[i]) != NULL, "no '%s' in\n%.3000s", wanted[i], text);
}

void shown_tidy(const char *text, int most_columns)
{
    ck_assert_msg(widest(text) <= most_columns, "%d columns:\n%.3000s", widest(text), text);
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "inf"));
    ck_assert_ptr_null(strstr(text, " \n"));
}

void shown_is(char *text, int most_columns, const char *const *wanted)
{
    size_t n = 0;
    while (wanted[n])
        n++;
    shown_has(text, wanted, n);
    shown_tidy(text, most_columns);
    mem_free(text);
}
