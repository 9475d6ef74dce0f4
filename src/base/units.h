// SPDX-License-Identifier: Apache-2.0
// units: friendly quantities at the edge, SI inside.
//
// "25ms", "12000qps", "350W", "12GB/s", "1.5TFLOP/s" -> one number in the SI unit of its dimension.
// Prices and carbon intensities have none: they stay in the unit that everybody quotes them in.
// A bare number is accepted only for UNIT_NONE, UNIT_ITEMS and UNIT_FRAC ("%" allowed there), and
// "0" everywhere. Never accepted: NaN, infinity, hexadecimal, trailing text, an empty string.
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum unit {
    UNIT_NONE,
    UNIT_TIME,   // seconds; ns us ms s min h d
    UNIT_RATE,   // queries per second; qps kqps Mqps /s
    UNIT_ITEMS,  // candidate items; a bare number or "items"
    UNIT_FRAC,   // 0..1 or a percentage; not limited here
    UNIT_POWER,  // watts; mW W kW MW
    UNIT_ENERGY, // joules; J kJ MJ Wh kWh
    UNIT_BYTES,  // bytes; B kB MB GB TB (powers of 1000) KiB MiB GiB
    UNIT_BW,     // bytes per second; B/s kB/s MB/s GB/s TB/s
    UNIT_FLOPS,  // floating-point operations per second; FLOP/s .. PFLOP/s
    UNIT_FLOP,   // floating-point operations; FLOP .. TFLOP
    UNIT_HZ,     // Hz kHz MHz GHz
    UNIT_PRICE,  // US dollars per hour; usd/h
    UNIT_CARBON, // grams of CO2 per kilowatt-hour; g/kWh
    UNIT_MASS,   // kilograms, of CO2; kg t
    N_UNITS
};

// What a user should write, for messages: "a time such as \"25ms\"".
const char *unit_expected(enum unit unit);
// The SI symbol: "s", "W", "1" for none, "items", "1/s" for rates.
const char *unit_symbol(enum unit unit);

// Text to SI value. On error err says what was expected and what was found.
int units_parse(enum unit unit, const char *text, double *value, struct err *err);
// Text to nanoseconds, exactly for decimal times down to 1 ns ("1.5ms" -> 1500000).
int units_parse_ns(const char *text, int64_t *ns, struct err *err);
// Text to a whole number |value| and its sign, exactly; "1e6" is one, "1.5" is not.
int units_parse_whole(enum unit unit, const char *text, bool *negative, uint64_t *value,
                      struct err *err);

// True when `suffix` ("ms") may stand behind a number of that unit; "" is none.
bool unit_has_suffix(enum unit unit, const char *suffix);
// The suffix of that unit at the end of a key, "ms" of "delay_ms", "usd_per_h" of
// "price_usd_per_h"; NULL when the key carries none.
const char *unit_of_key(enum unit unit, const char *key);

// SI value to short text a user could have written, in buf (at least 32 bytes); returns buf.
// Reading it back gives the same value, bit for bit.
char *units_format(enum unit unit, double value, char *buf, size_t size);
char *units_format_ns(int64_t ns, char *buf, size_t size);

#endif
