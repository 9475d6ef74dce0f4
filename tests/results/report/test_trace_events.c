// SPDX-License-Identifier: Apache-2.0
#include "results/report/trace_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// What is printed of a timeline of one service and group, named `name`; caller free()s.
static char *print(const struct timeline *timeline, const char *name)
{
    struct meta *meta = meta_create(1, 1, 1);
    char *text = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&text, &n);
    meta->services[0].name = mem_strdup(name);
    meta->groups[0].name = mem_strdup("web");
    trace_events_print(file, timeline, meta);
    fclose(file);
    meta_destroy(meta);
    return text;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void assert_in_order(const char *text, const char *const *words)
{
    const char *at = text;
    for (; *words; words++) {
        at = strstr(at, *words);
        ck_assert_msg(at != NULL, "%s is missing, or too early, in %s", *words, text);
    }
}

// ---- core ---------------------------------------------------------------------------------------

// Two requests on one core: the second waits for the first, which the counter says.
START_TEST(core)
{
    struct timeline timeline = {.from_ns = 1000, .to_ns = 9000, .n_cores = 1};
    timeline_put(&timeline, &(struct timeline_slice){1500, 1500, 3750, .part = 0});
    timeline_put(&timeline, &(struct timeline_slice){1500, 3750, 4001, .part = 1});
    timeline_end(&timeline, &(struct timeline_query){.seq = 9, .first_ns = 500, .back_ns = 5000});
    char *text = print(&timeline, "feed");
    assert_in_order(
        text, (const char *const[]){
                  "server 0 (web, cell 0)", "\"core 0\"",
                  "\"ph\":\"C\",\"pid\":0,\"tid\":0,\"name\":\"waiting for a core\",\"ts\":1.000",
                  "\"requests\":0", "\"ts\":1.500,\"args\":{\"requests\":1}",
                  "\"name\":\"feed\",\"cat\":\"core\",\"ts\":1.500,\"dur\":2.250",
                  "\"latency_us\":4.500", "\"ts\":3.750,\"args\":{\"requests\":0}",
                  "\"ts\":3.750,\"dur\":0.251", "\"part\":2", "\"waited_us\":2.250", NULL});
    ck_assert_uint_eq(count(text, "accelerator"), 0);
    free(text);
    timeline_release(&timeline);
}
END_TEST

// What is lost: an instant, the part that ran until then, and nothing of the part that did not.
START_TEST(lost)
{
    struct timeline timeline = {.to_ns = 9000, .n_cores = 1, .n_streams = 1};
    timeline_put(&timeline, &(struct timeline_slice){1500, 1500, 3750, .part = 0});
    timeline_put(&timeline, &(struct timeline_slice){1500, 3750, 4001, .part = 1});
    timeline_end(&timeline, &(struct timeline_query){.back_ns = 2000, .lost = true});
    char *text = print(&timeline, "feed");
    assert_in_order(text, (const char *const[]){"\"ts\":1.500,\"dur\":0.500", "\"cut\":true",
                                                "\"ts\":2.000,\"args\":{\"requests\":0}",
                                                "\"ph\":\"i\"", "\"ts\":2.000", NULL});
    ck_assert_uint_eq(count(text, "\"ph\":\"X\""), 1);
    free(text);
    timeline_release(&timeline);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Nothing happened: names, and that nothing waits. Names are text, whatever they are.
START_TEST(nothing)
{
    struct timeline timeline = {.to_ns = 9000, .n_cores = 2, .n_streams = 1, .has_link = true};
    char *text = print(&timeline, "a\"b\\c\n");
    ck_assert_uint_eq(count(text, "\"ph\":\"C\""), 2);
    ck_assert_uint_eq(count(text, "\"thread_name\""), 4);
    ck_assert_uint_eq(count(text, "\"ph\":\"X\""), 0);
    free(text);
    timeline_put(&timeline, &(struct timeline_slice){1500, 1500, 1500, .part = 0});
    timeline_end(&timeline, &(struct timeline_query){.back_ns = 1500});
    text = print(&timeline, "a\"b\\c\n");
    ck_assert_uint_eq(count(text, "\"a\\\"b\\\\c\\u000a\""), 1);
    ck_assert_uint_eq(count(text, "\"dur\":0.000"), 1);
    free(text);
    timeline_release(&timeline);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", core}, {"core", lost}, {"limits", nothing}};
    return suite_run("trace_events", tests, sizeof tests / sizeof *tests);
}
