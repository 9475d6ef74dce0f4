// SPDX-License-Identifier: Apache-2.0
#include "runs/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/study_digest.h"
#include "support/suite.h"

static const char *const text =
    "name: tiny\n"
    "seed: 7\n"
    "duration: 2s\n"
    "replications: 2\n"
    "sweep:\n"
    "  - {axis: rate, key: \"traffic[0].rate\", values: [1000qps, 3000qps]}\n"
    "  - {axis: size, key: \"fleet.groups[0].servers\", values: [4, 9]}\n"
    "traffic: [{service: a, rate: 1qps}]\n"
    "fleet: {groups: [{cores: 8, servers: 1, cost: {kind: synthetic, per_item: 1us}}]}\n";

// A survey and what it borrows.
struct place {
    const char *settings[1];
    struct survey *survey;
};

static void open_place(struct place *place, const char *study, const char *setting,
                       const char *output)
{
    struct err err = {0};
    place->settings[0] = setting;
    const struct survey_source source = {.path = "s.yaml",
                                         .text = mem_strdup(study),
                                         .size = strlen(study),
                                         .settings = place->settings,
                                         .n_settings = setting != NULL,
                                         .output = output};
    place->survey = survey_create(&source, &err);
    ck_assert_msg(place->survey != NULL, "%s", err.text);
}

static void close_place(struct place *place)
{
    survey_destroy(place->survey);
}

// A trace is the same in every replication, which cannot have intervals then; one is fine.
START_TEST(replications_of_a_replay)
{
    struct place place;
    struct err err = {0};
    FILE *csv = fopen("test_survey.csv", "w");
    fputs("time_s,size\n0.1,10\n0.2,20\n0.3,10\n", csv);
    fclose(csv);
    char replay[] = "traffic[0].arrivals={process: replay, file: test_survey.csv}";
    open_place(&place, text, replay, "no/such.h5");
    ck_assert_ptr_null(survey_study(place.survey, 0, &err));
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_nonnull(
        strstr(err.text, "s.yaml:4:15: replications: every service replays a trace"));
    close_place(&place);
    char *once = mem_strdup(text);
    *strstr(once, "replications: 2") = '#';
    open_place(&place, once, replay, "no/such.h5");
    struct study *study = survey_study(place.survey, 0, &err);
    ck_assert_ptr_nonnull(study);
    study_destroy(study);
    close_place(&place);
    mem_free(once);
    remove("test_survey.csv");
}
END_TEST

// What each point will be: seed, servers, queries, and that it has not been done.
START_TEST(facts)
{
    struct place place;
    open_place(&place, text, NULL, "no/such.h5");
    survey_look(place.survey, NULL, 0, 1);
    const struct survey_point *points = place.survey->points;
    ck_assert_uint_eq(place.survey->n_points, 8);
    ck_assert_uint_eq(points[0].seed, 7);
    ck_assert_uint_eq(points[0].n_servers, 4);
    ck_assert_uint_eq(points[5].n_servers, 9);
    ck_assert_double_eq_tol(points[1].queries, 2000, 1e-6);
    ck_assert_double_eq_tol(points[7].queries, 6000, 1e-6);
    ck_assert_double_gt(points[7].work_s, points[1].work_s);
    for (uint32_t p = 0; p < 8; p++)
        ck_assert_int_eq(points[p].state, POINTDIR_MISSING);
    close_place(&place);
}
END_TEST

// Digests tell points apart, replications too, and are those of the points' studies.
START_TEST(digests)
{
    struct place place;
    struct err err = {0};
    open_place(&place, text, NULL, NULL);
    survey_look(place.survey, NULL, 0, 1);
    const struct survey_point *points = place.survey->points;
    for (uint32_t p = 0; p < 8; p++) {
        struct study *study = survey_study(place.survey, p, &err);
        char *digest = study_digest(study);
        ck_assert_str_eq(points[p].digest, digest);
        for (uint32_t q = 0; q < p; q++)
            ck_assert_str_ne(points[p].digest, points[q].digest);
        mem_free(digest);
        study_destroy(study);
    }
    close_place(&place);
}
END_TEST

// Where results and points go does not change what they are, nor does the number of replications
// change those that were there.
START_TEST(same_digest)
{
    struct place place, more;
    open_place(&place, text, NULL, "a.h5");
    open_place(&more, text, "replications=3", "b/c.h5");
    survey_look(place.survey, NULL, 0, 1);
    survey_look(more.survey, NULL, 0, 1);
    for (uint32_t p = 0; p < 8; p++)
        ck_assert_str_eq(place.survey->points[p].digest, more.survey->points[p].digest);
    close_place(&place);
    close_place(&more);
}
END_TEST

// Several lookers see each a part, and only what was chosen; the rest stays zero.
START_TEST(parts)
{
    struct place place;
    bool chosen[8] = {[1] = true, [2] = true, [4] = true, [5] = true};
    open_place(&place, text, NULL, NULL);
    survey_look(place.survey, chosen, 1, 3); // 1, 4, 7
    for (uint32_t p = 0; p < 8; p++)
        ck_assert_uint_eq(place.survey->points[p].looked, p == 1 || p == 4);
    ck_assert_str_eq(place.survey->points[5].digest, "");
    close_place(&place);
}
END_TEST

// The results' place is the study's unless another is given; the points' is beside it.
START_TEST(places)
{
    struct place place;
    open_place(&place, text, NULL, NULL);
    ck_assert_str_eq(place.survey->output, "tiny.h5");
    ck_assert_str_eq(place.survey->folder, "tiny.points");
    close_place(&place);
    open_place(&place, text, "output.file=x/y.h5", NULL);
    ck_assert_str_eq(place.survey->folder, "x/y.points");
    close_place(&place);
    open_place(&place, text, "output.file=x/y.h5", "z.h5");
    ck_assert_str_eq(place.survey->output, "z.h5");
    close_place(&place);
}
END_TEST

// A point is named by number and labels, an error by the labels; a study without a sweep needs
// neither.
START_TEST(names)
{
    struct place place;
    struct err err = {0};
    open_place(&place, text, NULL, NULL);
    char *name = survey_name(place.survey, 5);
    ck_assert_str_eq(name, "point 5 (rate=1000qps,size=9,replication=1)");
    err_set(&err, ERR_STUDY, "wrong");
    ck_assert_int_eq(survey_blame(place.survey, 5, &err), -1);
    ck_assert_str_eq(err.text, "wrong (at rate=1000qps,size=9,replication=1)");
    mem_free(name);
    close_place(&place);
    open_place(&place, "name: one\n", NULL, NULL);
    name = survey_name(place.survey, 0);
    ck_assert_str_eq(name, "the only point");
    err_set(&err, ERR_STUDY, "wrong");
    survey_blame(place.survey, 0, &err);
    ck_assert_str_eq(err.text, "wrong");
    mem_free(name);
    close_place(&place);
}
END_TEST

// A point whose study cannot be read holds up no other, and its note is the reason.
START_TEST(wrong_point)
{
    struct place place;
    char note[ERR_TEXT_MAX];
    open_place(&place, text, "sweep[1].values=[4, -9]", NULL);
    survey_look(place.survey, NULL, 0, 1);
    ck_assert_int_eq(place.survey->points[2].state, POINTDIR_MISSING);
    ck_assert_int_eq(place.survey->points[1].state, POINTDIR_WRONG);
    survey_note(place.survey, 2, note, sizeof note);
    ck_assert_str_eq(note, "");
    survey_note(place.survey, 1, note, sizeof note);
    ck_assert_msg(strstr(note, "fleet.groups[0].servers: expected a whole number") != NULL, "%s",
                  note);
    // The first that is chosen is refused by its labels.
    const bool chosen[8] = {[0] = true, [7] = true};
    struct err err = {0};
    ck_assert_int_eq(survey_refuse(place.survey, POINTDIR_FOREIGN, NULL, &err), 0);
    ck_assert_int_eq(survey_refuse(place.survey, POINTDIR_WRONG, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, " (at rate=1000qps,size=-9,"));
    ck_assert_int_eq(survey_refuse(place.survey, POINTDIR_WRONG, chosen, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, " (at rate=3000qps,size=-9,"));
    ck_assert_ptr_nonnull(strstr(err.text, "expected a whole number"));
    close_place(&place);
}
END_TEST

// What a point sets is wrong where the sweep's value is written, or on the command line.
START_TEST(where_a_point_is_wrong)
{
    struct place place;
    struct err err = {0};
    char *swept = mem_strdup(text);
    memcpy(strstr(swept, "9]"), "-]", 2);
    open_place(&place, swept, NULL, NULL);
    ck_assert_ptr_null(survey_study(place.survey, 1, &err));
    ck_assert_msg(strncmp(err.text, "s.yaml:7:62: fleet.groups[0].servers: ", 38) == 0, "%s",
                  err.text);
    close_place(&place);
    open_place(&place, text, "sweep[1].values=[4, -9]", NULL);
    ck_assert_ptr_null(survey_study(place.survey, 1, &err));
    ck_assert_int_eq(strncmp(err.text, "--set fleet.groups[0].servers=\"-9\": ", 36), 0);
    close_place(&place);
    mem_free(swept);
}
END_TEST

// A mistake in the sweep itself leaves nothing to survey.
START_TEST(bad_sweep)
{
    struct err err = {0};
    const char *bad = "sweep: []\n";
    const struct survey_source source = {
        .path = "s.yaml", .text = mem_strdup(bad), .size = strlen(bad)};
    ck_assert_ptr_null(survey_create(&source, &err));
    ck_assert_str_eq(err.text, "s.yaml:1:8: sweep: empty; expected at least one axis");
    survey_destroy(NULL);
}
END_TEST

// The text for the record: the file, then what the command line changed, as comments.
START_TEST(written)
{
    const char *settings[] = {"seed=2", "bins=9"};
    char *all = survey_written("a: 1\n", settings, 2), *plain = survey_written("a: 1\n", NULL, 0);
    ck_assert_str_eq(all, "a: 1\n# --set seed=2\n# --set bins=9\n");
    ck_assert_str_eq(plain, "a: 1\n");
    mem_free(all);
    mem_free(plain);
}
END_TEST

// It stays a study when the text ends without a new line and a setting has several.
START_TEST(written_in_lines)
{
    const char *settings[] = {"name=x\n\n y"};
    char *all = survey_written("a: 1", settings, 1), *plain = survey_written("a: 1", NULL, 0);
    ck_assert_str_eq(all, "a: 1\n# --set name=x\n# \n#  y\n");
    ck_assert_str_eq(plain, "a: 1");
    mem_free(all);
    mem_free(plain);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", facts},
        {"errors", replications_of_a_replay},
        {"core", digests},
        {"core", same_digest},
        {"core", parts},
        {"core", places},
        {"core", names},
        {"core", written},
        {"limits", written_in_lines},
        {"errors", wrong_point},
        {"errors", where_a_point_is_wrong},
        {"errors", bad_sweep},
    };
    return suite_run("survey", tests, sizeof tests / sizeof *tests);
}
