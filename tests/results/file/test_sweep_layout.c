// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_layout.h"

#include <string.h>

#include "results/file/fixture_sweep.h"
#include "results/file/same_artefact.h"
#include "support/suite.h"

// No member of a row is named twice, nor a name in a group, with all there is: axes with numbers
// and without, replications. Not named: what an estimate has beyond value and half-width, and half
// of every point, the other half of which stands in /run; folded rows have places for no number.
START_TEST(rules)
{
    struct sweep_result *p = fixture_sweep();
    struct replications *fold = replications_create(p);
    struct point_axis *axes = point_axes_create(p, &sweep_layout_names);
    struct sweep_layout *layout = sweep_layout_create(axes, p->n_axes, fold);
    same_artefact_layout(sweep_layout_of(layout),
                         REPLICATIONS_PLACE(sizeof(struct summary_service)) * sizeof(struct ci));
    sweep_layout_destroy(layout);
    point_axes_destroy(axes, p->n_axes);
    replications_destroy(fold);
    sweep_result_destroy(p);
}
END_TEST

// Every name that stands in a file is known before the axes get theirs, but those of the axes.
START_TEST(names)
{
    struct sweep_result *p = fixture_sweep();
    struct replications *fold = replications_create(p);
    struct sweep_layout *layout = sweep_layout_create(NULL, 0, fold);
    const char *const others[] = {"policy", "seed", "model", "rate"};
    for (const struct dataset_array *a = sweep_layout_of(layout)->arrays; a->name; a++) {
        for (const struct dataset_view *v = a->views; v->fields; v++) {
            for (const struct data_field *f = v->fields; f->name; f++) {
                char name[128] = "";
                strcat(strcat(name, v->prefix ? v->prefix : ""), f->name);
                ck_assert_msg(dataset_uses_name(&sweep_layout_names, name), "%s", name);
            }
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert(!dataset_uses_name(&sweep_layout_names, others[i]));
    ck_assert(dataset_uses_name(&sweep_layout_names, "folded"));
    sweep_layout_destroy(layout);
    replications_destroy(fold);
    sweep_result_destroy(p);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", rules}, {"core", names}};
    return suite_run("sweep_layout", tests, sizeof tests / sizeof *tests);
}
