// SPDX-License-Identifier: Apache-2.0
#include "results/chart/svg_text.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define REPLACEMENT 0xfffd
#define ELLIPSIS "…"

// The next character and how many bytes it takes; of bytes that are no UTF-8, one and U+FFFD.
static uint32_t next_character(const char *text, size_t *n_bytes)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
    const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    *n_bytes = 1;
    if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] >= 0xf5))
        return REPLACEMENT;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return REPLACEMENT;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
        return REPLACEMENT;
    *n_bytes = n;
    return c < ' ' || (c >= 0x7f && c < 0xa0) ? REPLACEMENT : c;
}

void svg_text_escape(FILE *out, const char *text)
{
    size_t n;
    for (; *text; text += n) {
        uint32_t c = next_character(text, &n);
        if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c == '\'')
            fputs("&#39;", out);
        else if (c == REPLACEMENT)
            fputs("\xef\xbf\xbd", out);
        else
            fwrite(text, 1, n, out);
    }
}

// In units of the font size, no less than in DejaVu Sans, the widest of the usual ones.
static double character_width(uint32_t c)
{
    if (c >= 0x1100)
        return c >= 0x1f000 ? 1.4 : c >= 0x2e80 ? 1.1 : 0.95;
    if (strchr("WM@%mw", (int)(c < 128 ? c : ' ')) && c < 128)
        return 1.0;
    if (c < 128 && strchr("iljftrI.,:;'|!()[] /-", (int)c))
        return 0.42;
    if (c >= 'A' && c <= 'Z')
        return 0.79;
    return c < 0x300 ? 0.645 : 0.9;
}

double svg_text_width(const char *text, double font_size)
{
    double width = 0;
    for (size_t n; *text; text += n)
        width += character_width(next_character(text, &n));
    return width * font_size;
}

char *svg_text_cut(const char *text, double font_size, double most)
{
    if (svg_text_width(text, font_size) <= most)
        return mem_strdup(text);
    double width = svg_text_width(ELLIPSIS, font_size);
    size_t kept = 0, n;
    for (; text[kept]; kept += n) {
        width += character_width(next_character(text + kept, &n)) * font_size;
        if (width > most)
            break;
    }
    return mem_printf("%.*s" ELLIPSIS, (int)kept, text);
}
