// SPDX-License-Identifier: Apache-2.0
#include "cluster/view.h"

#include "base/mem.h"

enum { MIN_SLOTS_LOG2 = 6, MAX_SLOTS_LOG2 = 17, NEWS_PER_SLOT = 2 };

// Width: a couple of news per slot. Number: enough slots for the usual delay, within limits; news
// further ahead than one turn of the wheel just stay in their slot for another turn.
static void size_wheel(struct view *view, const struct view_config *config)
{
    double width_ns = config->reports_per_ns > 0 ? NEWS_PER_SLOT / config->reports_per_ns : 1e6;
    view->slot_shift = 0;
    while (view->slot_shift < 40 && (double)(INT64_C(2) << view->slot_shift) <= width_ns)
        view->slot_shift++;
    uint32_t log2 = MIN_SLOTS_LOG2;
    while (log2 < MAX_SLOTS_LOG2 && (INT64_C(1) << (log2 + view->slot_shift)) < config->horizon_ns)
        log2++;
    view->slot_mask = (UINT64_C(1) << log2) - 1;
    view->slots = mem_calloc(view->slot_mask + 1, sizeof *view->slots);
}

struct view *view_create(const struct view_config *config)
{
    struct view *view = mem_calloc(1, sizeof *view);
    view->n_servers = config->n_servers;
    view->load = mem_calloc(config->n_servers, sizeof *view->load);
    view->status_delay_ns = config->status_delay_ns;
    view->report_period_ns = config->report_period_ns;
    size_wheel(view, config);
    return view;
}

void view_destroy(struct view *view)
{
    if (!view)
        return;
    mem_free(view->load);
    mem_free(view->slots);
    mem_free(view->news);
    mem_free(view);
}

static uint32_t take_news(struct view *view)
{
    uint32_t handle = view->free_news;
    if (handle) {
        view->free_news = view->news[handle - 1].next;
        return handle;
    }
    if (view->n_news == view->news_cap) {
        view->news_cap = view->news_cap ? 2 * view->news_cap : 256;
        view->news = mem_realloc(view->news, view->news_cap, sizeof *view->news);
    }
    return (uint32_t)++view->n_news;
}

static int64_t heard_ns(const struct view *view, int64_t end_ns)
{
    int64_t period = view->report_period_ns;
    if (period > 0)
        end_ns = (end_ns + period - 1) / period * period;
    return end_ns + view->status_delay_ns;
}

void view_report(struct view *view, const struct report *report)
{
    uint32_t handle = take_news(view);
    struct view_news *news = &view->news[handle - 1];
    news->heard_ns = heard_ns(view, report->end_ns);
    news->weight = report->weight;
    news->server = report->server;
    uint32_t *slot = &view->slots[((uint64_t)news->heard_ns >> view->slot_shift) & view->slot_mask];
    news->next = *slot;
    *slot = handle;
}

static void drain_slot(struct view *view, uint32_t *link, int64_t t_ns)
{
    while (*link) {
        uint32_t handle = *link;
        struct view_news *news = &view->news[handle - 1];
        if (news->heard_ns > t_ns) {
            link = &news->next;
            continue;
        }
        view->load[news->server] -= news->weight;
        *link = news->next;
        news->next = view->free_news;
        view->free_news = handle;
    }
}

void view_advance(struct view *view, int64_t t_ns)
{
    uint64_t slot = (uint64_t)view->now_ns >> view->slot_shift;
    uint64_t last = (uint64_t)t_ns >> view->slot_shift;
    if (last - slot > view->slot_mask)
        slot = last - view->slot_mask; // one whole turn sees every slot
    for (; slot <= last; slot++)
        drain_slot(view, &view->slots[slot & view->slot_mask], t_ns);
    view->now_ns = t_ns;
}
