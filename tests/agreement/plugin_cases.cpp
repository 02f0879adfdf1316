#include "tests/agreement/plugin_cases.hpp"

#include "daemon/kernels/kernel_registry.hpp"
#include "daemon/kernels/plugin/plugin_kernel.hpp"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <memory>
#include <string>

namespace slab::agreement {
namespace {

using kernels::AxisOrder;
using kernels::ParameterValues;

struct Case {
    std::vector<Shape> shapes;
    ParameterValues parameters;
    AxisOrder axes = AxisOrder::as_given;
};

std::vector<AgreementCase> named(std::string_view kernel, DType dtype, std::vector<Case> cases) {
    std::vector<AgreementCase> result;
    for (Case& one : cases) {
        AgreementCase agreement_case{
            std::string(kernel), {{}, std::move(one.parameters), one.axes}, Content::ordinary};
        for (const Shape& shape : one.shapes) {
            agreement_case.request.inputs.push_back({dtype, shape, MemoryOrder::c});
            agreement_case.name += " " + to_text(shape);
        }
        agreement_case.name += one.axes == AxisOrder::reversed ? " reversed" : "";
        result.push_back(std::move(agreement_case));
    }
    return result;
}

template <typename T>
ParameterValues with(const char* name, T value) {
    ParameterValues values;
    values.set(name, std::move(value));
    return values;
}

ParameterValues bilateral_parameters(std::vector<double> sigma) {
    ParameterValues values = with("sigma", std::move(sigma));
    values.set("range_sigma", 300.0);
    return values;
}

ParameterValues told_values() {
    ParameterValues values;
    values.set("whole", std::int64_t{-3});
    values.set("real", 0.5);
    values.set("choice", std::string("some"));
    values.set("wholes", std::vector<std::int64_t>{1, 2, 3});
    values.set("reals", std::vector<double>{0.25});
    values.set("table", kernels::Table{1, 2, {5, 6}});
    values.set("flag", true);
    values.set("axes", kernels::AxisList{{0, -1}});
    values.set("text", std::string("four"));
    return values;
}

}  // namespace

void register_plugin(const char* path) {
    void* const handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const auto* const table =
        handle == nullptr ? nullptr : static_cast<const slab_plugin*>(::dlsym(handle, SLAB_PLUGIN_SYMBOL));
    const auto told = table == nullptr ? std::unexpected(std::string("it cannot be loaded"))
                                       : kernels::read_plugin_table(*table);
    std::vector<kernels::Kernel> added;
    for (std::size_t number = 0; told && number < told->size(); ++number) {
        auto kernel = kernels::check_plugin_kernel((*told)[number], {path, "0"});
        if (!kernel) {
            std::fprintf(stderr, "%s: %s\n", path, kernel.error().c_str());
            std::exit(EXIT_FAILURE);
        }
        const auto fill = [table, number](std::size_t phase) {
            return kernels::fill_of(*table, number, phase);
        };
        added.push_back(kernels::plugin_kernel(
            std::make_shared<const kernels::PluginKernel>(std::move(*kernel)), {nullptr, fill}));
    }
    if (!told) {
        std::fprintf(stderr, "%s: %s\n", path, told.error().c_str());
        std::exit(EXIT_FAILURE);
    }
    kernels::add_plugin_kernels(std::move(added));
}

std::vector<AgreementCase> plugin_cases(std::string_view kernel) {
    if (kernel == "bilateral") {
        return named(kernel, DType::float32,
                     {{{{40, 50}}, bilateral_parameters({1.5})},
                      {{{7, 20, 30}}, bilateral_parameters({0.5, 1, 2})},
                      {{{1, 90}}, bilateral_parameters({0, 3})},
                      {{{20, 30, 7}}, bilateral_parameters({0.5, 1, 2}), AxisOrder::reversed}});
    }
    if (kernel == "block_mean") {
        return named(kernel, DType::float32,
                     {{{{41, 50}}, with("factor", std::vector<std::int64_t>{2})},
                      {{{41, 500}}, with("factor", std::vector<std::int64_t>{5, 7})},
                      {{{50, 41}}, with("factor", std::vector<std::int64_t>{1, 4}), AxisOrder::reversed},
                      {{{3, 3}}, with("factor", std::vector<std::int64_t>{9})}});
    }
    if (kernel == "plug_outer") {
        return named(kernel, DType::float64, {{{{30}, {70}}, {}}, {{{1}, {500}}, {}}, {{{500}, {1}}, {}}});
    }
    if (kernel == "plug_roughness") {
        return named(kernel, DType::float64,
                     {{{{100}}, with("radius", std::int64_t{2})},
                      {{{60, 9}}, with("radius", std::int64_t{0})},
                      {{{30, 5, 4}}, with("radius", std::int64_t{9})},
                      {{{5, 60}}, with("radius", std::int64_t{3}), AxisOrder::reversed}});
    }
    if (kernel == "plug_shift") {
        return named(kernel, DType::float64,
                     {{{{50, 20}}, with("steps", std::vector<std::int64_t>{3, 0})},
                      {{{20, 50}}, with("steps", std::vector<std::int64_t>{70, 1}), AxisOrder::reversed},
                      {{{2, 3, 4, 5, 6}}, with("steps", std::vector<std::int64_t>{1})}});
    }
    if (kernel == "plug_values") {
        return named(kernel, DType::uint8, {{{{4, 5, 6}}, told_values()}});
    }
    if (kernel == "plug_total") {
        return named(kernel, DType::float64, {{{{40, 9}}, {}}, {{{40, 9}, {40, 9}, {40, 9}}, {}}});
    }
    if (kernel.starts_with("plug_")) {
        return named(
            kernel, DType::float64,
            {{{{40, 30}}, {}}, {{{30, 40}}, {}, AxisOrder::reversed}, {{{1, 77}}, {}}, {{{77, 1}}, {}}});
    }
    return {};
}

}  // namespace slab::agreement
