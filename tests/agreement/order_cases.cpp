#include "tests/agreement/order_cases.hpp"

#include "daemon/kernels/interpolation/boundary.hpp"

namespace slab::agreement {
namespace {

using kernels::ParameterValues;
using Values = std::vector<std::int64_t>;

constexpr DType real_dtypes[] = {DType::boolean, DType::uint8,   DType::int8,   DType::uint16,
                                 DType::int16,   DType::uint32,  DType::int32,  DType::uint64,
                                 DType::int64,   DType::float32, DType::float64};

struct Window {
    Shape shape;
    Values size;
    Values origin{0};
};

void add(std::vector<AgreementCase>& cases, std::string_view kernel, DType dtype, const Window& window,
         const std::string& mode) {
    ParameterValues parameters;
    parameters.set("size", window.size);
    parameters.set("origin", window.origin);
    parameters.set("mode", mode);
    parameters.set("cval", 7.25);
    std::string name(kernel);
    name += " " + to_text(window.shape) + " " + std::string(name_of(dtype)) + " " + mode;
    for (const std::int64_t size : window.size) {
        name += " " + std::to_string(size);
    }
    cases.push_back({std::move(name), {{{dtype, window.shape, MemoryOrder::c}}, parameters}});
}

}  // namespace

std::vector<AgreementCase> order_statistic_cases(std::string_view kernel) {
    const Window small[] = {
        {{1}, {1}},
        {{1}, {5}},
        {{37}, {3}},
        {{200}, {4}, {1}},
        {{90}, {61}, {-7}},
        {{9, 70}, {3}},
        {{9, 70}, {1, 3}},
        {{9, 70}, {3, 1}},
        {{40, 1}, {3}},
        {{21, 35}, {5}, {2, -1}},
        {{21, 35}, {2, 7}, {-1, 3}},
        {{3, 4}, {9, 6}},
        {{30, 90}, {17, 23}},
        {{4, 5, 40}, {3}},
        {{4, 5, 40}, {3, 1, 1}},
        {{6, 3, 11}, {5, 2, 4}, {0, -1, 1}},
        {{3, 4, 5, 21}, {2, 3, 2, 3}},
        {{2, 3, 2, 3, 20}, {2, 1, 3, 2, 3}},
    };
    const std::vector<std::string> modes = kernels::boundary_names();
    std::vector<AgreementCase> cases;
    std::size_t turn = 0;
    for (const Window& window : small) {
        for (int i = 0; i < 6; ++i, ++turn) {
            add(cases, kernel, real_dtypes[turn % std::size(real_dtypes)], window,
                modes[turn / 2 % modes.size()]);
        }
    }
    for (const DType dtype : real_dtypes) {
        add(cases, kernel, dtype, {{20, 75}, {3}}, "reflect");
        add(cases, kernel, dtype, {{20, 75}, {5, 6}}, "constant");
        add(cases, kernel, dtype, {{11, 43}, {19, 17}}, "mirror");
    }
    // Streamed, and rows of several pieces; a block of a few rows, and windows that fit into none.
    add(cases, kernel, DType::uint8, {{130, 8500}, {3}}, "reflect");
    add(cases, kernel, DType::float32, {{70, 4100}, {3}}, "nearest");
    add(cases, kernel, DType::float64, {{60, 2300}, {2, 5}}, "wrap");
    add(cases, kernel, DType::float32, {{6, 50, 1000}, {3}}, "grid-constant");
    add(cases, kernel, DType::float32, {{300000}, {7}}, "reflect");
    add(cases, kernel, DType::float64, {{5, 60}, {201, 3}}, "reflect");
    if (kernel != "median") {
        add(cases, kernel, DType::float64, {{3, 20}, {401, 201}}, "reflect");
        add(cases, kernel, DType::int32, {{2, 20}, {2, 20001}}, "mirror");
    }
    return cases;
}

}  // namespace slab::agreement
