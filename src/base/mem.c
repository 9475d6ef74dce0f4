// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/memroom.h"

// ---- the reserve --------------------------------------------------------------------------------

#define RESERVE_FRAC (1.0 / 16)
#define RESERVE_LEAST_BYTES 16e6

// The kernel keeps the only note that a reserve is held: a limit of addresses that is odd. What it
// counts is whole pages, and a user's limit is whole pages or kilobytes.
static bool has_limit(struct rlimit *limit, bool *held)
{
    if (getrlimit(RLIMIT_AS, limit) != 0 || limit->rlim_cur == RLIM_INFINITY)
        return false;
    *held = limit->rlim_cur % 2 == 1;
    return true;
}

void mem_hold_reserve(void)
{
    struct rlimit limit;
    bool held;
    double room = memroom_address_bytes(), reserve = fmax(room * RESERVE_FRAC, RESERVE_LEAST_BYTES);
    if (!has_limit(&limit, &held) || held || room < reserve)
        return;
    limit.rlim_max = limit.rlim_cur; // what it is raised to again
    limit.rlim_cur = (limit.rlim_cur - (rlim_t)reserve) | 1;
    setrlimit(RLIMIT_AS, &limit);
}

bool mem_is_short(void)
{
    struct rlimit limit;
    bool held;
    return has_limit(&limit, &held) && !held;
}

// Whether there was a reserve.
static bool use_reserve(void)
{
    struct rlimit limit;
    bool held;
    if (!has_limit(&limit, &held) || !held)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_AS, &limit) == 0;
}

void mem_release_reserve(void)
{
    use_reserve();
}

// ---- allocation ---------------------------------------------------------------------------------

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
    if (!ptr && use_reserve())
        ptr = malloc(bytes ? bytes : 1);
    if (!ptr)
        out_of_memory(bytes);
    return ptr;
}

void *mem_calloc(size_t count, size_t bytes)
{
    size_t total = product(count, bytes);
    void *ptr = calloc(1, total ? total : 1);
    if (!ptr && use_reserve())
        ptr = calloc(1, total ? total : 1);
    if (!ptr)
        out_of_memory(total);
    return ptr;
}

void *mem_realloc(void *ptr, size_t count, size_t bytes)
{
    size_t total = product(count, bytes);
    void *grown = realloc(ptr, total ? total : 1);
    if (!grown && use_reserve())
        grown = realloc(ptr, total ? total : 1);
    if (!grown)
        out_of_memory(total);
    return grown;
}

// Whole multiples of the alignment, one at least. Not zeroed.
static void *take_aligned(size_t align_bytes, size_t *bytes)
{
    *bytes = (*bytes + align_bytes - 1) / align_bytes * align_bytes;
    *bytes = *bytes ? *bytes : align_bytes;
    void *ptr = aligned_alloc(align_bytes, *bytes);
    if (!ptr && use_reserve())
        ptr = aligned_alloc(align_bytes, *bytes);
    if (!ptr)
        out_of_memory(*bytes);
    return ptr;
}

void *mem_aligned(size_t align_bytes, size_t bytes)
{
    void *ptr = take_aligned(align_bytes, &bytes);
    return memset(ptr, 0, bytes);
}

void *mem_huge(size_t bytes)
{
    const size_t page = (size_t)2 << 20;
    if (bytes < 2 * page)
        return mem_aligned(64, bytes);
    size_t total = bytes;
    void *ptr = take_aligned(page, &total);
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

char *mem_vprintf(const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = mem_alloc((size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, args);
    return text;
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = mem_vprintf(fmt, args);
    va_end(args);
    return text;
}

void mem_free(void *ptr)
{
    free(ptr);
}
