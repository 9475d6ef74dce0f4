// SPDX-License-Identifier: Apache-2.0
// log: one line to stderr, from one rank.
//
// The only module with mutable state (the level and the rank), so that a warning needs no context
// passed down. Below src/app nothing else may print, and errors are returned, not logged.
// Until log_init() the level is LOG_WARN and the rank 0. Ranks other than 0 stay silent.
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_NOTHING, LOG_WARN, LOG_INFO, LOG_DEBUG };

// Sets the level and this process's rank. Call once, before other threads exist.
void log_init(enum log_level level, int rank);

// Prints "recfleet: " and the text, when the level allows it and the rank is 0.
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
