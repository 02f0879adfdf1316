#include "tests/agreement/agreement_cases.hpp"

#include "daemon/kernels/interpolation/boundary.hpp"
#include "tests/agreement/expression_cases.hpp"
#include "tests/agreement/noise.hpp"
#include "tests/agreement/order_cases.hpp"
#include "tests/agreement/plugin_cases.hpp"
#include "tests/agreement/product_cases.hpp"
#include "tests/agreement/sampling_cases.hpp"
#include "tests/agreement/window_cases.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>

namespace slab::agreement {
namespace {

using kernels::boundary_names;
using kernels::ParameterValues;

std::vector<DType> all_dtypes() {
    std::vector<DType> dtypes;
    for (int i = 0; i < dtype_count; ++i) {
        dtypes.push_back(static_cast<DType>(i));
    }
    return dtypes;
}

void add_outer(std::vector<AgreementCase>& cases, DType dtype, std::int64_t rows, std::int64_t columns) {
    cases.push_back(
        {"outer " + std::to_string(rows) + "x" + std::to_string(columns) + " " + std::string(name_of(dtype)),
         {{{dtype, {rows}, MemoryOrder::c}, {dtype, {columns}, MemoryOrder::c}}, {}}});
}

std::vector<AgreementCase> outer_cases() {
    std::vector<AgreementCase> cases;
    for (const DType dtype : all_dtypes()) {
        add_outer(cases, dtype, 1, 1);
        add_outer(cases, dtype, 3, 7);
        add_outer(cases, dtype, 67, 1);
        add_outer(cases, dtype, 5, 259);
        // Streamed: whole rows of odd length, short rows that are put together, rows beyond one block of x.
        const auto elements = static_cast<std::int64_t>((1 << 20) / size_of(dtype) + 1);
        add_outer(cases, dtype, elements / 1031 + 1, 1031);
        add_outer(cases, dtype, elements / 13 + 1, 13);
        add_outer(cases, dtype, 2, elements / 2 + 1);
    }
    return cases;
}

struct ZoomSize {
    Shape shape;
    std::vector<double> factor;
};

void add_zoom(std::vector<AgreementCase>& cases, DType dtype, const ZoomSize& size, const char* convention) {
    ParameterValues parameters;
    parameters.set("factor", size.factor);
    parameters.set("convention", std::string(convention));
    parameters.set("order", std::int64_t{0});
    std::string name = "zoom " + to_text(size.shape) + " " + std::string(name_of(dtype)) + " " + convention;
    for (const double factor : size.factor) {
        name += " x" + std::to_string(factor);
    }
    cases.push_back({name, {{{dtype, size.shape, MemoryOrder::c}}, parameters}});
}

std::vector<AgreementCase> zoom_cases() {
    constexpr const char* conventions[] = {"scipy", "scipy-grid", "round", "floor"};
    const ZoomSize small[] = {
        {{1}, {1.0}},
        {{1}, {37.0}},
        {{3}, {2.0}},
        {{17}, {9.3}},
        {{1000}, {0.37}},
        {{129}, {1.0}},
        {{64}, {1.001}},
        {{9, 13}, {3.0}},
        {{7, 130}, {2.0, 1.0}},
        {{7, 130}, {1.0, 1.26}},
        {{31, 65}, {0.4, 2.5}},
        {{5, 6, 7}, {2.0}},
        {{5, 6, 70}, {1.0, 1.0, 2.0}},
        {{5, 6, 70}, {2.0, 1.0, 1.0}},
        {{6, 9, 3}, {2.0, 3.0, 1.0}},
        {{6, 9, 40}, {0.5, 3.0, 1.0}},
        {{4, 1, 9}, {2.0, 3.0, 2.0}},
        {{3, 4, 5, 6}, {1.5}},
        {{3, 4, 5, 2}, {1.0, 2.0, 2.0, 1.0}},
        {{2, 3, 4, 3, 5}, {1.7}},
        {{2, 3, 4, 3, 5}, {2.0, 1.0, 0.5, 1.0, 3.0}},
        {{1, 1, 1, 1, 1}, {1.0}},
    };
    std::vector<AgreementCase> cases;
    // One dtype of each size goes through all; the others have the same bytes to move.
    constexpr DType each_size[] = {DType::uint8, DType::int16, DType::float32, DType::float64,
                                   DType::complex128};
    for (const DType dtype : each_size) {
        for (const ZoomSize& size : small) {
            for (const char* convention : conventions) {
                add_zoom(cases, dtype, size, convention);
            }
        }
    }
    for (const DType dtype : all_dtypes()) {
        add_zoom(cases, dtype, {{5, 6, 7}, {2.0}}, "scipy");
        add_zoom(cases, dtype, {{31, 65}, {0.4, 2.5}}, "floor");
    }
    // Streamed: aligned and ragged rows, several blocks of x, short rows, shrinking, long runs, three-byte
    // pixels.
    const ZoomSize large[] = {
        {{5, 64, 512}, {2.0}},
        {{5, 61, 517}, {2.0, 2.0, 2.1}},
        {{3, 50000}, {2.0, 4.5}},
        {{300000}, {4.2}},
        {{40000, 7}, {3.0, 2.0}},
        {{4, 200, 8000}, {2.0, 2.0, 0.2}},
        {{5, 30, 3000}, {2.0, 2.0, 1.0}},
        {{150, 200, 3}, {4.0, 4.0, 1.0}},
        {{3, 3, 20, 30, 25}, {2.0, 2.0, 2.0, 1.0, 2.0}},
        {{300, 411}, {4.0, 2.999}},
    };
    // Long rows: tables that serve many blocks, under every convention and element size, growing and shrinking.
    const ZoomSize long_rows[] = {
        {{30000}, {2.0}},   {{30000}, {1.5}},         {{50000}, {0.5}},        {{70000}, {0.3}},
        {{70000}, {0.1}},   {{30000}, {1.73205}},     {{20001}, {3.0}},        {{20000}, {2.5}},
        {{3, 9000}, {2.0}}, {{300, 3}, {100.0, 1.0}}, {{5000, 3}, {6.0, 1.0}}, {{2}, {40000.0}},
    };
    for (const DType dtype : each_size) {
        for (const ZoomSize& size : long_rows) {
            for (const char* convention : conventions) {
                add_zoom(cases, dtype, size, convention);
            }
        }
    }
    std::size_t turn = 0;
    for (const ZoomSize& size : large) {
        for (const DType dtype : {DType::uint8, DType::uint32, DType::complex128}) {
            add_zoom(cases, dtype, size, conventions[turn++ % 4]);
        }
    }
    return cases;
}

// Zooms that compute: every order, mode and dtype in turn over shapes that take each path: short and long rows, folded
// axes, axes that stay, shrinking by little and by much. 64-bit integers hold more than the double they go through.
struct SplineSize {
    Shape shape;
    Shape zoomed;
    bool is_antialiased = false;
};

std::vector<std::int64_t> extents_of(const Shape& shape) {
    return {shape.values().begin(), shape.values().end()};
}

void add_spline(std::vector<AgreementCase>& cases, const SplineSize& size, DType dtype, int order,
                const std::string& mode, const char* convention, bool is_prefiltered) {
    ParameterValues parameters;
    parameters.set("shape", extents_of(size.zoomed));
    parameters.set("order", std::int64_t{order});
    parameters.set("mode", mode);
    parameters.set("cval", 7.25);
    parameters.set("convention", std::string(convention));
    parameters.set("prefilter", std::string(is_prefiltered ? "on" : "off"));
    parameters.set("antialias", size.is_antialiased);
    const std::string name = "zoom " + to_text(size.shape) + " to " + to_text(size.zoomed) + " " +
                             std::string(name_of(dtype)) + " order " + std::to_string(order) + " " + mode +
                             " " + convention + (is_prefiltered ? "" : " without prefilter") +
                             (size.is_antialiased ? " antialiased" : "");
    cases.push_back({name, {{{dtype, size.shape, MemoryOrder::c}}, parameters}, Content::ordinary});
}

std::vector<AgreementCase> spline_zoom_cases() {
    const SplineSize small[] = {
        {{1}, {5}},
        {{2}, {3}},
        {{37}, {80}},
        {{300}, {41}},
        {{3000}, {9}, true},
        {{9, 13}, {20, 31}},
        {{9, 13}, {9, 40}},
        {{9, 13}, {20, 13}},
        {{40, 33}, {13, 11}, true},
        {{6, 9, 3}, {12, 17, 3}},
        {{5, 6, 40}, {9, 4, 40}},
        {{1, 6, 7}, {3, 11, 1}},
        {{5, 6, 7}, {9, 6, 20}},
        {{2, 4, 3, 5}, {3, 4, 5, 8}},
        {{3, 3, 2, 35}, {5, 7, 2, 35}},
        {{2, 1, 4, 2, 3}, {3, 1, 3, 2, 4}},
    };
    constexpr DType dtypes[] = {DType::float32,   DType::float64, DType::int16,
                                DType::boolean,   DType::uint8,   DType::int32,
                                DType::complex64, DType::uint32,  DType::complex128};
    const std::vector<std::string> modes = boundary_names();
    std::vector<AgreementCase> cases;
    std::size_t turn = 0;
    for (const SplineSize& size : small) {
        for (int order = 0; order <= 5; ++order) {
            if (order == 0 && !size.is_antialiased) {
                continue;
            }
            for (int variant = 0; variant < 3; ++variant, ++turn) {
                add_spline(cases, size, dtypes[turn % 9], order, modes[turn / 2 % 7],
                           turn % 3 == 0 ? "scipy" : "scipy-grid", turn % 7 != 6);
            }
        }
    }
    // Streamed: rows of several pieces, ragged rows, short rows, folded and long inner axes.
    add_spline(cases, {{30, 5, 300}, {61, 11, 601}}, DType::float32, 1, "constant", "scipy", true);
    add_spline(cases, {{200, 700}, {203, 1501}}, DType::float32, 2, "mirror", "scipy", false);
    add_spline(cases, {{120, 600}, {450, 2401}}, DType::uint8, 1, "nearest", "scipy-grid", true);
    add_spline(cases, {{70, 6000}, {131, 2100}}, DType::float64, 1, "grid-wrap", "scipy-grid", true);
    add_spline(cases, {{300, 20, 3}, {651, 301, 3}}, DType::int16, 1, "reflect", "scipy-grid", true);
    add_spline(cases, {{40, 20, 180}, {81, 41, 180}}, DType::complex64, 1, "grid-constant", "scipy-grid",
               true);
    // Rows of whole vectors, past the caches: two axes at once, with seams, pairs of results, single ones and weights of 0.
    add_spline(cases, {{20, 30, 80}, {45, 61, 160}}, DType::float32, 1, "constant", "scipy", true);
    add_spline(cases, {{64, 40, 40}, {128, 80, 80}}, DType::float32, 1, "reflect", "scipy-grid", true);
    add_spline(cases, {{12, 9, 33}, {40, 31, 176}}, DType::float64, 1, "grid-wrap", "scipy-grid", true);
    add_spline(cases, {{10, 12, 40}, {31, 37, 120}}, DType::complex64, 1, "grid-constant", "scipy-grid",
               true);
    add_spline(cases, {{100000}, {270001}}, DType::float32, 3, "reflect", "scipy", true);
    return cases;
}

template <typename T>
void fill_with_reals(std::vector<std::byte>& content, Content kind, std::mt19937_64& random) {
    using Limits = std::numeric_limits<T>;
    const T specials[] = {T(0),
                          -T(0),
                          Limits::infinity(),
                          -Limits::infinity(),
                          Limits::quiet_NaN(),
                          -Limits::quiet_NaN(),
                          Limits::denorm_min(),
                          Limits::max()};
    const T largest = kind == Content::up_to_one ? T(1) : T(1000);
    std::uniform_real_distribution<T> ordinary(-largest, largest);
    for (std::size_t i = 0; i + sizeof(T) <= content.size(); i += sizeof(T)) {
        const T value =
            kind == Content::any_bits && random() % 8 == 0 ? specials[random() % 8] : ordinary(random);
        std::memcpy(content.data() + i, &value, sizeof(T));
    }
}

}  // namespace

std::vector<AgreementCase> agreement_cases(std::string_view kernel) {
    if (kernel == "outer") {
        return outer_cases();
    }
    if (kernel == "zoom") {
        std::vector<AgreementCase> cases = zoom_cases();
        std::ranges::move(spline_zoom_cases(), std::back_inserter(cases));
        return cases;
    }
    if (kernel == "affine") {
        return affine_cases();
    }
    if (kernel == "reslice") {
        return reslice_cases();
    }
    if (kernel == "realign") {
        return realign_cases();
    }
    if (kernel == "smooth") {
        return smooth_cases();
    }
    if (kernel == "map") {
        return map_cases();
    }
    if (kernel == "fold") {
        return fold_cases();
    }
    if (kernel == "minimum" || kernel == "median" || kernel == "maximum") {
        return order_statistic_cases(kernel);
    }
    if (kernel == "matmul") {
        return matmul_cases();
    }
    if (kernel.ends_with("fft")) {
        return fft_cases(kernel);
    }
    if (kernel == "uniform") {
        return uniform_cases();
    }
    if (kernel == "gaussian") {
        return gaussian_cases();
    }
    if (kernel == "correlate" || kernel == "convolve") {
        return correlate_cases(kernel);
    }
    return plugin_cases(kernel);
}

std::vector<AgreementCase> shared_agreement_cases(std::string_view kernel) {
    const char* const wanted = std::getenv("SLABD_AGREEMENT_KERNEL");
    if (wanted != nullptr && !kernel.starts_with(wanted)) {
        return {};
    }
    const char* const share = std::getenv("SLABD_AGREEMENT_SHARE");
    std::vector<AgreementCase> cases = agreement_cases(kernel);
    std::size_t own = 0;
    std::size_t shares = 1;
    if (share == nullptr || std::sscanf(share, "%zu/%zu", &own, &shares) != 2 || shares == 0) {
        return cases;
    }
    std::vector<AgreementCase> mine;
    for (std::size_t i = own; i < cases.size(); i += shares) {
        mine.push_back(std::move(cases[i]));
    }
    return mine;
}

std::vector<std::byte> random_content(const ArrayDescription& array, Content kind, std::mt19937_64& random) {
    std::vector<std::byte> content(static_cast<std::size_t>(byte_count(array)));
    switch (array.dtype) {
    case DType::float32:
    case DType::complex64: fill_with_reals<float>(content, kind, random); break;
    case DType::float64:
    case DType::complex128: fill_with_reals<double>(content, kind, random); break;
    default:
        fill_with_noise(content, random);
        std::ranges::replace_if(
            content, [](std::byte byte) { return byte < std::byte{52}; }, std::byte{0});
    }
    return content;
}

}  // namespace slab::agreement
