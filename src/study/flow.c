// SPDX-License-Identifier: Apache-2.0
#include "study/flow.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// The code point at *text, which moves behind it; a byte that is not UTF-8 stands for itself.
static unsigned next_point(const unsigned char **text)
{
    const unsigned char *p = *text;
    int more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
    unsigned point = more ? *p & (0x3fu >> more) : *p;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *text = p + 1;
            return *p;
        }
        point = point << 6 | (p[i] & 0x3fu);
    }
    *text = p + 1 + more;
    return point;
}

// Code points that YAML does not allow, or takes for the end of a line.
static bool needs_escape(unsigned point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
           point == 0xfeff || point == 0xfffe || point == 0xffff;
}

static bool is_plain(const char *text)
{
    if (!isalnum((unsigned char)*text) || strcmp(text, "null") == 0)
        return false;
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._/+-%", *p))
            return false;
    return true;
}

static void write_text(FILE *out, const char *text)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const unsigned char *start = p;
        unsigned point = next_point(&p);
        if (needs_escape(point))
            fprintf(out, point < 0x100 ? "\\x%02x" : "\\u%04x", point);
        else
            fprintf(out, "%s%.*s", point == '"' || point == '\\' ? "\\" : "", (int)(p - start),
                    (const char *)start);
    }
    fputc('"', out);
}

static void write_flow(FILE *out, const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        if (node_is_null(node))
            fputc('~', out);
        else
            write_text(out, node->text);
        return;
    }
    fputs(node->kind == NODE_MAP ? "{" : "[", out);
    for (size_t i = 0; i < node->n; i++) {
        fputs(i ? ", " : "", out);
        if (node->kind == NODE_MAP) {
            write_text(out, node->items[i]->key);
            fputs(": ", out);
        }
        write_flow(out, node->items[i]);
    }
    fputs(node->kind == NODE_MAP ? "}" : "]", out);
}

// Texts made in memory are handed on as ours, not as libc's.
static char *take(char *text)
{
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

char *flow_quote(const char *text)
{
    char *quoted = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&quoted, &size);
    write_text(out, text);
    fclose(out);
    return take(quoted);
}

char *flow_value(const struct node *node)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    write_flow(out, node);
    fclose(out);
    return take(text);
}
