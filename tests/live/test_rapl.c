// SPDX-License-Identifier: Apache-2.0
#include "live/rapl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "support/suite.h"

// A folder that looks like the kernel's.
static void put(const char *folder, const char *zone, const char *file, const char *text)
{
    char *path = mem_printf("%s/%s", folder, zone);
    mkdir(path, 0777);
    mem_free(path);
    path = mem_printf("%s/%s/%s", folder, zone, file);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
    mem_free(path);
}

static void put_zone(const char *folder, const char *zone, const char *name, const char *energy_uj)
{
    put(folder, zone, "name", name);
    put(folder, zone, "energy_uj", energy_uj);
    put(folder, zone, "max_energy_range_uj", "1000000\n");
}

// Packages and memory add up, other zones and what is no zone do not, and a counter that began anew
// is no loss.
START_TEST(adds_up)
{
    char folder[] = "/tmp/rapl-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    put_zone(folder, "intel-rapl:0", "package-0\n", "500000\n");
    put_zone(folder, "intel-rapl:0:0", "core\n", "100\n");
    put_zone(folder, "intel-rapl:0:1", "dram\n", "900000\n");
    put_zone(folder, "intel-rapl", "package-9\n", "0\n");
    struct rapl *rapl = rapl_open(folder, NULL);
    ck_assert_ptr_nonnull(rapl);
    ck_assert_double_eq(rapl_read_j(rapl), 0);
    put_zone(folder, "intel-rapl:0", "package-0\n", "750000\n");
    put_zone(folder, "intel-rapl:0:0", "core\n", "900000\n");
    put_zone(folder, "intel-rapl:0:1", "dram\n", "100000\n"); // 200000 since, through its end
    ck_assert_double_eq_tol(rapl_read_j(rapl), 0.45, 1e-9);
    ck_assert_double_eq_tol(rapl_read_j(rapl), 0.45, 1e-9);
    rapl_close(rapl);
}
END_TEST

// Nothing to close is no mistake.
START_TEST(null_has_no_effect)
{
    rapl_close(NULL);
}
END_TEST

// Where there is no counter, or none that tells, the reason is said.
START_TEST(says_why_not)
{
    char folder[] = "/tmp/rapl-XXXXXX";
    struct err err = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_ptr_null(rapl_open("/nowhere/at/all", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
    ck_assert_ptr_null(rapl_open(folder, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "there are none"));
    put(folder, "intel-rapl:0", "name", "package-0\n");
    ck_assert_ptr_null(rapl_open(folder, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be read: No such file"));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", adds_up},
        {"limits", null_has_no_effect},
        {"errors", says_why_not},
    };
    return suite_run("rapl", tests, sizeof tests / sizeof *tests);
}
