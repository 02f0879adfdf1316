/* What a plug-in and a kernel of the tests' daemon both compute, for comparing what is around it. */
#ifndef SLAB_TESTS_ROWS_H
#define SLAB_TESTS_ROWS_H

#include <math.h>
#include <stdint.h>

/* sqrt(in) + in * in */
static inline void fill_row(const double* in, double* out, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        out[i] = sqrt(in[i]) + in[i] * in[i];
    }
}

#endif
