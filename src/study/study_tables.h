// SPDX-License-Identifier: Apache-2.0
// study_tables: the measured tables of a study: which one a service has in a group, whether it was
// measured with what the study uses it for, and whether it knows the sizes that come.
//
// A table is the library's by name, else by model and platform, or a file of the user's beside the
// study. One of another model or platform is an error, unless the cost says `transfer: true` with a
// scale: then every table of results names the group with "[transfer x1.3]" behind it.
#ifndef STUDY_STUDY_TABLES_H
#define STUDY_STUDY_TABLES_H

#include "base/err.h"
#include "study/doc.h"
#include "study/library.h"

struct qsize;
struct settings;
struct study;
struct study_group;

// Sets `measured` of the service's cost in the group, where its kind is a table; `cost` is the
// group's map `cost`, `group->tables` has room for the service's.
int study_tables_find(const struct study *study, const struct library *library,
                      struct study_group *group, size_t s, const struct node *cost,
                      struct err *err);
// Whether the sizes of the services, as the group's settings split them, are within their tables;
// `map` is the group's.
int study_tables_check_sizes(const struct study *study, const struct study_group *group,
                             const struct node *map, struct err *err);
// Has the service's table all times that queries of these sizes (NULL: not known) need in the group
// by these settings, or does `outside` say what becomes of others? Else -1, without a place.
int study_tables_known(const struct study *study, const struct study_group *group, size_t s,
                       const struct qsize *sizes, const struct settings *settings, struct err *err);
// Items of the smallest and the largest request that cores, resp. accelerators, get; false: none.
bool study_tables_requests(const struct qsize *sizes, const struct settings *settings, bool accel,
                           double *least, double *most);
// Is a size that the table does not know an error?
bool study_tables_strict(const struct study *study, const struct study_group *group, size_t s);
// The largest request of a core that the service's table knows; INFINITY without such times.
double study_tables_last(const struct study_group *group, size_t s);
// The spread of service times that the tables of the group's services tell; 0: none does.
double study_tables_cv(const struct study *study, const struct study_group *group);
// The group's name for results; caller mem_free()s.
char *study_tables_label(const struct study *study, const struct study_group *group);

#endif
