// SPDX-License-Identifier: Apache-2.0
#include "runs/progress.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/wallclock.h"

#define BAR_EVERY_S 0.2
#define LINE_EVERY_S 10.0
#define JSON_EVERY_S 1.0
#define BAR_WIDTH 30

const char *progress_clock(double s, char *buf, size_t size)
{
    long long total = s < 0 || s > 1e9 ? 0 : (long long)(s + 0.5);
    if (total >= 3600)
        snprintf(buf, size, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
    else
        snprintf(buf, size, "%lld:%02lld", total / 60, total % 60);
    return buf;
}

void progress_start(struct progress *progress, FILE *out)
{
    double now = wallclock_s();
    *progress = (struct progress){.out = out, .start_s = now, .last_s = now};
    progress->terminal = out && isatty(fileno(out));
}

static void print_json(struct progress *progress, const char *event, uint64_t n_queries,
                       double eta_s)
{
    fprintf(progress->out, "{\"event\": \"%s\", \"t_s\": %.3f, \"done_frac\": %.6f", event,
            wallclock_s() - progress->start_s, progress->done_frac);
    if (n_queries > 0)
        fprintf(progress->out, ", \"n_queries\": %llu", (unsigned long long)n_queries);
    if (eta_s >= 0)
        fprintf(progress->out, ", \"eta_s\": %.1f", eta_s);
    if (progress->of_points > 0)
        fprintf(progress->out, ", \"n_points\": %u, \"of_points\": %u", progress->n_points,
                progress->of_points);
    if (*progress->note)
        fprintf(progress->out, ", \"stage\": \"%s\"", progress->note);
    fputs("}\n", progress->out);
    fflush(progress->out);
}

void progress_start_json(struct progress *progress, FILE *out)
{
    progress_start(progress, out);
    progress->json = out != NULL;
    progress->terminal = false;
    if (out)
        print_json(progress, "start", 0, -1);
}

static void draw(struct progress *progress, double frac, const char *left, double rate_qps)
{
    int full = (int)(frac * BAR_WIDTH);
    fprintf(progress->out, "\r[");
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < full ? '#' : '.', progress->out);
    fprintf(progress->out, "] %3.0f %%  ", frac * 100);
    if (*progress->note)
        fprintf(progress->out, "%s  ", progress->note);
    fprintf(progress->out, "%.3g Mqueries/s  %s left  ", rate_qps * 1e-6, left);
    progress->drawn = true;
}

void progress_from(struct progress *progress, double done_frac, uint64_t n_queries)
{
    progress->from_frac = done_frac;
    progress->from_queries = n_queries;
}

void progress_update(struct progress *progress, double done_frac, uint64_t n_queries)
{
    if (!progress->out)
        return;
    double now = wallclock_s(), spent_s = now - progress->start_s;
    double frac = done_frac < 0 ? 0 : done_frac > 1 ? 1 : done_frac, from = progress->from_frac;
    double every_s = progress->terminal ? BAR_EVERY_S
                     : progress->json   ? JSON_EVERY_S
                                        : LINE_EVERY_S;
    progress->done_frac = frac;
    if (now - progress->last_s < every_s)
        return;
    progress->last_s = now;
    if (progress->json) {
        print_json(progress, "progress", n_queries,
                   frac > from ? spent_s * (1 - frac) / (frac - from) : -1);
        return;
    }
    char left[24];
    if (frac > from)
        progress_clock(spent_s * (1 - frac) / (frac - from), left, sizeof left);
    else
        snprintf(left, sizeof left, "?");
    double rate_qps = (double)(n_queries - progress->from_queries) / spent_s;
    if (progress->terminal)
        draw(progress, frac, left, rate_qps);
    else
        fprintf(progress->out, "recfleet: %.1f %% done, %s%s%.3g Mqueries/s, %s left\n", frac * 100,
                progress->note, *progress->note ? ", " : "", rate_qps * 1e-6, left);
    fflush(progress->out);
}

void progress_note(struct progress *progress, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(progress->note, sizeof progress->note, fmt, args);
    va_end(args);
}

void progress_points(struct progress *progress, uint32_t n_points, uint32_t of_points)
{
    progress_note(progress, "%u of %u points", n_points, of_points);
    progress->n_points = n_points;
    progress->of_points = of_points;
}

void progress_stage(void *user, double done_frac, const char *stage, uint64_t n_queries)
{
    progress_note(user, "%s", stage);
    progress_update(user, done_frac, n_queries);
}

void progress_end(struct progress *progress)
{
    if (progress->json)
        print_json(progress, "end", 0, -1);
    else if (progress->out && progress->drawn)
        fprintf(progress->out, "\r\033[K");
}
