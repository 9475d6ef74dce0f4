// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_out.h"

#include <stdarg.h>

const char *const report_format_names[] = {"text", "json", "csv", NULL};

void report_text(struct report_out *out, const char *format, ...)
{
    va_list args;
    if (out->format != REPORT_TEXT)
        return;
    va_start(args, format);
    vfprintf(out->file, format, args);
    va_end(args);
}

void report_end(struct report_out *out)
{
    if (out->format == REPORT_JSON)
        fputs(out->n_tables > 0 ? "\n]}\n" : "{\"tables\": []}\n", out->file);
}
