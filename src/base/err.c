// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// The character at the text's beginning and its length in bytes; a byte that begins no UTF-8 is one
// of its own.
static size_t decode(const char *text, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 1;
    uint32_t bits = p[0] & (0x7fu >> n);
    *code = p[0];
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 1;
        bits = bits << 6 | (p[i] & 0x3f);
    }
    if (n > 1)
        *code = bits;
    return n;
}

size_t err_control(const char *text)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x01, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                  {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                  {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    uint32_t code;
    size_t n = decode(text, &code);
    bool alone = n == 1 && code >= 0x80; // of another encoding
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && !alone; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return n;
    return 0;
}

void err_one_line(char *text)
{
    for (size_t n; *text; text += n ? n : 1)
        if ((n = err_control(text)) > 0)
            memset(text, ' ', n);
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    err_one_line(err->text);
    err->code = code;
    return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    char prefix[ERR_TEXT_MAX / 2], rest[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, args);
    va_end(args);
    memcpy(rest, err->text, sizeof rest);
    size_t used = strlen(prefix);
    memcpy(err->text, prefix, used);
    snprintf(err->text + used, sizeof err->text - used, ": %.*s",
             (int)(sizeof err->text - used - 3), rest);
    err_one_line(err->text);
    return -1;
}

int err_append(struct err *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    size_t used = strnlen(err->text, sizeof err->text - 1);
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text + used, sizeof err->text - used, fmt, args);
    va_end(args);
    err_one_line(err->text);
    return -1;
}

void err_clear(struct err *err)
{
    if (!err)
        return;
    err->code = ERR_NONE;
    err->text[0] = '\0';
}
