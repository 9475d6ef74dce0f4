// SPDX-License-Identifier: Apache-2.0
// On any number of ranks; MPI starts once, in main.
#include "runs/eval.h"

#include <string.h>
#include <unistd.h>

#include "runs/runs_fixture.h"
#include "base/mem.h"

static const char *const text = "duration: 1s\n"
                                "warmup: 0s\n"
                                "bins: 10\n"
                                "traffic: [{service: a, rate: 5000qps}]\n"
                                "fleet: {cells: 2, groups: [{cores: 8, servers: 4, "
                                "cost: {kind: synthetic, per_item: 1us}}]}\n";

// A study is read by rank 0, run by all, and gives one file and one summary.
START_TEST(runs_a_study)
{
    struct err err = {0};
    const struct eval *eval = runs_fixture_eval();
    char *path = runs_fixture_put("s.yaml", text), *output = runs_fixture_path("s.h5");
    const struct survey_source source = {.path = path};
    struct survey *survey = eval_read_survey(eval, &source, &err);
    ck_assert_msg(survey != NULL, "%s", err.text);
    struct study *study = survey_whole(survey, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    const struct eval_options options = {.output = output, .command = "test"};
    struct eval_result result;
    ck_assert_msg(eval_run(eval, study, &options, &result, &err) == 0, "%s", err.text);
    ck_assert((result.summary != NULL) == (eval->rank == 0));
    if (eval->rank == 0) {
        // 5000 queries are expected; five standard deviations of a Poisson count are 354.
        ck_assert_double_eq_tol((double)summary_total(result.summary)->n_queries, 5000, 354);
        ck_assert_int_eq(access(output, R_OK), 0);
    }
    ck_assert_int_eq(result.info.n_ranks, eval->n_ranks);
    eval_release(&result);
    // The same name again is refused on every rank alike.
    ck_assert_int_eq(eval_run(eval, study, &options, &result, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "s.h5"));
    study_destroy(study);
    survey_destroy(survey);
    mem_free(path);
    mem_free(output);
}
END_TEST

// A file that is not there or is wrong is the same error on every rank.
START_TEST(errors_agree)
{
    const struct {
        const char *name, *text, *says;
    } cases[] = {{"none.yaml", NULL, "none.yaml: cannot open"},
                 {"bad.yaml", "traffic: [\n", "not valid YAML"},
                 {"sweep.yaml", "sweep: []\n", "expected at least one axis"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        char *path = cases[i].text ? runs_fixture_put(cases[i].name, cases[i].text)
                                   : runs_fixture_path(cases[i].name);
        const struct survey_source source = {.path = path};
        ck_assert_ptr_null(eval_read_survey(runs_fixture_eval(), &source, &err));
        ck_assert_msg(strstr(err.text, cases[i].says) != NULL, "%s", err.text);
        ck_assert_int_eq(err.code, ERR_STUDY);
        mem_free(path);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", runs_a_study}, {"errors", errors_agree}};
    return runs_fixture_main("eval", tests, sizeof tests / sizeof *tests);
}
