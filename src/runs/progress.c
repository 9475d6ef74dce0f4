// SPDX-License-Identifier: Apache-2.0
#include "runs/progress.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/wallclock.h"

#define BAR_EVERY_S 0.2
#define LINE_EVERY_S 10.0
#define JSON_EVERY_S 1.0
#define BAR_WIDTH 30
#define BAR_LEAST 10
#define COLUMNS 80 // of a terminal that does not say

const char *progress_clock(double s, char *buf, size_t size)
{
    long long total = s < 0 || s > 1e9 ? 0 : (long long)(s + 0.5);
    if (total >= 3600)
        snprintf(buf, size, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
    else
        snprintf(buf, size, "%lld:%02lld", total / 60, total % 60);
    return buf;
}

struct progress_at progress_at_none(void)
{
    return (struct progress_at){.trying = NAN, .held = NAN, .missed = NAN};
}

void progress_start(struct progress *progress, FILE *out)
{
    double now = wallclock_s();
    *progress = (struct progress){
        .out = out, .start_s = now, .last_s = now, .pace_s = now, .at = progress_at_none()};
    progress->terminal = out && isatty(fileno(out));
}

// ---- what is said -------------------------------------------------------------------------------

// Adds `before` and the number, "96" or "12300.5", when it is known.
static void add_number(char *buf, size_t size, const char *before, double value)
{
    size_t n = strlen(buf);
    if (isfinite(value))
        snprintf(buf + n, size - n, fabs(value) < 1e6 ? "%s%.6g" : "%s%.0f", before, value);
}

int progress_cut(const char *text, int most)
{
    int n = (int)strnlen(text, (size_t)most);
    while (n > 0 && text[n] && (text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

const char *progress_at_text(const struct progress_at *at, char *buf, size_t size)
{
    char bracket[64] = "";
    snprintf(buf, size, "%s", at->stage);
    add_number(buf, size, *at->stage ? ": trying " : "trying ", at->trying);
    add_number(bracket, sizeof bracket, "held ", at->held);
    add_number(bracket, sizeof bracket, *bracket ? ", missed " : "missed ", at->missed);
    size_t n = strlen(buf);
    if (isfinite(at->trying) && at->unit)
        snprintf(buf + n, size - n, " %s", at->unit);
    n = strlen(buf);
    if (*bracket)
        snprintf(buf + n, size - n, " (%s)", bracket);
    return buf;
}

// "p95 so far 18.6 ± 0.4 ms": as many decimals as the half-width's first digit has.
static void p95_text(const struct progress *progress, char *buf, size_t size)
{
    double value_ms = progress->p95_s.value * 1e3, half_ms = progress->p95_s.half_95 * 1e3;
    int n = progress->p95_point >= 0
                ? snprintf(buf, size, "p95 of point %lld so far ", (long long)progress->p95_point)
                : snprintf(buf, size, "p95 so far ");
    int digits = half_ms > 0 ? -(int)floor(log10(half_ms)) : 3;
    digits = digits < 0 ? 0 : digits > 6 ? 6 : digits;
    if (isfinite(half_ms))
        snprintf(buf + n, size - (size_t)n, "%.*f ± %.*f ms", digits, value_ms, digits, half_ms);
    else
        snprintf(buf + n, size - (size_t)n, "n/a");
}

// As a string of JSON: names are the user's.
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*p);
        else
            fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    fputc('"', out);
}

static void put_member(FILE *out, const char *name, double value)
{
    if (isfinite(value))
        fprintf(out, ", \"%s\": %.9g", name, value);
}

// Of a search, and of the run that it is at.
static void put_details(struct progress *progress)
{
    const struct progress_at *at = &progress->at;
    FILE *out = progress->out;
    put_member(out, "trying", at->trying);
    put_member(out, "held", at->held);
    put_member(out, "missed", at->missed);
    if (at->unit)
        fprintf(out, ", \"unit\": \"%s\"", at->unit);
    if (!progress->says_p95 || !isfinite(progress->p95_s.half_95))
        return;
    put_member(out, "p95_s", progress->p95_s.value);
    put_member(out, "p95_half_95_s", progress->p95_s.half_95);
    if (progress->p95_point >= 0)
        fprintf(out, ", \"point\": %lld", (long long)progress->p95_point);
}

static void print_json(struct progress *progress, const char *event, uint64_t n_queries,
                       double eta_s)
{
    FILE *out = progress->out;
    fprintf(out, "{\"event\": \"%s\", \"t_s\": %.3f, \"done_frac\": %.6f", event,
            wallclock_s() - progress->start_s, progress->done_frac);
    if (n_queries > 0)
        fprintf(out, ", \"n_queries\": %llu", (unsigned long long)n_queries);
    if (eta_s >= 0)
        fprintf(out, ", \"eta_s\": %.1f", eta_s);
    if (progress->of_points > 0)
        fprintf(out, ", \"n_points\": %u, \"of_points\": %u", progress->n_points,
                progress->of_points);
    put_details(progress);
    const char *stage = progress->at.unit ? progress->at.stage : progress->note;
    if (*stage) {
        fputs(", \"stage\": ", out);
        put_string(out, stage);
    }
    fputs("}\n", out);
    fflush(out);
}

void progress_start_json(struct progress *progress, FILE *out)
{
    progress_start(progress, out);
    progress->json = out != NULL;
    progress->terminal = false;
    if (out)
        print_json(progress, "start", 0, -1);
}

// The bar gives way to the text, and what is left of that is cut: a line that wraps would not be
// drawn in place.
static void draw(struct progress *progress, double frac, const char *text)
{
    struct winsize size = {0};
    int columns = ioctl(fileno(progress->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0
                      ? size.ws_col
                      : COLUMNS;
    int length = 0, shown = 0, room;
    for (const char *p = text; *p; p++)
        length += (*p & 0xc0) != 0x80; // of UTF-8, what begins a character
    int width = columns - 11 - length; // "[", "] 100 %  ", and the cursor behind it all
    width = width > BAR_WIDTH ? BAR_WIDTH : width < BAR_LEAST ? BAR_LEAST : width;
    fprintf(progress->out, "\r[");
    for (int i = 0; i < width; i++)
        fputc(i < (int)(frac * width) ? '#' : '.', progress->out);
    room = columns - 11 - width;
    while (text[shown] && (room > 0 || (text[shown] & 0xc0) == 0x80))
        room -= (text[shown++] & 0xc0) != 0x80;
    fprintf(progress->out, "] %3.0f %%  %.*s\033[K", frac * 100, shown, text);
    progress->drawn = true;
}

// What is behind the share, each part with `between` behind it but for the last.
static void join(const struct progress *progress, const char *between, double rate_qps,
                 const char *left, char *buf, size_t size)
{
    char p95[64] = "";
    if (progress->says_p95)
        p95_text(progress, p95, sizeof p95);
    char rate[40] = "";
    if (rate_qps > 0)
        snprintf(rate, sizeof rate, "%.3g Mqueries/s%s", rate_qps * 1e-6, between);
    snprintf(buf, size, "%s%s%s%s%s%s left", progress->note, *progress->note ? between : "", p95,
             *p95 ? between : "", rate, left);
}

void progress_from(struct progress *progress, double done_frac, uint64_t n_queries)
{
    progress->from_frac = done_frac;
    progress->from_queries = n_queries;
}

void progress_ready(struct progress *progress)
{
    progress->pace_s = wallclock_s();
}

void progress_update(struct progress *progress, double done_frac, uint64_t n_queries)
{
    if (!progress->out)
        return;
    double now = wallclock_s(), spent_s = now - progress->start_s;
    double pace_s = now - progress->pace_s;
    double frac = done_frac < 0 ? 0 : done_frac > 1 ? 1 : done_frac, from = progress->from_frac;
    double every_s = progress->terminal ? BAR_EVERY_S
                     : progress->json   ? JSON_EVERY_S
                                        : LINE_EVERY_S;
    progress->done_frac = frac;
    if (now - progress->last_s < every_s)
        return;
    progress->last_s = now;
    double left_s = frac > from ? pace_s * (1 - frac) / (frac - from) : -1;
    if (progress->json) {
        print_json(progress, "progress", n_queries, left_s);
        return;
    }
    char left[24] = "?", text[4 * PROGRESS_STAGE];
    if (left_s >= 0)
        progress_clock(left_s, left, sizeof left);
    double rate_qps = (double)(n_queries - progress->from_queries) / spent_s;
    join(progress, progress->terminal ? "  " : ", ", rate_qps, left, text, sizeof text);
    if (progress->terminal)
        draw(progress, frac, text);
    else
        fprintf(progress->out, "recfleet: %.1f %% done, %s\n", frac * 100, text);
    fflush(progress->out);
}

void progress_p95(struct progress *progress, int64_t point, struct ci p95_s)
{
    progress->says_p95 = true;
    progress->p95_point = point;
    progress->p95_s = p95_s;
}

void progress_no_p95(struct progress *progress)
{
    progress->says_p95 = false;
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

void progress_search(void *user, const struct progress_at *at)
{
    struct progress *progress = user;
    char text[sizeof progress->note];
    if (at->from_frac != progress->from_frac) { // another kind of work has another pace
        progress->from_frac = at->from_frac;
        progress->pace_s = wallclock_s();
    }
    progress->at = *at;
    progress_note(progress, "%s", progress_at_text(at, text, sizeof text));
    progress_update(progress, at->done_frac, at->n_queries);
}

void progress_end(struct progress *progress, bool is_whole)
{
    if (is_whole)
        progress->done_frac = 1;
    if (progress->json)
        print_json(progress, "end", 0, -1);
    else if (progress->out && progress->drawn)
        fprintf(progress->out, "\r\033[K");
}
