// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "recfleet: out of memory (asked for %zu bytes)\n", bytes);
    exit(1);
}

static size_t product(size_t count, size_t bytes)
{
    if (bytes != 0 && count > SIZE_MAX / bytes)
        out_of_memory(SIZE_MAX);
    return count * bytes;
}

void *mem_alloc(size_t bytes)
{
    void *ptr = malloc(bytes ? bytes : 1);
    if (!ptr)
        out_of_memory(bytes);
    return ptr;
}

void *mem_calloc(size_t count, size_t bytes)
{
    size_t total = product(count, bytes);
    void *ptr = calloc(1, total ? total : 1);
    if (!ptr)
        out_of_memory(total);
    return ptr;
}

void *mem_realloc(void *ptr, size_t count, size_t bytes)
{
    size_t total = product(count, bytes);
    void *grown = realloc(ptr, total ? total : 1);
    if (!grown)
        out_of_memory(total);
    return grown;
}

void *mem_aligned(size_t align_bytes, size_t bytes)
{
    size_t total = (bytes + align_bytes - 1) / align_bytes * align_bytes;
    void *ptr = aligned_alloc(align_bytes, total ? total : align_bytes);
    if (!ptr)
        out_of_memory(total);
    return memset(ptr, 0, total ? total : align_bytes);
}

void *mem_huge(size_t bytes)
{
    const size_t page = (size_t)2 << 20;
    if (bytes < 2 * page)
        return mem_aligned(64, bytes);
    size_t total = (bytes + page - 1) / page * page;
    void *ptr = aligned_alloc(page, total);
    if (!ptr)
        out_of_memory(total);
    (void)madvise(ptr, total, MADV_HUGEPAGE); // a hint: refused, it is just slower
    return memset(ptr, 0, bytes);
}

char *mem_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t bytes = strlen(text) + 1;
    return memcpy(mem_alloc(bytes), text, bytes);
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0)
        out_of_memory(0);
    return text;
}

void mem_free(void *ptr)
{
    free(ptr);
}
