// SPDX-License-Identifier: Apache-2.0
#include "native/onnxruntime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define SONAME "libonnxruntime.so.1"
#define LOG_FATAL 4 // what goes wrong otherwise comes back as a status
#define ALLOCATOR_DEVICE 0
#define MEMORY_DEFAULT 0

static void take_calls(struct onnxruntime_calls *calls, const void *table)
{
#define TAKE(place, result, name, arguments)                                                       \
    memcpy(&calls->name, (const char *)table + place * sizeof(void *), sizeof calls->name);
    ONNXRUNTIME_CALLS(TAKE)
#undef TAKE
}

static int find_table(struct onnxruntime *ort, const char *path, struct err *err)
{
    const struct onnxruntime_base *(*get_base)(void);
    const char *shown = path ? path : SONAME;
    void *handle = dlopen(shown, RTLD_NOW | RTLD_LOCAL);
    if (!handle && !path)
        return err_set(err, ERR_STUDY, "ONNX Runtime is missing: expected --library PATH, or %s",
                       SONAME);
    if (!handle)
        return err_set(err, ERR_STUDY, "--library: expected ONNX Runtime: %s", dlerror());
    void *symbol = dlsym(handle, "OrtGetApiBase");
    if (!symbol) {
        dlclose(handle);
        return err_set(err, ERR_STUDY, "--library: %s: this is not ONNX Runtime: no OrtGetApiBase",
                       shown);
    }
    memcpy(&get_base, &symbol, sizeof symbol);
    const struct onnxruntime_base *base = get_base();
    const void *table = base->table(ONNXRUNTIME_API);
    snprintf(ort->name, sizeof ort->name, "ONNX Runtime %s", base->version());
    if (!table)
        return err_set(err, ERR_STUDY, "--library: %s: %s is too old, expected 1.%d or later",
                       shown, ort->name, ONNXRUNTIME_API);
    take_calls(&ort->calls, table);
    return 0;
}

static int set_up(struct onnxruntime *ort, struct err *err)
{
    const struct onnxruntime_calls *calls = &ort->calls;
    void *status = calls->CreateEnv(LOG_FATAL, "recfleet", &ort->env);
    if (!status)
        status = calls->CreateSessionOptions(&ort->options);
    if (!status)
        status = calls->SetIntraOpNumThreads(ort->options, 1);
    if (!status)
        status = calls->SetInterOpNumThreads(ort->options, 1);
    if (!status)
        status = calls->CreateCpuMemoryInfo(ALLOCATOR_DEVICE, MEMORY_DEFAULT, &ort->memory);
    if (!status)
        status = calls->GetAllocatorWithDefaultOptions(&ort->allocator);
    return status ? onnxruntime_fail(ort, status, ort->name, err) : 0;
}

struct onnxruntime *onnxruntime_open(const char *path, struct err *err)
{
    struct onnxruntime *ort = mem_calloc(1, sizeof *ort);
    if (find_table(ort, path, err) == 0 && set_up(ort, err) == 0)
        return ort;
    onnxruntime_close(ort);
    return NULL;
}

// The library itself stays loaded: it has threads and caches of its own, which would outlive it.
void onnxruntime_close(struct onnxruntime *ort)
{
    if (!ort)
        return;
    if (ort->memory)
        ort->calls.ReleaseMemoryInfo(ort->memory);
    if (ort->options)
        ort->calls.ReleaseSessionOptions(ort->options);
    if (ort->env)
        ort->calls.ReleaseEnv(ort->env);
    mem_free(ort);
}

void *onnxruntime_session(const struct onnxruntime *ort, const char *path, struct err *err)
{
    void *session = NULL;
    void *status = ort->calls.CreateSession(ort->env, path, ort->options, &session);
    if (!status)
        return session;
    onnxruntime_fail(ort, status, path, err);
    return NULL;
}

int onnxruntime_fail(const struct onnxruntime *ort, void *status, const char *what, struct err *err)
{
    err_set(err, ERR_STUDY, "%s: %s", what, ort->calls.GetErrorMessage(status));
    ort->calls.ReleaseStatus(status);
    return -1;
}
