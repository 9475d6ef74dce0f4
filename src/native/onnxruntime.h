// SPDX-License-Identifier: Apache-2.0
// onnxruntime: ONNX Runtime, loaded when a user names it, and a session of one model file.
//
// Nothing of it is needed to build the program. The library has one function by name, which hands
// out a table of functions; entries are only ever added behind the last, so that the place of each
// is a fact for all versions. The places of those that are called are in ONNXRUNTIME_CALLS; its
// objects are void pointers here. The places were compared with the header of version 1.29, and
// versions 1.11, 1.14, 1.23 and 1.27 were run; one without a table of ONNXRUNTIME_API is too old.
//
//     struct onnxruntime *ort = onnxruntime_open("libonnxruntime.so.1", err);
//     void *session = onnxruntime_session(ort, "m.onnx", err);
//     void *status = ort->calls.SessionGetInputCount(session, &n);
//     if (status)
//         return onnxruntime_fail(ort, status, "m.onnx", err);
//     ort->calls.ReleaseSession(session);
//     onnxruntime_close(ort);
//
// A session computes on the thread that asks for it and on no other, and any number of threads may
// ask at the same time.
#ifndef NATIVE_ONNXRUNTIME_H
#define NATIVE_ONNXRUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ONNXRUNTIME_API 11 // its version 1.11, the oldest that was run

// Place in the table, what is returned, name, arguments. Those that return `void *` return what
// went wrong, NULL: nothing; whoever gets it hands it to onnxruntime_fail() or ReleaseStatus().
// clang-format off
#define ONNXRUNTIME_CALLS(X)                                                                       \
    X(2, const char *, GetErrorMessage, (const void *status))                                      \
    X(3, void *, CreateEnv, (int log_level, const char *log_name, void **env))                     \
    X(7, void *, CreateSession, (const void *env, const char *path, const void *options,           \
                                 void **session))                                                  \
    X(9, void *, Run, (void *session, const void *options, const char *const *input_names,         \
                       const void *const *inputs, size_t n_inputs,                                 \
                       const char *const *output_names, size_t n_outputs, void **outputs))         \
    X(10, void *, CreateSessionOptions, (void **options))                                          \
    X(24, void *, SetIntraOpNumThreads, (void *options, int n))                                    \
    X(25, void *, SetInterOpNumThreads, (void *options, int n))                                    \
    X(30, void *, SessionGetInputCount, (const void *session, size_t *n))                          \
    X(31, void *, SessionGetOutputCount, (const void *session, size_t *n))                         \
    X(33, void *, SessionGetInputTypeInfo, (const void *session, size_t i, void **type))           \
    X(34, void *, SessionGetOutputTypeInfo, (const void *session, size_t i, void **type))          \
    X(36, void *, SessionGetInputName, (const void *session, size_t i, void *allocator,            \
                                        char **name))                                              \
    X(37, void *, SessionGetOutputName, (const void *session, size_t i, void *allocator,           \
                                         char **name))                                             \
    X(49, void *, CreateTensorWithDataAsOrtValue, (const void *memory, void *at, size_t n_bytes,   \
                                                   const int64_t *dims, size_t rank, int type,     \
                                                   void **value))                                  \
    X(51, void *, GetTensorMutableData, (void *value, void **at))                                  \
    X(55, void *, CastTypeInfoToTensorInfo, (const void *type, const void **info))                 \
    X(60, void *, GetTensorElementType, (const void *info, int *type))                             \
    X(61, void *, GetDimensionsCount, (const void *info, size_t *rank))                            \
    X(62, void *, GetDimensions, (const void *info, int64_t *dims, size_t rank))                   \
    X(63, void *, GetSymbolicDimensions, (const void *info, const char **names, size_t rank))      \
    X(64, void *, GetTensorShapeElementCount, (const void *info, size_t *n))                       \
    X(65, void *, GetTensorTypeAndShape, (const void *value, void **info))                         \
    X(69, void *, CreateCpuMemoryInfo, (int allocator, int memory, void **info))                   \
    X(76, void *, AllocatorFree, (void *allocator, void *at))                                      \
    X(78, void *, GetAllocatorWithDefaultOptions, (void **allocator))                              \
    X(92, void, ReleaseEnv, (void *env))                                                           \
    X(93, void, ReleaseStatus, (void *status))                                                     \
    X(94, void, ReleaseMemoryInfo, (void *memory))                                                 \
    X(95, void, ReleaseSession, (void *session))                                                   \
    X(96, void, ReleaseValue, (void *value))                                                       \
    X(98, void, ReleaseTypeInfo, (void *type))                                                     \
    X(99, void, ReleaseTensorTypeAndShapeInfo, (void *info))                                       \
    X(100, void, ReleaseSessionOptions, (void *options))
// clang-format on

#define ONNXRUNTIME_MEMBER(place, result, name, arguments) result(*name) arguments;

struct onnxruntime_calls {
    ONNXRUNTIME_CALLS(ONNXRUNTIME_MEMBER)
};

// What the one function by name, OrtGetApiBase(), gives.
struct onnxruntime_base {
    const void *(*table)(uint32_t version); // NULL: it has none of that version
    const char *(*version)(void);
};

// Types of values, by its own numbers, which are ONNX's.
enum onnxruntime_type {
    ONNXRUNTIME_FLOAT = 1,
    ONNXRUNTIME_INT32 = 6,
    ONNXRUNTIME_INT64 = 7,
    ONNXRUNTIME_DOUBLE = 11
};

struct onnxruntime {
    struct onnxruntime_calls calls;
    void *env, *options, *memory; // memory: of values that are the caller's
    void *allocator;              // of names; the library's own
    char name[48];                // "ONNX Runtime 1.23.2"
};

// `path` NULL: the one that the system finds. NULL on failure; the text says what is missing.
struct onnxruntime *onnxruntime_open(const char *path, struct err *err);
void onnxruntime_close(struct onnxruntime *ort); // NULL: no effect; every session is released

// The model of a file; the caller calls ReleaseSession. NULL on failure.
void *onnxruntime_session(const struct onnxruntime *ort, const char *path, struct err *err);

// What went wrong as one line behind "what: "; releases the status and returns -1.
int onnxruntime_fail(const struct onnxruntime *ort, void *status, const char *what,
                     struct err *err);

#endif
