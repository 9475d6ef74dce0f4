// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

static struct {
    enum log_level level;
    int rank;
} state = {LOG_WARN, 0};

void log_init(enum log_level level, int rank)
{
    state.level = level;
    state.rank = rank;
}

// One write per line, so that lines of several processes do not mix.
static void print(enum log_level level, const char *kind, const char *fmt, va_list args)
{
    char line[1024];

    if (level > state.level || state.rank != 0)
        return;
    vsnprintf(line, sizeof line, fmt, args);
    err_one_line(line); // it quotes what users wrote
    fprintf(stderr, "recfleet: %s%s\n", kind, line);
}

#define LOG_FUNCTION(name, level, kind)                                                            \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, fmt);                                                                       \
        print(level, kind, fmt, args);                                                             \
        va_end(args);                                                                              \
    }

LOG_FUNCTION(log_warn, LOG_WARN, "warning: ")
LOG_FUNCTION(log_info, LOG_INFO, "")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug: ")
