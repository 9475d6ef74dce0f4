// SPDX-License-Identifier: Apache-2.0
// live_fixture: what the tests of src/live have in common: a study of one server, and its plan.
//
// 200 ms, two cores, queries of 40 items at 1000 a second in requests of 16 at most, which take
// 20 us and 1 us an item, with no delays; no warm-up, ten bins. So a query is three requests, 36 +
// 36 + 28 us, and the server is a twentieth busy.
#ifndef TESTS_LIVE_FIXTURE_H
#define TESTS_LIVE_FIXTURE_H

#include "base/err.h"
#include "live/live_log.h"
#include "study/study.h"

// With up to three settings ("key.path=value", NULL: none). Caller study_destroy()s.
struct study *live_fixture_study(const char *a, const char *b, const char *c);
// Its plan, which must be one. Caller live_plan_destroy()s.
struct live_plan *live_fixture_plan(const struct study *study);

// A log in which every query is one request of all its items on worker 0, begun as it came and
// as long as given, but not before the one before has ended.
struct live_log *live_fixture_log(const struct live_plan *plan, int64_t service_ns);

// Every query of the log has one fate, and those that ended have times in order.
void live_fixture_check(const struct live_log *log);

#endif
