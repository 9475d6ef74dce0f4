// SPDX-License-Identifier: Apache-2.0
#include "results/ci.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

struct ci ci_none(void)
{
    return (struct ci){NAN, NAN, 0};
}

// GSL's inverse distribution also takes degrees of freedom that are no whole number, as Welch's
// are.
double ci_t(double p, double dof)
{
    return dof > 0 ? gsl_cdf_tdist_Pinv(p, dof) : NAN;
}

static struct ci with_error(double value, double se, double dof, uint32_t n)
{
    return (struct ci){value, ci_t(0.975, dof) * se, n};
}

// The batches' deviations are from the estimate, not from their own mean: where a short batch's
// statistic is off to one side, the interval is wider for it.
struct ci ci_sections(double value, const double *batches, size_t n)
{
    double squares = 0;
    uint32_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(batches[i]))
            continue;
        squares += (batches[i] - value) * (batches[i] - value);
        used++;
    }
    if (used < 2 || isnan(value))
        return (struct ci){value, NAN, used};
    double dof = used - 1;
    return with_error(value, sqrt(squares / (dof * used)), dof, used);
}

struct ci ci_means(const double *batches, size_t n)
{
    double sum = 0;
    uint32_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(batches[i]))
            continue;
        sum += batches[i];
        used++;
    }
    return ci_sections(used ? sum / used : NAN, batches, n);
}

// A standard error is what is left of a half-width without its t. Satterthwaite: the variance of
// either side counts as much for the degrees of freedom as it does for the sum.
struct ci ci_welch(struct ci a, struct ci b)
{
    struct ci d = {a.value - b.value, NAN, a.n_batches < b.n_batches ? a.n_batches : b.n_batches};
    if (a.n_batches < 2 || b.n_batches < 2)
        return d;
    double dof_a = a.n_batches - 1, dof_b = b.n_batches - 1;
    double var_a = a.half_95 / ci_t(0.975, dof_a), var_b = b.half_95 / ci_t(0.975, dof_b);
    var_a *= var_a;
    var_b *= var_b;
    double var = var_a + var_b;
    if (var == 0) // both are exact, and 0 / 0 has no degrees of freedom
        return (struct ci){d.value, 0, d.n_batches};
    double dof = var * var / (var_a * var_a / dof_a + var_b * var_b / dof_b);
    return with_error(d.value, sqrt(var), dof, d.n_batches);
}

bool ci_excludes(struct ci ci, double x)
{
    return fabs(ci.value - x) > ci.half_95; // false where either is NaN
}
