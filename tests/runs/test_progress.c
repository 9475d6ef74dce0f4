// SPDX-License-Identifier: Apache-2.0
#include "runs/progress.h"

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
    progress.start_s -= 20; // as if it had started 20 s ago
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
    progress.last_s -= 20;
    progress_update(&progress, 0.6, 5000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 60.0 % done, 0.05 Mqueries/s, 1:20 left\n");
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
    progress.last_s -= 20;
    progress_update(&progress, 0.5, 5000000);
    progress.last_s -= 20;
    progress_stage(&progress, 0.5, "loads", 5000000);
    rewind(out);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 50.0 % done, 3 of 12 points, 0.25 Mqueries/s, 0:20 left\n");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, out));
    ck_assert_str_eq(text, "recfleet: 50.0 % done, loads, 0.25 Mqueries/s, 0:20 left\n");
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
    progress.last_s -= 20;
    progress_update(&progress, 0.5, 5000000);
    progress_update(&progress, 0.75, 6000000); // too early
    progress_end(&progress);
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
    progress_end(&progress);
    ck_assert(!progress.drawn);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", clocks},  {"core", lines_now_and_then},
                                       {"core", goes_on}, {"core", note},
                                       {"core", json},    {"limits", silent}};
    return suite_run("progress", tests, sizeof tests / sizeof *tests);
}
