// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_out.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "results/chart/svg_text.h"

const char *const report_format_names[] = {"text", "json", "csv", "md", "html", "svg", "png", NULL};

bool report_out_has_text(const struct report_out *out)
{
    return out->format == REPORT_TEXT || out->format == REPORT_MD || out->format == REPORT_HTML;
}

// ---- paragraphs

// Markdown takes these for its own, wherever they are.
static void escape_md(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_[]<>#|~$", *text))
            fputc('\\', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

void report_out_escape(struct report_out *out, const char *text)
{
    if (out->format == REPORT_MD)
        escape_md(out->file, text);
    else if (out->format == REPORT_HTML || out->format == REPORT_SVG)
        svg_text_escape(out->file, text);
    else
        fputs(text, out->file);
}

void report_text_end(struct report_out *out)
{
    if (out->in_text)
        fputs(out->format == REPORT_HTML ? "</p>\n" : "\n\n", out->file);
    out->in_text = out->line_ended = false;
}

// A line is a paragraph; one that begins with blanks continues the one before.
static void put_line(struct report_out *out, char *line, bool ends)
{
    bool continues = *line == ' ';
    while (*line == ' ' && (!out->in_text || out->line_ended))
        line++;
    if (out->line_ended && !continues)
        report_text_end(out);
    if (*line) {
        if (!out->in_text)
            fputs(out->format == REPORT_HTML ? "<p class=\"say\">" : "", out->file);
        else if (out->line_ended)
            fputc(' ', out->file);
        report_out_escape(out, line);
        out->in_text = true;
        out->line_ended = false;
    }
    out->line_ended |= ends && out->in_text;
}

static void put_paragraphs(struct report_out *out, char *text)
{
    while (*text) {
        char *end = strchr(text, '\n');
        if (end)
            *end = 0;
        put_line(out, text, end);
        text = end ? end + 1 : text + strlen(text);
    }
}

void report_text(struct report_out *out, const char *format, ...)
{
    va_list args;
    if (!report_out_has_text(out))
        return;
    va_start(args, format);
    if (out->format == REPORT_TEXT) {
        vfprintf(out->file, format, args);
    } else {
        char *text = mem_vprintf(format, args);
        put_paragraphs(out, text);
        mem_free(text);
    }
    va_end(args);
}

void report_end(struct report_out *out)
{
    report_text_end(out);
    if (out->format == REPORT_JSON)
        fputs(out->n_tables > 0 ? "\n]}\n" : "{\"tables\": []}\n", out->file);
}
