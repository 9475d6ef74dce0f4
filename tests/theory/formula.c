// SPDX-License-Identifier: Apache-2.0
#include "theory/formula.h"

#include <math.h>

// P(response > t) of a queue with parameters k and rho.
typedef double (*tail_fn)(uint32_t k, double rho, double t);

static double invert(tail_fn tail, uint32_t k, double rho, double q)
{
    double low = 0, high = 1;
    while (tail(k, rho, high) > 1 - q)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (low + high);
        if (tail(k, rho, middle) > 1 - q)
            low = middle;
        else
            high = middle;
    }
    return low;
}

double formula_mmk_waits(uint32_t k, double rho)
{
    // Erlang B by its recursion, then C from B.
    double load = rho * k, b = 1;
    for (uint32_t i = 1; i <= k; i++)
        b = load * b / (i + load * b);
    return b / (1 - rho * (1 - b));
}

double formula_mmk_wait(uint32_t k, double rho)
{
    return formula_mmk_waits(k, rho) / (k * (1 - rho));
}

double formula_mmk_inside(uint32_t k, double rho)
{
    return rho * k * (1 + formula_mmk_wait(k, rho));
}

// Service is exponential with rate 1; a query that waits does so exponentially with rate r.
static double mmk_tail(uint32_t k, double rho, double t)
{
    double c = formula_mmk_waits(k, rho), r = k * (1 - rho);
    double both = fabs(r - 1) < 1e-9 ? (1 + t) * exp(-t) : (r * exp(-t) - exp(-r * t)) / (r - 1);
    return (1 - c) * exp(-t) + c * both;
}

double formula_mmk_response(uint32_t k, double rho, double q)
{
    return invert(mmk_tail, k, rho, q);
}

double formula_mixed_response(double rho, double slow_frac, double factor, double q)
{
    double low = 0, high = 1e6;
    for (int i = 0; i < 100; i++) {
        double t = 0.5 * (low + high);
        double above =
            (1 - slow_frac) * exp(-(1 - rho) * t) + slow_frac * exp(-(1 / factor - rho) * t);
        *(above > 1 - q ? &low : &high) = t;
    }
    return low;
}

double formula_mg1_wait(double rho, double cv)
{
    return rho * (1 + cv * cv) / (2 * (1 - rho));
}

double formula_two_meets(double rho, uint32_t n)
{
    // Both of two servers hold at least n, each with probability rho^(2^n - 1).
    return n == 0 ? 1 : pow(rho, 2 * (ldexp(1, (int)n) - 1));
}

double formula_two_mean(double rho)
{
    double sum = 0;
    for (uint32_t n = 0; n < 30; n++)
        sum += formula_two_meets(rho, n);
    return sum;
}

// Behind n queries the response is the sum of n + 1 services.
static double two_tail(uint32_t k, double rho, double t)
{
    (void)k;
    double sum = 0, term = exp(-t), gamma = term; // gamma: P(n + 1 services > t)
    for (uint32_t n = 0; n < 30; n++) {
        sum += (formula_two_meets(rho, n) - formula_two_meets(rho, n + 1)) * gamma;
        term *= t / (n + 1);
        gamma += term;
    }
    return sum;
}

double formula_two_response(double rho, double q)
{
    return invert(two_tail, 0, rho, q);
}
