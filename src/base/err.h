// SPDX-License-Identifier: Apache-2.0
// err: the one error value of recfleet.
//
// The rule, stated once for the whole tree: a fallible function returns 0 or -1 (or a pointer or
// NULL) and takes an optional last `struct err *`. On failure it fills that struct and has changed
// nothing else. err_set() returns -1 so that failing is one line:
//
//     if (n < 1)
//         return err_set(err, ERR_STUDY, "servers: expected at least 1, got %d", n);
//
// A user's mistake is an error with the text a user should read (file:line:column: key: what was
// expected). A mistake of ours is an assert. Running out of memory ends the program (mem.h).
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

// The code decides the exit status of the program: see app/main.c.
enum err_code {
    ERR_NONE = 0,
    ERR_FAIL = 1,  // the run could not be done: I/O, a full disk, MPI
    ERR_STUDY = 2, // the study, a trace or the command line is wrong
};

#define ERR_TEXT_MAX 1024

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX]; // one line, no trailing newline
};

// Length in bytes of the control character that the text begins with, 0 when it is none. A terminal
// obeys them or shows nothing of them: those below a blank, delete, U+0080 to U+009F, and Unicode's
// separators of lines and formats (U+2028, U+202E, U+200B and the like).
size_t err_control(const char *text);
// Blanks in place of them: texts quote what users and files say, and stay on one line.
void err_one_line(char *text);

// Fills *err (NULL: ignored) and returns -1. Too long a text is cut. Control characters become
// blanks, here and below.
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Puts `prefix` and ": " in front of the text that is there; returns -1. NULL: no effect.
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Puts text behind the text that is there; returns -1. NULL: no effect.
int err_append(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Empties *err (NULL: no effect).
void err_clear(struct err *err);

#endif
