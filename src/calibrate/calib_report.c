// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "calibrate/calib_fit.h"
#include "models/cost.h"

static const char *const head =
    "# Calibration: what was fitted, to what, with what error\n\n"
    "This page is written by `scripts/calibrate.sh` from `models/calibration/*.csv` and the "
    "catalogue, with the program's own cost code (`rf_calibrate --report`, `--holdout`). "
    "`rf_calibrate --fit` fits again and prints the values.\n\n"
    "The roofline's parameters are fitted to times of single requests and to shares of operators. "
    "Nothing is fitted to a result of scheduling. Tuned gains were never looked at while choosing "
    "between fits: every fit that was tried is named below with the gain that it leads to. But a "
    "proxy of the gain, t(25)/25 over t(256)/256, was printed next to the fits while they were "
    "made, and two forms (spilled writes counted twice, half of the time of a gathered row with "
    "the clock) were chosen partly by the hold-out, which is therefore not wholly blind. The "
    "slow-down tables were compared, and the two fractions they bear on were guessed; nothing "
    "else was set by them.\n\n";

static const char *const method =
    "Weighted least squares, GSL's Levenberg-Marquardt. With r = error over its bar, the residual "
    "is r (1 + 4 r^2), so that points near their bar weigh more; the speed-up, which has the "
    "points with the worst scatter, is pulled to 17 %. Each key also has a prior with a spread of "
    "a factor of 1.3 to 2.7. One spread off costs 0.09 where a point at its bar costs 25, so a "
    "prior only keeps a key in place that the data do not know.\n\n"
    "Derived, not fitted: `skylake` from `c5n` by clock (2 to 3 GHz) for what a core does, with "
    "memory kept, and half of the time of a gathered row by clock, half not; `fc_half_items` is "
    "its own. `broadwell` in the same way at 2.4 GHz with vectors half as wide, no data at all; "
    "`gtx1080ti` from `t4` by data-sheet peaks (11.3 to 8.1 TFLOP/s) and bandwidths (484 to 320 "
    "GB/s), but for two keys. `fc_peak` of `c5n` is 3.4 GHz times 64 operations. Times of the "
    "reference hold the conversion of Python lists: `input_conversion` is 62 ns at 3 GHz and "
    "scales with the clock, so it is 93 ns on the Skylake. It is off unless a study turns it on; "
    "with it goes the hand-over of each tensor by the host (`input_fixed` of the CPU), which is "
    "the same whether a request stays on the CPU or is loaded.\n\n";

static const char *const guesses =
    "## Guessed\n\n"
    "- `fc_contention_frac` 0.6 and `gather_contention_frac` 0.3, one value for all CPUs. The "
    "second is near what RecPipe's logs show; the first rests on a recollection of HPCA 2020.\n"
    "- A socket gives 80 % of its channels to sequential bytes and 55 % to random rows. Six "
    "channels for the Skylake (microway.com), four for the Broadwell; the paper's table is "
    "recalled with 85 GB/s for the Skylake, which is four channels' worth.\n"
    "- The Xeon of the RecPipe logs is not named; it is compared with `skylake`. Its busy cores "
    "are derived from rate and mean time.\n"
    "- The GTX 1080 Ti's host is taken to be the Skylake, the T4's to be like `c5n`.\n"
    "- **Broadwell is not calibrated.** No public single-request data of it was found: all of its "
    "values are rules and guesses, and what follows from them decides nothing.\n\n"
    "## Doubts about the data\n\n"
    "- `models/run.sh` of harvard-acc/DeepRecSys runs NCF's configuration with `wide_and_deep.py` "
    "and DIEN's with `din.py`. NCF's public loading times do hold 512 dense features that `ncf.py` "
    "never feeds; if the network was that one too, its layers are twice ours and our narrow layers "
    "are too slow. Operator shares of RMC1, RMC2 and DIN say the same of narrow layers, though. "
    "The speed-up plotted for DIEN is far from the other data at large batches; we do not follow "
    "it.\n"
    "- NCF's plotted speed-up jumps from 0.37 at 16 items to 0.95 at 64, which no smooth time can "
    "follow; the two points are among our worst, one above and one below.\n"
    "- Between 10 and 50 items the c5n core is flatter than a straight line: WnD and MT-WnD are "
    "about 20 % off there.\n"
    "- A fixed time per gathered row is not in the cost: the GTX 1080 Ti's shares of RMC1 (rows of "
    "128 bytes) and the T4's times of RMC2 (256 bytes) ask for gather bandwidths a factor of two "
    "apart.\n\n";

static const char *const fits_words =
    "## Every fit that was tried\n\n"
    "The gain is that of DeepRecSched over static on the 40-core Skylake at the medium target, for "
    "the eight models as the repository configures them (`scripts/calibrate_gains.py`, accuracy 3 "
    "%); the paper has 2.1 for its own shapes. It is here so that a reader sees what a choice of "
    "fit does to it. The first fit was taken for the bars that it meets in sample and held out, "
    "before any gain of it was tuned. `before` is the calibration until 0.2.0, a choice of which "
    "was made when a gain had been seen. `tables` is no fit: the measured times of `zen5-2core`, "
    "on 40 such cores without contention.\n\n";

static const char *const prototypes =
    "Forms of the cost that were tried on the way to this one, and not kept; no program has them, "
    "so no gain was tuned. Instead the mean over the eight models of what a gain comes from, "
    "t(25)/25 over t(256)/256 with 40 busy cores (1.88 for the form and fit taken, in the same "
    "prototype):\n\n"
    "| form | that ratio | why not |\n|---|---|---|\n"
    "| all activations of a batch as one working set, attention at `activation_bandwidth` | 1.79 | "
    "the form before; `din-repo` 2.4 off its table |\n"
    "| a half-batch of 8 items for attention, as before | 1.92 | decision ratio of DIEN 26 % off: "
    "a layer over 40 steps is filled by one item |\n"
    "| weights read from the L3 even where the L2 holds them | 1.85 | `fc_fixed` goes to 0, "
    "`din-repo` 2.5 off |\n"
    "| weights and arithmetic overlap, by the root of the sum of squares | 1.93 | no bar gains, "
    "one constant more |\n"
    "| all fixed times of the Skylake longer by a factor of its own (2.5) | 2.01 | DIEN's speed-up "
    "at 1 item 65 % off |\n"
    "| the same and `fc_peak` of c5n free | 2.03 | 243 GFLOP/s, more than the core has |\n"
    "| spilled writes counted once | 1.88 | held out, the worst point of c5n is 47 % off |\n";

struct bar {
    const char *label, *hardware;
    enum calib_kind kind;
    double median, worst; // 0: none is set
};

static const struct bar bars[] = {
    {"c5n, computing", "c5n", CALIB_COMPUTE, CALIB_LATENCY_MEDIAN, CALIB_LATENCY_WORST},
    {"c5n, loading", "c5n", CALIB_LOAD, CALIB_LATENCY_MEDIAN, CALIB_LATENCY_WORST},
    {"T4, computing", "t4", CALIB_COMPUTE, CALIB_LATENCY_MEDIAN, CALIB_LATENCY_WORST},
    {"T4, loading", "t4", CALIB_LOAD, CALIB_LATENCY_MEDIAN, CALIB_LATENCY_WORST},
    {"operator shares, Skylake, points", "skylake", CALIB_SHARE, 0, CALIB_SHARE_WORST_PCT},
    {"the same at 1 item", "skylake", CALIB_LONE_SHARE, 0, CALIB_LONE_SHARE_WORST_PCT},
    {"operator shares, GTX 1080 Ti, points", "gtx1080ti", CALIB_SHARE, 0, CALIB_SHARE_WORST_PCT},
    {"the same at 1 item", "gtx1080ti", CALIB_LONE_SHARE, 0, CALIB_LONE_SHARE_WORST_PCT},
    {"speed-up, GTX 1080 Ti over Skylake", "gtx1080ti", CALIB_SPEEDUP, 0, CALIB_SPEEDUP_WORST},
    {"decision ratio of c5n", CALIB_CORE, CALIB_DECISION, CALIB_DECISION_MEDIAN,
     CALIB_DECISION_WORST},
    {"slow-down by busy cores", "skylake", CALIB_SLOWDOWN, 0, 0},
};

static bool is_share(enum calib_kind kind)
{
    return kind == CALIB_SHARE || kind == CALIB_LONE_SHARE;
}

static void summary(FILE *out, const struct calib *calib)
{
    fputs("## Accuracy of the fit\n\nErrors are |ours / theirs - 1| in %, for shares percentage "
          "points.\n\n| what | points | median | bar | worst | bar |\n|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++) {
        const struct bar *bar = &bars[i];
        double unit = is_share(bar->kind) ? 1 : 100;
        struct calib_error error = calib_error(calib, bar->kind, bar->hardware);
        fprintf(out, "| %s | %zu | %.1f | ", bar->label, error.n, unit * error.median);
        if (bar->median > 0)
            fprintf(out, "%.0f", unit * bar->median);
        fprintf(out, " | %.1f | ", unit * error.worst);
        if (bar->worst > 0)
            fprintf(out, "%.0f", unit * bar->worst);
        fputs(" |\n", out);
    }
    fputs("\n", out);
}

static void parameters(FILE *out, const struct calib *calib, const struct library *library)
{
    const struct calib_fit *fit = &calib_fits[0];
    const struct calib_key *key;
    size_t n_keys = 0, points = 0;
    while (calib_fit_key(fit, n_keys))
        n_keys++;
    for (size_t i = 0; i < calib->n_points; i++)
        points += calib_fit_counts(fit, &calib->points[i]);
    fprintf(out,
            "## How it was fitted\n\n%zu parameters for %zu points: computing and loading times "
            "of c5n and the T4, operator shares of the Skylake and the GTX 1080 Ti that are "
            "derived from them, the speed-up of one over the other, and c5n's decision "
            "ratios.\n\n%s",
            n_keys, points, method);
    fputs("Values in SI units, as they are in the catalogue (rounded to three digits); a prior "
          "`x key` is a multiple of that key of the same hardware.\n\n"
          "| hardware | key | value | prior | the prior's source |\n|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; (key = calib_fit_key(fit, i)); i++) {
        fprintf(out, "| `%s` | `%s` | %.3g | %.3g", key->hardware, key->key,
                *calib_value(library, key->hardware, key->key), key->prior);
        if (key->like)
            fprintf(out, " `%s`", key->like);
        fprintf(out, " | %s |\n", key->source);
    }
    fputs("\n", out);
}

static bool starts_row(const struct calib *calib, size_t i)
{
    const struct calib_point *a = &calib->points[i], *b = i ? a - 1 : NULL;
    return !b || strcmp(a->model, b->model) != 0 || strcmp(a->hardware, b->hardware) != 0 ||
           (a->kind == CALIB_SLOWDOWN && a->items != b->items);
}

// The next point of the kind, or NULL.
static const struct calib_point *next_of(const struct calib *calib, enum calib_kind kind, size_t *i)
{
    while (*i < calib->n_points && calib->points[*i].kind != kind)
        ++*i;
    return *i < calib->n_points ? &calib->points[(*i)++] : NULL;
}

void calib_report_series(FILE *out, const struct calib *calib, enum calib_kind kind, double unit,
                         const char *title, const char *header)
{
    const struct calib_point *before = NULL, *point;
    fprintf(out, "### %s\n\n%s", title, header);
    for (size_t i = 0; (point = next_of(calib, kind, &i)); before = point) {
        if (!before || strcmp(before->model, point->model) != 0 ||
            strcmp(before->hardware, point->hardware) != 0)
            fprintf(out, "%s| %s | `%s` |", before ? "\n" : "", point->hardware, point->model);
        fprintf(out, " %.3g / %.3g | %+.0f |", point->ours * unit, point->theirs * unit,
                100 * calib_point_error(point));
    }
    fputs("\n\n", out);
}

static void shares(FILE *out, const struct calib *calib)
{
    fputs("### Operator shares\n\nours / theirs, %. At 1 item the bar is wider.\n\n"
          "| hardware | model | items |",
          out);
    for (int i = 0; i < N_OPERATORS; i++)
        fprintf(out, " %s |", calib_operator_names[i]);
    fputs(" worst, points |\n|---|---|---|---|---|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < calib->n_points; i++) {
        const struct calib_point *point = &calib->points[i];
        if (!is_share(point->kind) || point->op != OPERATOR_FC)
            continue;
        double worst = 0;
        fprintf(out, "| %s | `%s` | %u |", point->hardware, point->model, point->items);
        for (int k = 0; k < N_OPERATORS; k++) {
            fprintf(out, " %.1f / %.1f |", point[k].ours, point[k].theirs);
            worst = fmax(worst, fabs(calib_point_error(&point[k])));
        }
        fprintf(out, " %.1f |\n", worst);
    }
    fputs("\n", out);
}

static void slowdowns(FILE *out, const struct calib *calib)
{
    fputs(
        "### Slow-down by busy cores\n\nMean time over that of the least busy row. Not fitted.\n\n"
        "| model | items | busy cores | ours | theirs | error, % |\n|---|---|---|---|---|---|\n",
        out);
    const struct calib_point *first = NULL;
    for (size_t i = 0; i < calib->n_points; i++) {
        const struct calib_point *point = &calib->points[i];
        if (point->kind != CALIB_SLOWDOWN)
            continue;
        if (starts_row(calib, i))
            first = point;
        fprintf(out, "| %s | %u | %u | %.2f | %.2f | %+.0f |\n", point->model, point->items,
                point->busy_cores, point->ours / first->ours, point->theirs / first->theirs,
                100 * calib_point_error(point));
    }
    fputs("\n", out);
}

static double stretch(const struct library *library, const char *platform, const char *model,
                      uint32_t busy_cores)
{
    const struct cost_config config = {.kind = cost_type_find("roofline")};
    struct cost *cost = cost_create(&config, library_model(library, model),
                                    library_platform(library, platform), NULL);
    double ratio = cost_cpu_s(cost, 64, busy_cores) / cost_cpu_s(cost, 64, 1);
    cost_destroy(cost);
    return ratio;
}

static void contention(FILE *out, const struct library *library)
{
    static const char *const models[] = {"rmc1",  "rmc2", "rmc3", "wnd",
                                         "mtwnd", "ncf",  "din",  "dien"};
    fputs(
        "### Skylake and Broadwell\n\nTime of 64 items at n busy cores over time alone. Both CPUs "
        "have the same two contention fractions; what differs is L2, L3, inclusion, channels and "
        "cores, by the equations of models/cost_roofline.h. HPCA 2020 is recalled with 1.3 / 2.6 / "
        "1.6 for RMC1 / 2 / 3 with eight jobs on one Broadwell socket, which is the first column "
        "of Broadwell here.\n\n"
        "| model | Broadwell, 16 | 28 | Skylake, 16 | 28 | 40 |\n|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        fprintf(out, "| `%s` | %.2f | %.2f | %.2f | %.2f | %.2f |\n", models[i],
                stretch(library, "broadwell", models[i], 16),
                stretch(library, "broadwell", models[i], 28),
                stretch(library, "skylake", models[i], 16),
                stretch(library, "skylake", models[i], 28),
                stretch(library, "skylake", models[i], 40));
    fputs("\n", out);
}

// Rows of a CSV file of ours as a table; lines that begin with # are its sources.
static int csv_table(FILE *out, const char *folder, const char *name, struct err *err)
{
    char path[512], line[512];
    bool header = true;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    if (!in)
        return err_set(err, ERR_FAIL, "%s: cannot be read", path);
    while (fgets(line, sizeof line, in)) {
        size_t columns = 0;
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\r\n")] = 0;
        for (char *rest = line; rest; columns++)
            fprintf(out, "| %s ", strsep(&rest, ","));
        fputs("|\n", out);
        for (; header && columns > 0; columns--)
            fputs(columns > 1 ? "|---" : "|---|\n", out);
        header = false;
    }
    fclose(in);
    fputs("\n", out);
    return 0;
}

int calib_report(FILE *out, const struct calib *calib, const struct library *library,
                 const char *folder, struct err *err)
{
    static const char *const items8 =
        "| hardware | model | 10 | % | 50 | % | 100 | % | 200 | % | 400 | % | 600 | % | 800 | % | "
        "1000 | % |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    fputs(head, out);
    summary(out, calib);
    parameters(out, calib, library);
    fputs("## Residuals\n\nours / theirs, and the error in %, by items.\n\n", out);
    calib_report_series(out, calib, CALIB_COMPUTE, 1e3, "Computing, ms", items8);
    calib_report_series(out, calib, CALIB_LOAD, 1e3, "Loading, ms, input conversion on", items8);
    shares(out, calib);
    calib_report_series(
        out, calib, CALIB_SPEEDUP, 1, "Speed-up over Skylake, input conversion on both sides",
        "The bar holds for WnD, MT-WnD, RMC3 and NCF.\n\n"
        "| hardware | model | 1 | % | 4 | % | 16 | % | 64 | % | 256 | % | 1024 | % |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    calib_report_series(out, calib, CALIB_DECISION, 1, "Decision ratio, (t(25)/25) / (t(256)/256)",
                        "| hardware | model | ours / theirs | % |\n|---|---|---|---|\n");
    slowdowns(out, calib);
    contention(out, library);
    fputs(guesses, out);
    fputs(fits_words, out);
    if (csv_table(out, folder, "fits.csv", err) != 0)
        return -1;
    fputs(prototypes, out);
    fputs("\n", out);
    return 0;
}
