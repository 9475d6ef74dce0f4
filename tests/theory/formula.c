// SPDX-License-Identifier: Apache-2.0
#include "theory/formula.h"

#include <complex.h>
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

enum { MOST_BULK = 32 };

// E z^(arrivals in a service) to the power 1 / most.
static double complex arrivals_root(uint32_t most, double load, double cv, double complex z)
{
    double complex s = load * (1 - z);
    return cv == 0 ? cexp(-s / most) : cpow(1 + s * cv * cv, -1 / (most * cv * cv));
}

// How many are there when a service ends has the generating function
//
//     P(z) = C A(z) (z - 1) prod (z - z_j) / (z^most - A(z)),
//
// A(z) that of the arrivals in a service and z_j the roots of the denominator inside the unit
// circle: C (z - 1) prod (z - z_j) is sum p_i (z^most - z^i) over i < most. Returns the mean; p[i]:
// the probability of i.
static double bulk_left(uint32_t most, double load, double cv, double p[MOST_BULK])
{
    double complex poly[MOST_BULK + 1] = {-1, 1}, mean = load;
    for (uint32_t j = 1; j < most; j++) {
        double complex turn = cexp(2 * M_PI * I * j / most), z = 0;
        for (int i = 0; i < 1000; i++)
            z = turn * arrivals_root(most, load, cv, z);
        mean += 1 / (1 - z);
        for (uint32_t i = j + 1; i > 0; i--)
            poly[i] = poly[i - 1] - z * poly[i];
        poly[0] *= -z;
    }
    double complex at_one = 0; // of the derivative: prod (1 - z_j)
    for (uint32_t i = 1; i <= most; i++)
        at_one += i * poly[i];
    for (uint32_t i = 0; i < most; i++)
        p[i] = -creal(poly[i]) * (most - load) / creal(at_one);
    return creal(mean) - (most * (most - 1.0) - load * load * (1 + cv * cv)) / (2 * (most - load));
}

struct formula_bulk formula_bulk(uint32_t most, bool full, double load, double cv)
{
    double p[MOST_BULK], left = bulk_left(most, load, cv, p), idle = 0, sum = 0, waiting = 0;
    for (uint32_t i = 0; i < most; i++) {
        uint32_t wanted = full ? most : 1; // with so many the next service begins
        sum += p[i];
        for (uint32_t n = i; n < wanted; n++) {
            idle += p[i] / load;
            waiting += p[i] * n / load;
        }
    }
    // Per cycle of a service and the idle time before it; a service leaves `left` - load behind as
    // it begins.
    waiting += left - load + load * (1 + cv * cv) / 2;
    double busy_frac = 1 / (1 + idle);
    return (struct formula_bulk){.wait = waiting * busy_frac / load,
                                 .busy_frac = busy_frac,
                                 .waits_frac = full ? 1 - sum / most : busy_frac};
}

struct formula_bulk formula_bulk_mmk(uint32_t k, uint32_t most, double load)
{
    // With all busy: r of k r^(most + 1) - (load + k) r + load = 0.
    double r = 0, state = 1, sum = 0, busy = 0;
    for (int i = 0; i < 1000; i++)
        r = (load + k * pow(r, most + 1.0)) / (load + k);
    for (uint32_t i = 0; i < k; i++) {
        sum += state;
        busy += i * state;
        state *= load / (i + 1);
    }
    double all = state / (1 - r); // `state` is that of k busy and nobody waiting
    return (struct formula_bulk){.wait = all * r / (1 - r) / (sum + all) / load,
                                 .busy_frac = (busy + k * all) / (sum + all) / k,
                                 .waits_frac = all / (sum + all)};
}

enum { MOST_HELD = 40, N_STEPS = 8000 };

// lambda^n / n! e^-lambda
static double poisson(uint32_t n, double lambda)
{
    return exp(n * log(lambda) - lambda - lgamma(n + 1.0));
}

static double held_s(const struct formula_hold *queue, uint32_t n)
{
    return queue->fixed + queue->per_item * n;
}

// The first query after a service has begun comes an exponential time later; its batch begins w
// after that, w what is left of the service, or `hold` if that is more.
static void held_sizes(const struct formula_hold *queue, double size[MOST_HELD + 1])
{
    double load = queue->load;
    for (uint32_t n = 0; n <= MOST_HELD; n++)
        size[n] = n == 1;
    for (int i = 0; i < 300; i++) {
        double next[MOST_HELD + 1] = {0};
        for (uint32_t before = 1; before <= MOST_HELD; before++)
            for (uint32_t n = 0; n < MOST_HELD; n++) {
                double s = fmax(held_s(queue, before), queue->hold), d = queue->hold;
                double late = exp(-load * (s - d)) * (d > 0 ? poisson(n, load * d) : n == 0);
                double ahead = poisson(n + 1, load * s) -
                               (d > 0 ? exp(-load * (s - d)) * poisson(n + 1, load * d) : 0);
                next[n + 1] += size[before] * (late + ahead);
            }
        for (uint32_t n = 0; n <= MOST_HELD; n++)
            size[n] = next[n];
    }
}

struct formula_hold_means formula_hold(const struct formula_hold *queue)
{
    double size[MOST_HELD + 1], batch = 0, busy = 0, wait = 0, work = 0;
    held_sizes(queue, size);
    for (uint32_t n = 1; n <= MOST_HELD; n++) {
        double s = fmax(held_s(queue, n), queue->hold), d = queue->hold, l = queue->load;
        double late = exp(-l * (s - d));
        // E w and E w^2 of w = max(s - exponential, d)
        double w = s - (1 - late) / l;
        double w2 = s * s - 2 * s / l + 2 / (l * l) + late * (2 * d / l - 2 / (l * l));
        batch += n * size[n];
        busy += size[n] * held_s(queue, n);
        work += size[n] * n * held_s(queue, n);
        wait += size[n] * (w + l * w2 / 2);
    }
    return (struct formula_hold_means){
        .response = (wait + work) / batch, .busy_frac = queue->load * busy / batch, .batch = batch};
}

static double clamp(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

// How many of the queries of a batch that begins w after its first takes longer than t, on average;
// w is spread over `step`.
static double held_late(const struct formula_hold *queue, double w, double step, double t)
{
    double late = 0;
    for (uint32_t n = 0; n < MOST_HELD; n++) {
        double most = t - held_s(queue, n + 1); // that a query may wait
        double first = step > 0 ? clamp((w - most) / step + 0.5) : w > most;
        double probability = w > 0 ? poisson(n, queue->load * w) : n == 0;
        late += probability * (first + n * (w > 0 ? clamp(1 - most / w) : 0));
    }
    return late;
}

double formula_hold_response(const struct formula_hold *queue, double q)
{
    double size[MOST_HELD + 1], weight[N_STEPS] = {0}, at_hold = 0, batch = 0, l = queue->load;
    double low = 0, high = 10 * held_s(queue, 1) + queue->hold, d = queue->hold;
    double step = (high - d) / N_STEPS;
    held_sizes(queue, size);
    for (uint32_t n = 1; n <= MOST_HELD; n++) {
        double s = held_s(queue, n);
        batch += n * size[n];
        at_hold += size[n] * exp(-l * fmax(s - d, 0));
        for (uint32_t i = 0; i < N_STEPS && d + i * step < s; i++) {
            double to = fmin(d + (i + 1) * step, s); // w in [d + i step, to)
            weight[i] += size[n] * (exp(-l * (s - to)) - exp(-l * (s - d - i * step)));
        }
    }
    for (int k = 0; k < 40; k++) {
        double t = 0.5 * (low + high), late = at_hold * held_late(queue, d, 0, t);
        for (uint32_t i = 0; i < N_STEPS && weight[i] > 0; i++)
            late += weight[i] * held_late(queue, d + (i + 0.5) * step, step, t);
        *(late > (1 - q) * batch ? &low : &high) = t;
    }
    return low;
}

static double lognormal_below(double mu, double sigma, double x)
{
    return 0.5 * erfc((mu - log(x)) / (sigma * sqrt(2)));
}

// That a query has n items.
static double lognormal_items(double mu, double sigma, uint32_t n, uint32_t max_items)
{
    double low = n > 1 ? lognormal_below(mu, sigma, n - 0.5) : 0;
    return (n < max_items ? lognormal_below(mu, sigma, n + 0.5) : 1) - low;
}

struct formula_shortest formula_shortest(double rho, double mu, double sigma, uint32_t max_items)
{
    struct formula_shortest shortest = {0, 0};
    double square = 0, before = 0;
    for (uint32_t n = 1; n <= max_items; n++) {
        double prob = lognormal_items(mu, sigma, n, max_items);
        shortest.mean_items += prob * n;
        square += prob * n * n;
    }
    // What is left of the service under way, in mean services.
    double left = rho * square / (2 * shortest.mean_items * shortest.mean_items);
    for (uint32_t n = 1; n <= max_items; n++) {
        double prob = lognormal_items(mu, sigma, n, max_items);
        double upto = before + rho * prob * n / shortest.mean_items;
        shortest.wait += prob * left / ((1 - before) * (1 - upto));
        before = upto;
    }
    return shortest;
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
