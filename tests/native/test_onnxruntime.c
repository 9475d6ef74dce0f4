// SPDX-License-Identifier: Apache-2.0
#include "native/onnxruntime.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const char *library(void)
{
    const char *real = getenv("RECFLEET_ONNXRUNTIME");
    return real ? real : STAND_IN;
}

// A library is opened and says its name; a session of a file has the file's inputs and outputs.
START_TEST(a_session_has_inputs_and_outputs)
{
    struct err err = {0};
    size_t n_inputs = 0, n_outputs = 0;
    struct onnxruntime *ort = onnxruntime_open(library(), &err);
    ck_assert_msg(ort, "%s", err.text);
    ck_assert_int_eq(strncmp(ort->name, "ONNX Runtime 1.", 15), 0);
    void *session = onnxruntime_session(ort, MODELS "/lookups.onnx", &err);
    ck_assert_msg(session, "%s", err.text);
    ck_assert_ptr_null(ort->calls.SessionGetInputCount(session, &n_inputs));
    ck_assert_ptr_null(ort->calls.SessionGetOutputCount(session, &n_outputs));
    ck_assert_uint_eq(n_inputs, 2);
    ck_assert_uint_eq(n_outputs, 1);
    ort->calls.ReleaseSession(session);
    onnxruntime_close(ort);
}
END_TEST

// Nothing to close is no mistake.
START_TEST(null_has_no_effect)
{
    onnxruntime_close(NULL);
}
END_TEST

static void refuses(const char *path, const char *text)
{
    struct err err = {0};
    ck_assert_ptr_null(onnxruntime_open(path, &err));
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, text), "%s", err.text);
}

// A library that is missing, that is another, or that is too old: one line says which.
START_TEST(says_what_is_wrong_with_a_library)
{
    refuses("/nowhere/libonnxruntime.so.1", "--library: expected ONNX Runtime: /nowhere/lib");
    refuses("libm.so.6", "--library: libm.so.6: this is not ONNX Runtime");
    refuses(TOO_OLD, "ONNX Runtime 1.7.0 is too old, expected 1.11 or later");
}
END_TEST

// What the library says of a file is one line behind the file's name.
START_TEST(says_what_is_wrong_with_a_file)
{
    struct err err = {0};
    struct onnxruntime *ort = onnxruntime_open(STAND_IN, NULL);
    ck_assert_ptr_null(onnxruntime_session(ort, "refused.onnx", &err));
    ck_assert_str_eq(err.text, "refused.onnx: it is damaged at byte 7");
    onnxruntime_close(ort);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", a_session_has_inputs_and_outputs},
        {"limits", null_has_no_effect},
        {"errors", says_what_is_wrong_with_a_library},
        {"errors", says_what_is_wrong_with_a_file},
    };
    return suite_run("onnxruntime", tests, sizeof tests / sizeof *tests);
}
