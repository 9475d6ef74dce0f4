// SPDX-License-Identifier: Apache-2.0
// flow: values of a study as one line of YAML each.
//
// For whoever makes settings ("fleet.groups[0].platform=skylake") or writes a study: what comes out
// is read back by doc.h to the same texts, whatever stands in them. Maps and lists are in YAML's
// flow style, "{k: [1, ~]}"; texts are in quotes only where they need them, so that plain ones look
// as a person would write them.
#ifndef STUDY_FLOW_H
#define STUDY_FLOW_H

#include "study/doc.h"

// A text as one YAML scalar; caller mem_free()s.
char *flow_quote(const char *text);

// A value with all that is in it, for doc_set(); caller mem_free()s.
char *flow_value(const struct node *node);

#endif
