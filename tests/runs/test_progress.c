// SPDX-License-Identifier: Apache-2.0
#include "runs/progress.h"

#include <math.h>
#include <string.h>

#include "support/suite.h"

// Clocks are minutes and seconds, and hours when there are any.
START_TEST(clocks)
{
    char buf[24];
    ck_assert_str_eq(progress_clock(65.2, buf, sizeof buf), "1:05");
    ck_assert_str_eq(progress_clock(7390, buf, sizeof buf), "2:03:10");
    ck_assert_str_eq(progress_clock(-1, buf, sizeof buf), "0:00");
}
END_TEST

// A log gets a line with the share done once enough time has passed, and none before.
START_TEST(lines_now_and_then)
{
    char text[256] = "";
    FILE *out = tmpfile();
    struct progress progress;
    progress_start(&progress, out);
    progress_update(&progress, 0.1, 5);
    ck_assert_int_eq(ftell(out), 0);
    progress.start_s -= 20;
    progress.pace_s -= 20; // as if it had started 20 s ago
    progress.last_s -= 20;
    progress_update(&progress, 0.25, 5000000);
    progress_update(&progress, 0.26, 5000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 25.0 % done, 0.25 Mqueries/s, 1:00 left\n");
    ck_assert_ptr_null(fgets(text, sizeof text, out));
    fclose(out);
}
END_TEST

// What was done before the start says nothing about the time that the rest takes.
START_TEST(goes_on)
{
    char text[200];
    FILE *out = tmpfile();
    struct progress progress;
    progress_start(&progress, out);
    progress_from(&progress, 0.5, 4000000);
    progress.start_s -= 20;
    progress.pace_s -= 20;
    progress.last_s -= 20;
    progress_update(&progress, 0.6, 5000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 60.0 % done, 0.05 Mqueries/s, 1:20 left\n");
    fclose(out);
}
END_TEST

// Nor does the time in which things were made ready.
START_TEST(made_ready)
{
    char text[200];
    FILE *out = tmpfile();
    struct progress progress;
    progress_start(&progress, out);
    progress.start_s -= 60;
    progress.pace_s -= 60;
    progress.last_s -= 60;
    progress_ready(&progress);
    progress.pace_s -= 2;
    progress_update(&progress, 0.5, 0);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(strstr(text, "50.0 % done"));
    ck_assert_ptr_nonnull(strstr(text, "0:02 left"));
    fclose(out);
}
END_TEST

// What else there is to say stands between the share and the rate.
START_TEST(note)
{
    char text[200];
    FILE *out = tmpfile();
    struct progress progress;
    progress_start(&progress, out);
    progress_note(&progress, "%d of %d points", 3, 12);
    progress.start_s -= 20;
    progress.pace_s -= 20;
    progress.last_s -= 20;
    progress_update(&progress, 0.5, 5000000);
    progress.last_s -= 20;
    struct progress_at at = progress_at_none();
    at.done_frac = 0.5;
    at.n_queries = 5000000;
    strcpy(at.stage, "loads");
    progress_search(&progress, &at);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 50.0 % done, 3 of 12 points, 0.25 Mqueries/s, 0:20 left\n");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 50.0 % done, loads, 0.25 Mqueries/s, 0:20 left\n");
    fclose(out);
}
END_TEST

// p95 so far goes before the rate, with as many decimals as its half-width has a first digit; n/a
// while it is not known, and of a point of a sweep with its number.
START_TEST(p95)
{
    static const struct {
        int64_t point;
        struct ci p95_s;
        const char *text;
    } cases[] = {{-1, {18.6214e-3, 0.42e-3, 20}, "p95 so far 18.6 ± 0.4 ms"},
                 {-1, {18.6214e-3, 0.042e-3, 20}, "p95 so far 18.62 ± 0.04 ms"},
                 {-1, {1.25, 0.031, 20}, "p95 so far 1250 ± 31 ms"},
                 {-1, {4e-3, 0, 20}, "p95 so far 4.000 ± 0.000 ms"},
                 {-1, {NAN, NAN, 0}, "p95 so far n/a"},
                 {-1, {18.6e-3, NAN, 3}, "p95 so far n/a"},
                 {7, {2e-6, 3e-9, 9}, "p95 of point 7 so far 0.002000 ± 0.000003 ms"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200], want[200];
        FILE *out = tmpfile();
        struct progress progress;
        progress_start(&progress, out);
        progress.start_s -= 20;
        progress.pace_s -= 20;
        progress.last_s -= 20;
        progress_p95(&progress, cases[i].point, cases[i].p95_s);
        progress_update(&progress, 0.5, 5000000);
        rewind(out);
        snprintf(want, sizeof want, "recfleet: 50.0 %% done, %s, 0.25 Mqueries/s, 0:20 left\n",
                 cases[i].text);
        ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
        ck_assert_str_eq(text, want);
        fclose(out);
    }
}
END_TEST

// In a bar, which gives way to what is said; what has no room is cut, so that the line never wraps,
// and behind it nothing is left of a longer one.
START_TEST(bar)
{
    char text[400] = "";
    FILE *out = tmpfile();
    struct progress progress;
    progress_start(&progress, out);
    progress.terminal = true; // of 80 columns: a file does not say how many it has
    progress.start_s -= 20;
    progress.pace_s -= 20;
    progress.last_s -= 20;
    progress_p95(&progress, -1, (struct ci){18.6214e-3, 0.42e-3, 20});
    progress_update(&progress, 0.5, 5000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "\r[########.........]  50 %  p95 so far 18.6 ± 0.4 ms  "
                           "0.25 Mqueries/s  0:20 left\033[K");
    ck_assert_uint_eq(strlen(text), 1 + 79 + 1 + 3); // "±" is a byte more than it is columns
    fclose(out);
    out = progress.out = tmpfile();
    progress.last_s -= 20;
    progress_note(&progress, "%s", "a stage that is told at great length, and then some more");
    progress_update(&progress, 0.5, 5000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "\r[#####.....]  50 %  a stage that is told at great length, and then "
                           "some more  p\033[K");
    fclose(out);
}
END_TEST

// What a search is at: which part of it, what it tries, the bracket so far. Time left goes by the
// pace of the kind of work that is under way.
START_TEST(search)
{
    char text[400];
    FILE *out = tmpfile();
    struct progress progress;
    struct progress_at at = progress_at_none();
    progress_start(&progress, out);
    progress.start_s -= 100;
    progress.pace_s -= 100;
    progress.last_s -= 20;
    strcpy(at.stage, "size 3 of 8 (a \"quoted\\ one)");
    at.from_frac = at.done_frac = 0.4;
    at.unit = "servers";
    at.trying = 96;
    at.n_queries = 5000000;
    progress_search(&progress, &at);
    progress.last_s -= 20;
    progress.pace_s -= 20; // of which 20 s were spent on it
    at.done_frac = 0.5;
    at.held = 104;
    at.missed = 88;
    progress_search(&progress, &at);
    progress.json = true;
    progress.last_s -= 20;
    progress_search(&progress, &at);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 40.0 % done, size 3 of 8 (a \"quoted\\ one): trying 96 "
                           "servers, 0.05 Mqueries/s, ? left\n");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 50.0 % done, size 3 of 8 (a \"quoted\\ one): trying 96 "
                           "servers (held 104, missed 88), 0.05 Mqueries/s, 1:40 left\n");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(
        strstr(text, ", \"trying\": 96, \"held\": 104, \"missed\": 88, \"unit\": \"servers\", "
                     "\"stage\": \"size 3 of 8 (a \\\"quoted\\\\ one)\"}\n"));
    fclose(out);
}
END_TEST

// p95 is in JSON as soon as it is known, in seconds.
START_TEST(json_p95)
{
    char text[400];
    FILE *out = tmpfile();
    struct progress progress;
    progress_start_json(&progress, out);
    progress_p95(&progress, -1, ci_none());
    progress.last_s -= 20;
    progress_update(&progress, 0.5, 5000000);
    progress_p95(&progress, 7, (struct ci){18.5e-3, 0.5e-3, 20});
    progress.last_s -= 20;
    progress_update(&progress, 0.6, 6000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_null(strstr(text, "p95"));
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(
        strstr(text, ", \"p95_s\": 0.0185, \"p95_half_95_s\": 0.0005, \"point\": 7}\n"));
    fclose(out);
}
END_TEST

// For scripts: an object a line, from the start to the end, with numbers of the points.
START_TEST(json)
{
    char text[300];
    double t_s, eta_s;
    FILE *out = tmpfile();
    struct progress progress;
    progress_start_json(&progress, out);
    progress_points(&progress, 3, 12);
    progress.start_s -= 20;
    progress.pace_s -= 20;
    progress.last_s -= 20;
    progress_update(&progress, 0.5, 5000000);
    progress_update(&progress, 0.75, 6000000); // too early
    progress_end(&progress, false);
    progress_end(&progress, true);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(strstr(text, "{\"event\": \"start\", \"t_s\": 0.0"));
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_int_eq(sscanf(text,
                            "{\"event\": \"progress\", \"t_s\": %lf, \"done_frac\": 0.500000, "
                            "\"n_queries\": 5000000, \"eta_s\": %lf, \"n_points\": 3",
                            &t_s, &eta_s),
                     2);
    ck_assert(t_s >= 20 && t_s < 30 && eta_s >= 20 && eta_s < 30);
    ck_assert_ptr_nonnull(strstr(text, ", \"of_points\": 12, \"stage\": \"3 of 12 points\"}\n"));
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(strstr(text, "{\"event\": \"end\""));
    ck_assert_ptr_nonnull(strstr(text, "\"done_frac\": 0.750000"));
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_ptr_nonnull(strstr(text, "{\"event\": \"end\""));
    ck_assert_ptr_nonnull(strstr(text, "\"done_frac\": 1.000000")); // nothing was left undone
    ck_assert_ptr_null(fgets(text, sizeof text, out));
    fclose(out);
}
END_TEST

// Without a stream nothing happens.
START_TEST(silent)
{
    struct progress progress;
    progress_start(&progress, NULL);
    progress.last_s -= 20;
    progress_update(&progress, 0.1, 5);
    progress_end(&progress, true);
    ck_assert(!progress.drawn);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", clocks},  {"core", lines_now_and_then},
                                       {"core", goes_on}, {"core", made_ready},
                                       {"core", note},    {"core", p95},
                                       {"core", bar},     {"core", search},
                                       {"core", json},    {"core", json_p95},
                                       {"limits", silent}};
    return suite_run("progress", tests, sizeof tests / sizeof *tests);
}
