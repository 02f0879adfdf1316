#include "daemon/kernels/matmul/blas_library.hpp"

#include <cblas.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <iterator>
#include <string_view>
#include <unistd.h>

namespace slab::kernels {
namespace {

constexpr const char* variable = "OPENBLAS_CORETYPE";

void* load() {
    void* const library = ::dlopen(SLABD_BLAS_PATH, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::fprintf(stderr, "matmul: %s\n", ::dlerror());
        std::abort();
    }
    return library;
}

template <typename Function>
Function* function(void* library, const char* name) {
    void* const found = ::dlsym(library, name);
    if (found == nullptr) {
        std::fprintf(stderr, "matmul: %s has no %s\n", SLABD_BLAS_PATH, name);
        std::abort();
    }
    return reinterpret_cast<Function*>(found);
}

// Null: it is best left to OpenBLAS.
const char* core_type_of_this_machine() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return "SkylakeX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return "Haswell";
    }
#endif
    return nullptr;
}

// What OpenBLAS falls back to.
bool is_without_avx(std::string_view core) {
    constexpr std::string_view names[] = {"Katmai", "Coppermine", "Northwood",    "Prescott",  "Banias",
                                          "Core2",  "Penryn",     "Dunnington",   "Nehalem",   "Atom",
                                          "Athlon", "Opteron",    "Opteron_SSE3", "Barcelona", "Bobcat",
                                          "Nano",   "Unknown"};
    return std::ranges::find(names, core) != std::end(names);
}

class Blas {
  public:
    Blas() {
        void* library = load();
        const char* const better = core_type_of_this_machine();
        if (better != nullptr && std::getenv(variable) == nullptr &&
            is_without_avx(function<decltype(openblas_get_corename)>(library, "openblas_get_corename")())) {
            ::setenv(variable, better, 0);
            ::dlclose(library);
            library = load();
        }
        sgemm = function<decltype(cblas_sgemm)>(library, "cblas_sgemm");
        dgemm = function<decltype(cblas_dgemm)>(library, "cblas_dgemm");
        cgemm = function<decltype(cblas_cgemm)>(library, "cblas_cgemm");
        zgemm = function<decltype(cblas_zgemm)>(library, "cblas_zgemm");
    }

    decltype(cblas_sgemm)* sgemm;
    decltype(cblas_dgemm)* dgemm;
    decltype(cblas_cgemm)* cgemm;
    decltype(cblas_zgemm)* zgemm;
};

const Blas& blas() {
    static const Blas library;
    return library;
}

template <typename T, typename Gemm, typename Scale>
void call(Gemm* gemm, const MatrixProduct<T>& p, Scale one, Scale zero) {
    const auto size = [](std::int64_t n) { return static_cast<blasint>(n); };
    gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size(p.m), size(p.n), size(p.k), one, p.a,
         size(p.a_pitch), p.b, size(p.b_pitch), zero, p.c, size(p.c_pitch));
}

}  // namespace

void multiply(const MatrixProduct<float>& product) noexcept {
    call(blas().sgemm, product, 1.0F, 0.0F);
}

void multiply(const MatrixProduct<double>& product) noexcept {
    call(blas().dgemm, product, 1.0, 0.0);
}

void multiply(const MatrixProduct<std::complex<float>>& product) noexcept {
    const std::complex<float> one(1.0F);
    const std::complex<float> zero(0.0F);
    call<std::complex<float>, decltype(cblas_cgemm), const void*>(blas().cgemm, product, &one, &zero);
}

void multiply(const MatrixProduct<std::complex<double>>& product) noexcept {
    const std::complex<double> one(1.0);
    const std::complex<double> zero(0.0);
    call<std::complex<double>, decltype(cblas_zgemm), const void*>(blas().zgemm, product, &one, &zero);
}

bool blas_is_installed() {
    return ::access(SLABD_BLAS_PATH, R_OK) == 0;
}

const char* blas_path() {
    return SLABD_BLAS_PATH;
}

}  // namespace slab::kernels
