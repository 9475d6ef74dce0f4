// SPDX-License-Identifier: Apache-2.0
#include "results/moments.h"

#include <math.h>

struct moments moments_of(uint64_t n, unsigned __int128 sum_ns, unsigned __int128 sq_sum_ns2)
{
    struct moments m = {NAN, NAN};
    if (n == 0)
        return m;
    m.mean_s = (double)sum_ns / (double)n * 1e-9;
    if (n < 2)
        return m;
    // Deviations from the whole number w = floor(mean), sum = n w + rest:
    //   S = sum (x - w)^2 = squares - n w^2 - 2 w rest   (exact; wraps mod 2^128 only in between)
    //   sum (x - mean)^2 = S - rest^2 / n
    unsigned __int128 w = sum_ns / n, rest = sum_ns % n;
    unsigned __int128 about_w = sq_sum_ns2 - n * w * w - 2 * w * rest;
    double r = (double)rest, squares = (double)about_w - r * r / (double)n;
    m.sd_s = sqrt(squares > 0 ? squares / (double)(n - 1) : 0) * 1e-9;
    return m;
}
