// SPDX-License-Identifier: Apache-2.0
// mistakes: all that is wrong with a study, not only what its reader met first.
//
// A document may have a list of mistakes (doc_collect). Reading it then goes on after a mistake
// that leaves something else to be read: the next key, section or service. What depends on the part
// that is wrong is not looked at, so that one slip gives one line.
//
//     if (mistakes_keep(map, reader_fill(...), err) < 0 || mistakes_keep(map, check(...), err) < 0)
//         return -1;
//     return mistakes_in(map) ? -1 : check_both(...);
//
// Without a list mistakes_keep() is the rc that it was given, and so ends the reading. With one, a
// reader that has put its mistakes aside itself returns -1 and leaves *err empty.
#ifndef STUDY_MISTAKES_H
#define STUDY_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "study/doc.h"

// What a list has room for, so that those that are shown are the first of the text.
#define MISTAKES_MAX 100
#define MISTAKES_SHOWN 20

struct mistake {
    const struct node *at; // what was being read; only while its document lives
    int line, column;      // 1-based, 0: not in a file
    char *text;            // owned: a line that begins with where it is
};

// Zeroed by the caller, who ends with mistakes_release().
struct mistakes {
    size_t n, n_follows;
    struct mistake v[MISTAKES_MAX];
    const struct node *follows[MISTAKES_MAX]; // wrong because of one of them, and not said
};

// What came of reading `at`: 0 to go on. Where it failed (rc < 0) the error moves into the list of
// the document, and *err is empty; a value has one mistake, further ones are dropped. -1 without a
// list, and when the list is full.
int mistakes_keep(const struct node *at, int rc, struct err *err);
// True when a mistake was put aside in `node` or in anything inside it (NULL: false), or what
// follows from one.
bool mistakes_in(const struct node *node);
// The same of the map's entry `key`, or of one that is meant to be it but misspelt.
bool mistakes_in_key(const struct node *map, const char *key);

// Is `key` missing in the map (NULL: no) because it is misspelt, which has been put aside?
bool mistakes_misspelt(const struct node *map, const char *key);
// Of a name at `node` that is unknown, as *err says: puts the place in front. Where the `section`
// of the study that defines such names has it, or may have it, in an entry that is wrong, that has
// been put aside and is the cause: then *err is left empty, and the name follows. Returns -1.
int mistakes_unknown(const struct node *node, const char *section, struct err *err);

// Puts `text` into the list (copied) unless it is there already. -1 when there is no room for it.
int mistakes_add(struct mistakes *list, const struct node *at, const char *text);
// In the order of the text, those from outside it first.
void mistakes_sort(struct mistakes *list);
void mistakes_release(struct mistakes *list);

#endif
