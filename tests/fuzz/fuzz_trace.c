// SPDX-License-Identifier: Apache-2.0
// Any bytes as a trace, as a curve, as measured percentiles and as a measured table: parsed under a
// configuration that the first two bytes choose. A trace that comes out must be valid and survive a
// summary, a curve have a finite mean, a table times; an error must have a text of one line.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "study/table_file.h"
#include "traces/daycurve.h"
#include "traces/percentiles.h"
#include "traces/trace_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct err *err)
{
    if (err->code == ERR_NONE || !err->text[0] || strchr(err->text, '\n'))
        abort();
}

static void read_curve(const uint8_t *data, size_t size)
{
    const struct daycurve_config config = {.series = data[1] & 64 ? "2" : "",
                                           .service = "feed",
                                           .time_unit = data[0] % 6,
                                           .separator = data[0] / 6 % 4,
                                           .header = data[0] / 24 % 3,
                                           .gaps = data[0] / 72 % 2};
    struct daycurve curve;
    struct err err = {0};
    if (daycurve_parse("fuzz.csv", (const char *)data + 2, size - 2, &config, &curve, &err)) {
        check_error(&err);
        return;
    }
    if (!isfinite(daycurve_rate_qps(&curve.rates)))
        abort();
    mem_free(curve.rates.v);
}

static void read_percentiles(const uint8_t *data, size_t size)
{
    struct percentiles p;
    struct err err = {0};
    if (percentiles_parse(&p, "fuzz.hgrm", (const char *)data, size, 1e-3, &err) < 0) {
        check_error(&err);
        return;
    }
    for (size_t i = 0; i < p.n; i++)
        if (!isfinite(p.latency_s[i]) || (i > 0 && !(p.quantile[i] > p.quantile[i - 1])))
            abort();
    percentiles_release(&p);
}

// By the whole of it, as a file is; YAML is the business of fuzz_study.
static void read_table(const uint8_t *data, size_t size)
{
    struct table_file file;
    struct err err = {0};
    if (table_file_parse(&file, "fuzz.csv", (const char *)data, size, &err) < 0) {
        check_error(&err);
        return;
    }
    if (cost_table_check(&file.table, NULL) < 0 || !isfinite(file.table.cv) ||
        (file.table.seconds_s.n > 0 && !(cost_table_cpu_s(&file.table, 100, 3) > 0)))
        abort();
    table_file_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[] = "size_items", number[] = "2", none[] = "", stamp[] = "TIMESTAMP",
         whichever[] = "auto";
    if (size < 2)
        return 0;
    read_curve(data, size);
    read_percentiles(data, size);
    read_table(data, size);
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.time_unit = data[0] % 6;
    config.separator = data[0] / 6 % 4;
    config.header = data[0] / 24 % 3;
    config.start = data[0] / 72 % 2;
    config.sort = data[1] & 1;
    config.time_column = data[1] & 2 ? stamp : whichever;
    config.size_column = data[1] & 4    ? name
                         : data[1] & 8  ? none
                         : data[1] & 16 ? number
                                        : whichever;
    config.duration_column = data[1] & 128 ? number : NULL;
    config.time_scale = data[1] & 16 ? 1e6 : 1;
    config.size_scale = data[1] & 32 ? 0.01 : 1;
    struct err err = {0};
    struct trace *trace =
        trace_csv_parse("fuzz.csv", (const char *)data + 2, size - 2, &config, &err);
    if (!trace) {
        check_error(&err);
        return 0;
    }
    struct trace_summary summary;
    if (trace_validate(trace, NULL))
        abort();
    trace_summarise(trace, &summary);
    trace_destroy(trace);
    return 0;
}
