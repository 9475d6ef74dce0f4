// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t err_control(const char *text)
{
    unsigned char c = (unsigned char)text[0], next = c ? (unsigned char)text[1] : 0;
    if (c == 0xc2 && next >= 0x80 && next < 0xa0)
        return 2;
    return (c > 0 && c < 0x20) || c == 0x7f;
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
