// SPDX-License-Identifier: Apache-2.0
#include "results/report/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/chart/chart_svg.h"
#include "results/chart/svg_text.h"

struct page {
    struct report_out *out;
    FILE *file; // SVG: where all of it goes when its height is known
    char *body;
    size_t n_body;
};

static void put_file(FILE *out, const char *suffix)
{
    for (const struct page_file *f = page_files; f->name; f++)
        if (strlen(f->name) > strlen(suffix) &&
            strcmp(f->name + strlen(f->name) - strlen(suffix), suffix) == 0)
            fwrite(f->bytes, 1, f->n_bytes, out);
}

static void open_html(struct report_out *out, const char *title, const char *subtitle)
{
    FILE *f = out->file;
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
          f);
    svg_text_escape(f, title);
    fputs("</title>\n<style>\n", f);
    chart_svg_style(f);
    put_file(f, ".css");
    fputs("</style></head>\n<body><header><h1>", f);
    svg_text_escape(f, title);
    fputs("</h1><p class=\"sub\">", f);
    svg_text_escape(f, subtitle);
    fputs("</p></header>\n<main>\n", f);
}

static void close_html(FILE *f)
{
    fputs("</main>\n<script>\n", f);
    put_file(f, ".js");
    fputs("</script>\n</body></html>\n", f);
}

struct page *page_open(struct report_out *out, const char *title, const char *subtitle)
{
    struct page *page = mem_calloc(1, sizeof *page);
    page->out = out;
    page->file = out->file;
    if (out->format == REPORT_HTML)
        open_html(out, title, subtitle);
    if (out->format == REPORT_SVG)
        out->file = open_memstream(&page->body, &page->n_body);
    if (out->format == REPORT_MD) {
        fputs("# ", out->file);
        report_out_escape(out, title);
        fputs("\n\n", out->file);
        report_text(out, "%s\n", subtitle);
        report_text_end(out);
    }
    return page;
}

static void end_pictures(struct report_out *out)
{
    report_text_end(out);
    if (out->in_pictures)
        fputs("</div>\n", out->file);
    out->in_pictures = false;
}

void page_close(struct page *page)
{
    struct report_out *out = page->out;
    end_pictures(out);
    report_end(out);
    if (out->format == REPORT_HTML)
        close_html(out->file);
    if (out->format == REPORT_SVG) {
        fclose(out->file);
        out->file = page->file;
        fprintf(
            out->file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\">\n",
            CHART_SVG_WIDTH, out->svg_y, CHART_SVG_WIDTH, out->svg_y);
        fwrite(page->body, 1, page->n_body, out->file);
        fputs("</svg>\n", out->file);
        free(page->body);
    }
    mem_free(page);
}

void page_answer(struct report_out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = mem_vprintf(format, args);
    va_end(args);
    report_text_end(out);
    if (report_out_has_text(out)) {
        fputs(out->format == REPORT_HTML ? "<p class=\"answer\">"
              : out->format == REPORT_MD ? "**"
                                         : "",
              out->file);
        report_out_escape(out, text);
        fputs(out->format == REPORT_HTML ? "</p>\n"
              : out->format == REPORT_MD ? "**\n\n"
                                         : "\n\n",
              out->file);
    }
    mem_free(text);
}

static void put_key_html(struct report_out *out, const struct page_key *key)
{
    fputs("<div><dt>", out->file);
    report_out_escape(out, key->label);
    fputs("</dt><dd>", out->file);
    report_out_escape(out, key->value);
    if (key->note && *key->note) {
        fputs("<small>", out->file);
        report_out_escape(out, key->note);
        fputs("</small>", out->file);
    }
    fputs("</dd></div>\n", out->file);
}

void page_keys(struct report_out *out, const struct page_key *keys, size_t n)
{
    report_text_end(out);
    if (out->format == REPORT_HTML) {
        fputs("<dl class=\"keys\">\n", out->file);
        for (size_t i = 0; i < n; i++)
            put_key_html(out, &keys[i]);
        fputs("</dl>\n", out->file);
    } else if (report_out_has_text(out)) {
        for (size_t i = 0; i < n; i++)
            report_text(out, "%s: %s%s%s%s\n", keys[i].label, keys[i].value,
                        keys[i].note && *keys[i].note ? " (" : "", keys[i].note ? keys[i].note : "",
                        keys[i].note && *keys[i].note ? ")" : "");
        report_text(out, "\n");
    }
}

void page_heading(struct report_out *out, const char *id, const char *title)
{
    end_pictures(out);
    if (out->format == REPORT_HTML)
        fprintf(out->file, "<h2 id=\"%s\"><a href=\"#%s\">", id, id);
    if (out->format == REPORT_MD)
        fputs("## ", out->file);
    if (out->format == REPORT_MD || out->format == REPORT_HTML)
        report_out_escape(out, title);
    fputs(out->format == REPORT_HTML ? "</a></h2>\n"
          : out->format == REPORT_MD ? "\n\n"
                                     : "",
          out->file);
}

void page_fold(struct report_out *out, const char *summary)
{
    end_pictures(out);
    if (out->format != REPORT_HTML)
        return;
    fputs("<details class=\"all\"><summary>", out->file);
    report_out_escape(out, summary);
    fputs("</summary>\n", out->file);
}

void page_unfold(struct report_out *out)
{
    end_pictures(out);
    if (out->format == REPORT_HTML)
        fputs("</details>\n", out->file);
}

void page_source(struct report_out *out, const char *summary, const char *text)
{
    if (out->format != REPORT_HTML)
        return;
    page_fold(out, summary);
    fputs("<pre>", out->file);
    for (size_t n; *text; text += n + (text[n] != 0)) { // an escaped end of a line is none
        n = strcspn(text, "\n");
        char *line = mem_printf("%.*s", (int)n, text);
        line[strcspn(line, "\r")] = 0;
        report_out_escape(out, line);
        fputc('\n', out->file);
        mem_free(line);
    }
    fputs("</pre>\n", out->file);
    page_unfold(out);
}
