// SPDX-License-Identifier: Apache-2.0
// simd: compile one plain loop for several vector widths, or one body for several cases.
//
// SIMD_CLONES in front of a function makes the compiler emit it for AVX-512, AVX2 and the baseline,
// and the loader picks one. Only for elementwise loops and integer sums: with contraction off
// (-ffp-contract=off) each element is then the same bits on every width. Sanitizers and compilers
// other than gcc get the baseline alone.
#ifndef BASE_SIMD_H
#define BASE_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SIMD_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SIMD_CLONES
#endif

// Of a body that is written once and compiled for several cases that are constants where it is
// called: a loop that is not inlined there is not unrolled.
#define SIMD_INLINE static inline __attribute__((always_inline))

#endif
