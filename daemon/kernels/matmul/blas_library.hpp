#pragma once

#include <complex>
#include <cstdint>

namespace slab::kernels {

// Row-major matrices, C = A B: C is m x n, A is m x k, B is k x n; between rows lie so many elements.
template <typename T>
struct MatrixProduct {
    std::int64_t m = 0;
    std::int64_t n = 0;
    std::int64_t k = 0;
    const T* a = nullptr;
    std::int64_t a_pitch = 0;
    const T* b = nullptr;
    std::int64_t b_pitch = 0;
    T* c = nullptr;
    std::int64_t c_pitch = 0;
};

// OpenBLAS, the build without threads: a worker is one thread on one CPU. It is loaded by a process's first product and
// maps its buffers then (32 MiB, of which it touches what it needs), once for all.
// It knows processors by their model. Of one that came out later it takes the oldest instruction set (Debian 12's runs
// Emerald Rapids with SSE3: a tenth of the speed, measured); then it is loaded again with OPENBLAS_CORETYPE, its own
// variable, set to what the processor has. A value that the user has set stays.
// Sizes and pitches are at most most_blas_size. Ends the process when the library cannot be loaded: see blas_is_installed.
void multiply(const MatrixProduct<float>& product) noexcept;
void multiply(const MatrixProduct<double>& product) noexcept;
void multiply(const MatrixProduct<std::complex<float>>& product) noexcept;
void multiply(const MatrixProduct<std::complex<double>>& product) noexcept;

inline constexpr std::int64_t most_blas_size = INT32_MAX;

bool blas_is_installed();
const char* blas_path();

}  // namespace slab::kernels
