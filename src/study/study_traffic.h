// SPDX-License-Identifier: Apache-2.0
// study_traffic: the section `traffic` of a study: services, their rates, sizes and targets.
//
// A relative file that a service names stands beside the study. Traces and files of sizes are read
// only when asked, so that a study can be looked at where its data are not.
#ifndef STUDY_STUDY_TRAFFIC_H
#define STUDY_STUDY_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"
#include "study/library.h"
#include "traces/qsize.h"

#define STUDY_MAX_SERVICES 256

struct service_traffic;
struct study;

// Fills study->services and study->sizes from the list `traffic` of the study's root, and adds the
// models that services name (study_models.h). Needs the study's own models. On error the study
// holds what was read so far and is to be released.
int study_traffic_read(struct study *study, const struct library *library, const struct node *root,
                       bool open_files, struct err *err);
// Reads a distribution of sizes from the key `sizes` of `map` into *config, and its table into
// *sizes (left alone where it names a file and files are not opened). The caller releases both.
int study_traffic_read_sizes(const struct study *study, const struct node *map,
                             struct size_config *config, struct qsize **sizes, bool open_files,
                             struct err *err);
// Mean and mean square of the histories of a service's queries; 0 without.
void study_traffic_history(const struct service_traffic *traffic, double *mean, double *square);
// Releases the services and sizes, as many as study->n_services.
void study_traffic_release(struct study *study);

// Queries per second over all services, as far as rates tell.
double study_traffic_rate_qps(const struct study *study);
// The largest query that service s can send.
int64_t study_traffic_largest_items(const struct study *study, size_t s);

// Equal for two studies that see the same queries: a hash of the resolved traffic, the seed, the
// duration and the cells' shares. Never 0, which stands for "not known".
uint64_t study_traffic_fingerprint(const struct study *study);

// Keys of arrivals, sizes and costs whose value is a file's name, relative to the study;
// NULL-terminated.
extern const char *const study_traffic_file_keys[];
// Where such a file is; caller mem_free()s.
char *study_traffic_path(const struct study *study, const char *file);
// The same for every such key of `config` that is given, in place.
void study_traffic_resolve_files(const struct study *study, const struct field *fields,
                                 void *config);

// Table of struct service_config.
extern const struct field study_service_fields[];

#endif
