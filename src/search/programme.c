// SPDX-License-Identifier: Apache-2.0
#include "search/programme.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>

#include "base/mem.h"

enum { MOST_NODES = 4000 };              // of branch and cut, each a linear programme
static const double TOL_SHARE = 1e-12;   // a server that holds less of a demand is of no use
static const double TOL_MARGIN = 1e-5;   // asked for in addition where the tolerances were abused
static const double TOL_INTEGER = 1e-7;  // this near to a whole number is whole
static const double TOL_SHORTAGE = 1e-9; // of a demand: a shortage of so little is none
static const double TOL_COST = 1e-9;     // relative: costs this near to each other are the same
static const double MOST_WHOLE = 1e15;   // prices up to here may be counted in whole numbers

// One GLPK problem and where things are in it. GLPK counts from 1.
struct programme {
    const struct provision_problem *problem;
    glp_prob *glp;
    double price_unit;
    int n_columns;
    int *column;           // [type][service], 0: none
    int *slack;            // [service] what is missing of it, 0: none
    int worst;             // column of the largest shortage, 0: none
    uint64_t n_nodes;      // looked at
    double tree_bound;     // of the nodes that were left, in units of price
    const uint32_t *start; // borrowed, may be NULL
    bool started;
};

// ---- what GLPK does when it fails ---------------------------------------------------------------

struct job {
    int (*work)(struct job *job);
    jmp_buf failed;
    struct programme *p;
    void *out;
    bool whole;
    struct err *err;
};

static void on_failure(void *info)
{
    struct job *job = info;
    longjmp(job->failed, 1);
}

// Says that what GLPK prints, as it does before it fails, is dealt with.
static int say_nothing(void *info, const char *text)
{
    (void)info;
    (void)text;
    return 1;
}

// Does the work; what GLPK holds is freed in any case.
static int guarded(struct job *job)
{
    if (setjmp(job->failed) != 0) {
        glp_free_env();
        return err_set(job->err, ERR_FAIL, "provisioning: the solver failed (GLPK %s)",
                       glp_version());
    }
    glp_term_out(GLP_OFF);
    glp_term_hook(say_nothing, NULL);
    glp_error_hook(on_failure, job);
    int rc = job->work(job);
    glp_free_env();
    return rc;
}

// ---- building -----------------------------------------------------------------------------------

// The part of the service's demand that one server holds.
static double part(const struct provision_problem *problem, uint32_t type, uint32_t service)
{
    double demand_qps = assignment_demand_qps(problem, service);
    if (!assignment_usable(problem, type, service) || !(demand_qps > 0))
        return 0;
    double qps = problem->qps[assignment_cell(problem, type, service)];
    return qps < demand_qps ? qps / demand_qps : 1;
}

static double gcd(double a, double b)
{
    while (b > 0) {
        double rest = fmod(a, b);
        a = b;
        b = rest;
    }
    return a;
}

// What prices are counted in: their greatest common divisor when all are whole, since the solver
// then knows that a bound may be rounded up; else the largest, for its tolerances.
static double price_unit(const struct provision_problem *problem)
{
    double largest = 0, common = 0;
    bool whole = true;
    for (uint32_t h = 0; h < problem->n_types; h++)
        for (uint32_t m = 0; m < problem->n_services; m++) {
            if (!assignment_usable(problem, h, m))
                continue;
            double price = problem->price[assignment_cell(problem, h, m)];
            largest = fmax(largest, price);
            whole = whole && price <= MOST_WHOLE && price == floor(price);
            common = whole ? gcd(price, common) : 1;
        }
    return whole && common > 0 ? common : largest > 0 ? largest : 1;
}

static int add_column(struct programme *p, double low, double high, double cost)
{
    int column = glp_add_cols(p->glp, 1);
    glp_set_col_bnds(p->glp, column, high > low ? GLP_DB : GLP_FX, low, high);
    glp_set_obj_coef(p->glp, column, cost);
    p->n_columns = column;
    return column;
}

// A column for every pair that is of use.
static void add_servers(struct programme *p)
{
    const struct provision_problem *problem = p->problem;
    for (uint32_t h = 0; h < problem->n_types; h++)
        for (uint32_t m = 0; m < problem->n_services; m++) {
            double holds = part(problem, h, m), most = problem->available[h];
            p->column[assignment_cell(problem, h, m)] = 0;
            if (!(holds > TOL_SHARE) || most < 1)
                continue;
            // No service needs more of a type than serve it alone, and one for rounding.
            most = fmin(most, ceil(1 / holds) + 1);
            int column = add_column(p, 0, most,
                                    problem->price[assignment_cell(problem, h, m)] / p->price_unit);
            glp_set_col_kind(p->glp, column, GLP_IV);
            p->column[assignment_cell(problem, h, m)] = column;
        }
}

static void add_demands(struct programme *p, double needed)
{
    const struct provision_problem *problem = p->problem;
    int *at = mem_alloc((problem->n_types + 2) * sizeof *at);
    double *value = mem_alloc((problem->n_types + 2) * sizeof *value);
    for (uint32_t m = 0; m < problem->n_services; m++) {
        int n = 0;
        if (!(assignment_demand_qps(problem, m) > 0))
            continue;
        for (uint32_t h = 0; h < problem->n_types; h++)
            if (p->column[assignment_cell(problem, h, m)]) {
                at[++n] = p->column[assignment_cell(problem, h, m)];
                value[n] = part(problem, h, m);
            }
        if (p->slack[m]) {
            at[++n] = p->slack[m];
            value[n] = 1;
        }
        int row = glp_add_rows(p->glp, 1);
        glp_set_row_bnds(p->glp, row, GLP_LO, needed, 0);
        glp_set_mat_row(p->glp, row, n, at, value);
    }
    mem_free(value);
    mem_free(at);
}

static void add_limits(struct programme *p)
{
    const struct provision_problem *problem = p->problem;
    int *at = mem_alloc((problem->n_services + 1) * sizeof *at);
    double *value = mem_alloc((problem->n_services + 1) * sizeof *value);
    for (uint32_t h = 0; h < problem->n_types; h++) {
        int n = 0;
        for (uint32_t m = 0; m < problem->n_services; m++)
            if (p->column[assignment_cell(problem, h, m)]) {
                at[++n] = p->column[assignment_cell(problem, h, m)];
                value[n] = 1;
            }
        if (n == 0)
            continue;
        int row = glp_add_rows(p->glp, 1);
        glp_set_row_bnds(p->glp, row, GLP_UP, 0, problem->available[h]);
        glp_set_mat_row(p->glp, row, n, at, value);
    }
    mem_free(value);
    mem_free(at);
}

static void build(struct programme *p, double needed)
{
    p->glp = glp_create_prob();
    p->n_columns = 0;
    add_servers(p);
    add_demands(p, needed);
    add_limits(p);
    glp_scale_prob(p->glp, GLP_SF_AUTO);
    glp_adv_basis(p->glp, 0);
}

// ---- solving ------------------------------------------------------------------------------------

// The relaxation. Returns GLP_OPT or GLP_NOFEAS, or -1. Where rounding defeats the simplex method,
// it is done in rational numbers.
static int relax(struct programme *p, struct err *err)
{
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    int rc = glp_simplex(p->glp, &how);
    int status = glp_get_status(p->glp);
    if (rc != 0 || (status != GLP_OPT && status != GLP_NOFEAS)) {
        glp_std_basis(p->glp);
        rc = glp_exact(p->glp, &how);
        status = glp_get_status(p->glp);
    }
    if (rc != 0 || (status != GLP_OPT && status != GLP_NOFEAS))
        return err_set(err, ERR_FAIL, "provisioning: the linear programme was not solved (%d, %d)",
                       rc, status);
    return status;
}

// Hands the starting plan over.
static void offer_start(struct programme *p, glp_tree *tree)
{
    const struct provision_problem *problem = p->problem;
    double *x = mem_calloc((size_t)p->n_columns + 1, sizeof *x);
    for (uint32_t h = 0; h < problem->n_types; h++)
        for (uint32_t m = 0; m < problem->n_services; m++)
            x[p->column[assignment_cell(problem, h, m)]] = p->start[assignment_cell(problem, h, m)];
    glp_ios_heur_sol(tree, x);
    mem_free(x);
}

static void on_node(glp_tree *tree, void *info)
{
    struct programme *p = info;
    int reason = glp_ios_reason(tree);
    if (reason == GLP_IHEUR && p->start && !p->started) {
        p->started = true;
        offer_start(p, tree);
    }
    p->n_nodes += reason == GLP_IPREPRO;
    if (reason != GLP_ISELECT || p->n_nodes <= MOST_NODES)
        return;
    int best = glp_ios_best_node(tree);
    p->tree_bound = best ? glp_ios_node_bound(tree, best) : -INFINITY;
    glp_ios_terminate(tree);
}

// Branch and cut from the relaxation. Returns GLP_OPT, GLP_FEAS, GLP_NOFEAS or GLP_UNDEF, or -1.
static int branch(struct programme *p, struct err *err)
{
    glp_iocp how;
    glp_init_iocp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.gmi_cuts = how.mir_cuts = GLP_ON;
    how.tol_int = TOL_INTEGER;
    how.tol_obj = TOL_COST;
    how.cb_func = on_node;
    how.cb_info = p;
    p->n_nodes = 0;
    p->started = false;
    int rc = glp_intopt(p->glp, &how);
    if (rc != 0 && rc != GLP_ESTOP)
        return err_set(err, ERR_FAIL, "provisioning: the integer programme was not solved (%d)",
                       rc);
    return glp_mip_status(p->glp);
}

static void read_plan(const struct programme *p, uint32_t *plan)
{
    const struct provision_problem *problem = p->problem;
    for (uint32_t h = 0; h < problem->n_types; h++)
        for (uint32_t m = 0; m < problem->n_services; m++) {
            int column = p->column[assignment_cell(problem, h, m)];
            double x = column ? glp_mip_col_val(p->glp, column) : 0;
            plan[assignment_cell(problem, h, m)] = (uint32_t)llround(fmax(x, 0));
        }
}

// ---- the plan -----------------------------------------------------------------------------------

struct plan_out {
    uint32_t *plan;
    struct programme_answer *answer;
};

// The best plan of which every demand holds `needed`.
static int attempt(struct programme *p, double needed, const struct plan_out *out, struct err *err)
{
    struct programme_answer *answer = out->answer;
    *answer = (struct programme_answer){.state = PROGRAMME_IMPOSSIBLE};
    build(p, needed);
    int status = relax(p, err);
    if (status < 0 || status == GLP_NOFEAS)
        return status < 0 ? -1 : 0;
    double bound = glp_get_obj_val(p->glp);
    p->tree_bound = bound;
    status = branch(p, err);
    if (status < 0)
        return -1;
    answer->bound = fmax(bound, p->tree_bound) * p->price_unit;
    answer->state = status == GLP_NOFEAS ? PROGRAMME_NOT_WHOLE : PROGRAMME_UNFINISHED;
    if (status != GLP_OPT && status != GLP_FEAS)
        return 0;
    read_plan(p, out->plan);
    if (assignment_is_plan(p->problem, out->plan)) {
        answer->state = PROGRAMME_SOLVED;
        answer->proven = status == GLP_OPT;
    }
    return 0;
}

static int solve_work(struct job *job)
{
    const struct plan_out *out = job->out;
    if (attempt(job->p, 1, out, job->err) != 0)
        return -1;
    if (out->answer->state != PROGRAMME_UNFINISHED || job->p->n_nodes > MOST_NODES)
        return 0;
    // By exact numbers it is none: a tolerance was made use of. What asks for more than that will
    // be one, though perhaps not the best.
    double bound = out->answer->bound;
    job->p->start = NULL;
    if (attempt(job->p, 1 + TOL_MARGIN, out, job->err) != 0)
        return -1;
    if (out->answer->state != PROGRAMME_SOLVED)
        out->answer->state = PROGRAMME_UNFINISHED;
    out->answer->bound = bound;
    out->answer->proven = false;
    return 0;
}

static struct programme *programme_create(const struct provision_problem *problem)
{
    struct programme *p = mem_calloc(1, sizeof *p);
    p->problem = problem;
    p->price_unit = price_unit(problem);
    p->column = mem_calloc((size_t)problem->n_types * problem->n_services, sizeof *p->column);
    p->slack = mem_calloc(problem->n_services, sizeof *p->slack);
    return p;
}

static void programme_destroy(struct programme *p)
{
    mem_free(p->slack);
    mem_free(p->column);
    mem_free(p);
}

int programme_solve(const struct provision_problem *problem, const uint32_t *start, uint32_t *plan,
                    struct programme_answer *answer, struct err *err)
{
    struct plan_out out = {plan, answer};
    struct job job = {.work = solve_work, .p = programme_create(problem), .out = &out, .err = err};
    job.p->start = start;
    int rc = guarded(&job);
    programme_destroy(job.p);
    return rc;
}

// ---- what is missing ----------------------------------------------------------------------------

// Of a demand, what the whole fleet would leave if it had nothing else to serve.
static double hopeless_frac(const struct provision_problem *problem, uint32_t service)
{
    double held = 0;
    for (uint32_t h = 0; h < problem->n_types; h++)
        held += problem->available[h] * part(problem, h, service);
    return held < 1 ? 1 - held : 0;
}

// The same programme with a shortage of every service, which is what it minimises.
static void build_slack(struct programme *p)
{
    const struct provision_problem *problem = p->problem;
    p->glp = glp_create_prob();
    add_servers(p);
    for (int column = 1; column <= p->n_columns; column++)
        glp_set_obj_coef(p->glp, column, 0);
    for (uint32_t m = 0; m < problem->n_services; m++)
        if (assignment_demand_qps(problem, m) > 0)
            p->slack[m] = add_column(p, 0, 1, 1);
    add_demands(p, 1);
    add_limits(p);
}

// Makes the largest shortage, of what is not hopeless, what is minimised.
static void add_worst(struct programme *p)
{
    const struct provision_problem *problem = p->problem;
    int worst = add_column(p, 0, 1, 1);
    for (uint32_t m = 0; m < problem->n_services; m++) {
        if (!p->slack[m])
            continue;
        double hopeless = hopeless_frac(problem, m);
        int at[] = {0, p->slack[m], worst};
        double value[] = {0, 1, hopeless - 1};
        int row = glp_add_rows(p->glp, 1);
        glp_set_row_bnds(p->glp, row, GLP_UP, 0, hopeless);
        glp_set_mat_row(p->glp, row, hopeless < 1 ? 2 : 1, at, value);
        glp_set_obj_coef(p->glp, p->slack[m], 0);
    }
    p->worst = worst;
}

// First the worst as small as can be, then, with that, the sum.
static int split_shortage(struct programme *p, double *missing_qps, struct err *err)
{
    add_worst(p);
    glp_scale_prob(p->glp, GLP_SF_AUTO);
    glp_adv_basis(p->glp, 0);
    if (relax(p, err) < 0)
        return -1;
    double worst = fmin(glp_get_obj_val(p->glp) + TOL_SHORTAGE, 1);
    glp_set_col_bnds(p->glp, p->worst, worst > 0 ? GLP_DB : GLP_FX, 0, worst);
    glp_set_obj_coef(p->glp, p->worst, 0);
    for (uint32_t m = 0; m < p->problem->n_services; m++)
        if (p->slack[m])
            glp_set_obj_coef(p->glp, p->slack[m], 1);
    if (relax(p, err) < 0)
        return -1;
    for (uint32_t m = 0; m < p->problem->n_services; m++) {
        double lacks = p->slack[m] ? glp_get_col_prim(p->glp, p->slack[m]) : 0;
        missing_qps[m] =
            lacks > 2 * TOL_SHORTAGE ? lacks * assignment_demand_qps(p->problem, m) : 0;
    }
    return 0;
}

static int whole_shortage(struct programme *p, double *missing_qps, struct err *err)
{
    const struct provision_problem *problem = p->problem;
    glp_scale_prob(p->glp, GLP_SF_AUTO);
    glp_adv_basis(p->glp, 0);
    if (relax(p, err) < 0)
        return -1;
    int status = branch(p, err);
    if (status < 0)
        return -1;
    uint32_t *plan = mem_calloc((size_t)problem->n_types * problem->n_services, sizeof *plan);
    if (status == GLP_OPT || status == GLP_FEAS)
        read_plan(p, plan);
    for (uint32_t m = 0; m < problem->n_services; m++)
        missing_qps[m] =
            assignment_serves(problem, plan, m)
                ? 0
                : assignment_demand_qps(problem, m) - assignment_held_qps(problem, plan, m);
    mem_free(plan);
    return 0;
}

static int shortage_work(struct job *job)
{
    double *missing_qps = job->out;
    build_slack(job->p);
    if (job->whole)
        return whole_shortage(job->p, missing_qps, job->err);
    return split_shortage(job->p, missing_qps, job->err);
}

int programme_shortage(const struct provision_problem *problem, bool whole, double *missing_qps,
                       struct err *err)
{
    struct job job = {.work = shortage_work,
                      .p = programme_create(problem),
                      .out = missing_qps,
                      .whole = whole,
                      .err = err};
    int rc = guarded(&job);
    double sum_qps = 0;
    for (uint32_t m = 0; rc == 0 && m < problem->n_services; m++)
        sum_qps += missing_qps[m];
    programme_destroy(job.p);
    // So little is missing that the solver's tolerances hide it: whole servers miss more.
    return rc == 0 && !whole && sum_qps == 0 ? programme_shortage(problem, true, missing_qps, err)
                                             : rc;
}
