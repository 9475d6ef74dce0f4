// SPDX-License-Identifier: Apache-2.0
#include "models/datasheet.h"

#include "base/mem.h"

#define FLOP_PER_CYCLE 32
#define NARROW_FRAC 0.29
#define STREAM_FRAC 0.8
#define GATHER_FRAC 0.55

const struct field datasheet_fields[] = {
    FIELD(datasheet, "peak", FIELD_REAL, UNIT_FLOPS, peak_flops, 0, 1e18, "0",
          "data sheet: fp32 rate of all cores; 0: by clock"),
    FIELD(datasheet, "memory_bandwidth", FIELD_REAL, UNIT_BW, memory_bandwidth, 0, 1e18, "0",
          "data sheet: of all sockets; given, the rest has provisional defaults"),
    FIELD_END};

static void set_text(char **text, const char *value)
{
    mem_free(*text);
    *text = mem_strdup(value);
}

int datasheet_derive(const struct datasheet *sheet, struct platform *platform, struct err *err)
{
    double cores = (double)platform->cores;
    double sockets = platform->sockets > 1 ? (double)platform->sockets : 1;
    double socket_bw = sheet->memory_bandwidth / sockets;
    double peak_flops =
        sheet->peak_flops > 0 ? sheet->peak_flops / cores : platform->clock_hz * FLOP_PER_CYCLE;
    if (!(peak_flops > 0))
        return err_set(err, ERR_STUDY,
                       "memory_bandwidth: a platform from a data sheet needs a clock or a peak");
    platform->fc.peak_flops = peak_flops;
    platform->attention.peak_flops = platform->recurrent.peak_flops = NARROW_FRAC * peak_flops;
    platform->stream_socket_bw = STREAM_FRAC * socket_bw;
    platform->gather_socket_bw = GATHER_FRAC * socket_bw;
    // One core cannot draw more than its socket gives.
    if (platform->stream_bw > platform->stream_socket_bw)
        platform->stream_bw = platform->stream_socket_bw;
    if (platform->gather_bw > platform->gather_socket_bw)
        platform->gather_bw = platform->gather_socket_bw;
    platform->provisional = true;
    // What kind of thing DATASHEET_LIKE is, and when it came out, says nothing of this one.
    platform->year = 0;
    set_text(&platform->class, "");
    set_text(&platform->title, "from a data sheet");
    set_text(&platform->sources,
             "provisional: derived from a data sheet, the rest as " DATASHEET_LIKE);
    return 0;
}
