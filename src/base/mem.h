// SPDX-License-Identifier: Apache-2.0
// mem: allocation that cannot fail.
//
// A simulator that has no memory left cannot go on, so these functions end the program with one
// line on stderr and exit status 1 instead of returning NULL; no caller checks. Everything they
// return is released with mem_free(). Asking for 0 bytes returns a pointer that may be freed.
//
// Whoever can leave in good order, as all ranks of a run together, holds a reserve meanwhile:
//
//     mem_hold_reserve();
//     while (...)
//         if (mem_is_short())    // now and then: the reserve is in use
//             return err_set(err, ERR_FAIL, "out of memory");
//     mem_release_reserve();
//
// There is one where the process has a limit of addresses (ulimit -v). It is that limit, lowered
// for the time being: nothing is allocated for it, and it is raised again by the first allocation
// that fails. No reserve helps against the kernel's own end of a process (SIGKILL) where memory was
// promised that the machine does not have.
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stdbool.h>
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
char *mem_vprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
void mem_free(void *ptr); // NULL: no effect

// Holds back a sixteenth of the addresses that the process may still take, 16 MB at least. Where
// there are not even so many, memory is short at once.
void mem_hold_reserve(void);
// Has the reserve been used since mem_hold_reserve()? Never where addresses have no limit.
bool mem_is_short(void);
// The end of it. What was not used may be taken again.
void mem_release_reserve(void);

#endif
