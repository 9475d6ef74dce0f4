// SPDX-License-Identifier: Apache-2.0
// mem: allocation that cannot fail.
//
// A simulator that has no memory left cannot go on, so these functions end the program with one
// line on stderr and exit status 1 instead of returning NULL; no caller checks. Everything they
// return is released with mem_free(). Asking for 0 bytes returns a pointer that may be freed.
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);
void *mem_calloc(size_t count, size_t bytes); // zeroed; count * bytes is checked for overflow
void *mem_realloc(void *ptr, size_t count, size_t bytes); // contents kept; checked likewise
void *mem_aligned(size_t align_bytes, size_t bytes);      // zeroed; align a power of two
// Zeroed, for arrays that are read all over: in huge pages where the system gives them, so that a
// random access costs no page walk. Asks for nothing special below a few megabytes.
void *mem_huge(size_t bytes);
char *mem_strdup(const char *text); // NULL gives NULL
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void mem_free(void *ptr); // NULL: no effect

#endif
