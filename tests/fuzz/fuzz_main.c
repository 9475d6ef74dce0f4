// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer in ordinary builds: gives each file named on the command line, or found
// in a folder named there, to the fuzz target once. So the seeds, and every input that once broke
// something, are tests in each build and with each compiler.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (!file || fstat(fileno(file), &about) != 0) {
        perror(path);
        return -1;
    }
    size_t size = (size_t)about.st_size;
    // Exactly as large as the input: a sanitizer then sees a read past its end.
    uint8_t *data = mem_alloc(size);
    if (fread(data, 1, size, file) != size) {
        perror(path);
        return -1;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    mem_free(data);
    return 0;
}

// The number of files fed, -1 after an error.
static int feed(const char *path)
{
    struct dirent **entries;
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
        return feed_file(path) == 0 ? 1 : -1;
    int n = scandir(path, &entries, NULL, alphasort), fed = 0;
    if (n < 0)
        perror(path);
    for (int i = 0; i < n; i++) {
        char *inside = mem_printf("%s/%s", path, entries[i]->d_name);
        if (fed >= 0 && entries[i]->d_name[0] != '.')
            fed = feed_file(inside) == 0 ? fed + 1 : -1;
        mem_free(inside);
        mem_free(entries[i]);
    }
    if (n >= 0)
        mem_free(entries);
    return n < 0 ? -1 : fed;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int fed = feed(argv[i]);
        if (fed < 0)
            return 1;
        total += fed;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
