// SPDX-License-Identifier: Apache-2.0
// study_memory: do the models of a study fit where they are served?
//
// Every server of a group serves every service, so it holds the tables and the weights of all of
// their models (models/catalogue.h), each once however many cores it has; a model that two services
// use is there twice, as two trained copies are. A service of which every query is offloaded takes
// no memory of the server, and one of which none is takes none of the accelerator. A service
// without a model, and a platform or an accelerator without a memory_size, are not checked.
//
// Where the question is which servers should serve which service (capacity.find: plan), a server
// has one service only, and one that does not fit by itself is given to other servers.
//
// Bytes are as derived from the models, in fp32; nothing is added for what a request needs.
#ifndef STUDY_STUDY_MEMORY_H
#define STUDY_STUDY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "study/doc.h"

struct study;

// Fails where the services of a group do not fit: the text names the group's key in `root`, the
// memory, and what every service needs. All sections but the fleet's view have been read.
int study_memory_check(const struct study *study, const struct node *root, struct err *err);
// -1, and a text, where the accelerator of group g is too small for what is offloaded to it, though
// the study was read as a plan, to which that is no limit; 0: it is not. A planner may ask for a
// card that is to keep its most used rows only; the times are those of tables that fit.
int study_memory_misfit(const struct study *study, size_t g, struct err *err);
// Can a server of group g, alone with service s, hold it?
bool study_memory_holds(const struct study *study, size_t g, size_t s);
// For a search that may offload whatever is tuned: fails where the accelerator of a group that is
// tuned does not hold all that it may be given. The text begins "path: tune: ".
int study_memory_check_search(const struct study *study, struct err *err);

#endif
