// SPDX-License-Identifier: Apache-2.0
// dataset_verify: does a results file still say what it said when it was written?
//
// The digest of content_digest.h is computed again from the file, whatever kind of ours it is, and
// compared with the one in it. So a file that another program has repacked is vouched for, and two
// files with the same digest hold the same answer. Nothing in the file is trusted, as in
// dataset_read.h.
#ifndef RESULTS_FILE_DATASET_VERIFY_H
#define RESULTS_FILE_DATASET_VERIFY_H

#include "base/err.h"
#include "results/file/content_digest.h"

// 0, with the digest in hex (NULL: not wanted), when it is right. -1 when the file cannot be read,
// has no digest, or says something else now; the line begins with the file's name.
int dataset_verify(const char *path, char hex[CONTENT_DIGEST_CHARS], struct err *err);

#endif
