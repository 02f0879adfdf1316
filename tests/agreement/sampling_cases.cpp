#include "tests/agreement/sampling_cases.hpp"

#include "daemon/kernels/interpolation/boundary.hpp"

#include <cmath>

namespace slab::agreement {
namespace {

using kernels::AxisOrder;
using kernels::ParameterValues;
using kernels::Table;

// Integers of 64 bits are left out: where double has no more digits, the definition and its fast version may differ by
// more than one.
constexpr DType computed_dtypes[] = {DType::boolean, DType::uint8,     DType::int8,      DType::uint16,
                                     DType::int16,   DType::uint32,    DType::int32,     DType::float32,
                                     DType::float64, DType::complex64, DType::complex128};

struct Map {
    const char* name;
    std::vector<double> matrix;  // n x n
    std::vector<double> offset;
};

std::vector<Map> maps_of(int rank) {
    if (rank == 1) {
        return {{"same", {1.0}, {0.0}}, {"stretched", {0.31}, {-1.7}}, {"turned", {-1.0}, {12.3}}};
    }
    const double c = std::cos(0.1);
    const double s = std::sin(0.1);
    if (rank == 2) {
        return {{"same", {1, 0, 0, 1}, {0, 0}},
                {"moved", {1, 0, 0, 1}, {0.37, -2.61}},
                {"turned", {c, -s, s, c}, {-0.4, 1.3}},
                {"sheared far", {1.7, 0.9, -0.8, 2.3}, {-3.1, 2.7}}};
    }
    return {{"same", {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0}},
            {"moved", {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0.37, -1.0, 1.23}},
            {"turned a little", {1, 0.013, -0.02, -0.013, 1, 0.017, 0.02, -0.017, 1}, {-0.3, 0.4, 0.2}},
            {"turned", {c, -s, 0.05, s, c, -0.2, -0.05, 0.2, 1}, {-0.4, 1.3, -1.1}},
            {"mirrored", {-0.9, 0, 0, 0, 1.1, 0, 0, 0, -1.2}, {6.3, -0.8, 11.1}}};
}

void add_affine(std::vector<AgreementCase>& cases, DType dtype, const Shape& input, const Shape& output,
                const Map& map, int order, const std::string& mode, const char* prefilter = "on",
                const char* precision = "auto") {
    ParameterValues parameters;
    const std::int64_t n = input.rank;
    parameters.set("matrix", Table{n, n, map.matrix});
    parameters.set("offset", map.offset);
    parameters.set("shape", std::vector<std::int64_t>(output.extents.begin(), output.extents.begin() + n));
    parameters.set("order", std::int64_t{order});
    parameters.set("mode", mode);
    parameters.set("cval", 37.25);
    parameters.set("prefilter", std::string(prefilter));
    parameters.set("precision", std::string(precision));
    std::string name = "affine " + to_text(input) + " to " + to_text(output) + " " +
                       std::string(name_of(dtype)) + " " + map.name + " order " + std::to_string(order) +
                       " " + mode + " prefilter " + prefilter + " " + precision;
    cases.push_back({std::move(name),
                     {{{dtype, input, MemoryOrder::c}}, parameters},
                     order == 0 ? Content::any_bits : Content::ordinary});
}

struct Series {
    Shape shape;
    const char* batch;
    std::int64_t transforms;
};

// Small motions, the first of them none.
Table motions(std::int64_t count) {
    Table table{count, 6, {}};
    for (std::int64_t i = 0; i < count; ++i) {
        for (int column = 0; column < 6; ++column) {
            const double phase = static_cast<double>(i) * (0.7 + 0.31 * column);
            table.values.push_back(std::sin(phase) * (column < 3 ? 1.3 : 0.06));
        }
    }
    return table;
}

void add_reslice(std::vector<AgreementCase>& cases, DType dtype, const Series& series, AxisOrder axes,
                 int order, const std::string& mode, bool is_masked) {
    ParameterValues parameters;
    parameters.set("transforms", motions(series.transforms));
    parameters.set("convention", std::string("spm"));
    parameters.set("batch", std::string(series.batch));
    parameters.set("order", std::to_string(order));
    parameters.set("mode", mode);
    parameters.set("cval", 5.0);
    parameters.set("mask_outside", is_masked);
    const std::string text = std::string("reslice ") + to_text(series.shape) + " " + series.batch +
                             (axes == AxisOrder::reversed ? " reversed " : " ") +
                             std::string(name_of(dtype)) + " order " + std::to_string(order) + " " + mode +
                             (is_masked ? " masked" : "");
    cases.push_back({text,
                     {{{dtype, series.shape, MemoryOrder::c}}, parameters, axes},
                     order == 0 ? Content::any_bits : Content::ordinary});
}

}  // namespace

std::vector<AgreementCase> affine_cases() {
    std::vector<AgreementCase> cases;
    const std::vector<std::string> modes = kernels::boundary_names();
    std::size_t turn = 0;
    const Shape shapes[] = {{37}, {1}, {9, 21}, {1, 40}, {5, 6, 23}, {7, 1, 3}};
    for (const Shape& shape : shapes) {
        for (const Map& map : maps_of(shape.rank)) {
            for (int order = 0; order <= 5; ++order) {
                // Two of the seven modes in turn: every one with every shape.
                for (int i = 0; i < 2; ++i) {
                    const std::string& mode = modes[turn++ % modes.size()];
                    add_affine(cases, order % 2 == 0 ? DType::float64 : DType::float32, shape, shape, map,
                               order, mode);
                }
            }
        }
    }
    const std::vector<Map> volume = maps_of(3);
    for (const DType dtype : computed_dtypes) {
        for (const int order : {0, 1, 2, 3, 5}) {
            add_affine(cases, dtype, {6, 7, 21}, {5, 8, 33}, volume[3], order, "reflect");
            add_affine(cases, dtype, {6, 7, 21}, {6, 7, 21}, volume[2], order, "grid-constant", "off",
                       "double");
            if (dtype != DType::uint32 && dtype != DType::int32) {  // float does not hold them
                add_affine(cases, dtype, {6, 7, 21}, {6, 7, 21}, volume[2], order, "constant", "on",
                           "single");
            }
        }
    }
    add_affine(cases, DType::int64, {6, 7, 21}, {6, 7, 21}, volume[3], 0, "wrap");
    // Streamed: lines that are stored together, lines of several pieces.
    add_affine(cases, DType::float32, {20, 50, 60}, {70, 61, 67}, volume[2], 1, "constant");
    add_affine(cases, DType::uint8, {20, 50, 60}, {30, 150, 240}, volume[3], 3, "nearest");
    add_affine(cases, DType::complex64, {20, 50, 60}, {41, 51, 67}, volume[2], 3, "mirror");
    add_affine(cases, DType::float64, {3, 50}, {4, 33000}, maps_of(2)[2], 1, "reflect");
    add_affine(cases, DType::uint16, {300}, {600001}, maps_of(1)[1], 2, "constant");
    return cases;
}

std::vector<AgreementCase> reslice_cases() {
    std::vector<AgreementCase> cases;
    const Series small[] = {{{9, 5, 21}, "last", 1},       {{4, 6, 7, 21}, "first", 4},
                            {{6, 5, 7, 4}, "last", 4},     {{2, 3, 4, 5, 6}, "first", 6},
                            {{2, 3, 4, 5, 6}, "first", 2}, {{5, 4, 6, 2, 3}, "last", 6},
                            {{5, 4, 6, 2, 3}, "last", 2},  {{1, 3, 6, 7, 9}, "first", 3}};
    for (const Series& series : small) {
        for (const int order : {0, 1, 3}) {
            for (const DType dtype : {DType::float32, DType::int16, DType::complex128}) {
                add_reslice(cases, dtype, series, AxisOrder::as_given, order, "constant", order == 1);
                add_reslice(cases, dtype, series, AxisOrder::as_given, order, "grid-wrap", order == 0);
            }
        }
    }
    // Shown to the kernel turned round: (t, z, y, x) is the user's (x, y, z, t).
    add_reslice(cases, DType::float32, {{4, 6, 7, 21}, "last", 4}, AxisOrder::reversed, 3, "nearest", true);
    add_reslice(cases, DType::float32, {{6, 7, 9, 4}, "first", 4}, AxisOrder::reversed, 2, "reflect", true);
    add_reslice(cases, DType::int32, {{3, 2, 4, 5, 6}, "last", 2}, AxisOrder::reversed, 5, "mirror", false);
    // Streamed.
    add_reslice(cases, DType::float32, {{6, 20, 50, 61}, "first", 6}, AxisOrder::as_given, 1, "constant",
                true);
    add_reslice(cases, DType::int16, {{20, 50, 55, 11}, "last", 11}, AxisOrder::as_given, 3, "constant",
                false);
    return cases;
}

std::vector<AgreementCase> realign_cases() {
    std::vector<AgreementCase> cases;
    const auto add = [&](const Shape& shape, DType dtype, AxisOrder axes, const char* order,
                         bool is_estimate_only) {
        ParameterValues parameters;
        parameters.set("batch", std::string(axes == AxisOrder::reversed ? "last" : "first"));
        parameters.set("reference", std::string(shape[0] > 4 ? "2" : "middle"));
        parameters.set("voxel_size", std::vector<double>{2.0, 3.0, 2.5});
        parameters.set("order", std::string(order));
        parameters.set("estimate_only", is_estimate_only);
        parameters.set("mask_outside", shape[0] == 3);
        parameters.set("mode", std::string("constant"));
        parameters.set("cval", 0.0);
        parameters.set("precision", std::string("auto"));
        parameters.set("gain_fields", std::string("on"));
        AgreementCase one{"realign " + to_text(shape) + " " + std::string(name_of(dtype)) + " order " +
                              order + (is_estimate_only ? " estimate only" : ""),
                          {{{dtype, shape, MemoryOrder::c}}, std::move(parameters), axes},
                          Content::ordinary};
        cases.push_back(std::move(one));
    };
    add({4, 9, 10, 12}, DType::float32, AxisOrder::as_given, "cubic", false);
    add({3, 8, 8, 21}, DType::int16, AxisOrder::as_given, "linear", false);
    add({17, 9, 8, 10}, DType::float32, AxisOrder::reversed, "nearest", false);
    add({17, 16, 17, 18}, DType::uint16, AxisOrder::reversed, "quintic", false);
    add({5, 2, 3, 9}, DType::int16, AxisOrder::as_given, "cubic", false);
    add({2, 20, 8, 9}, DType::float64, AxisOrder::reversed, "cubic", true);
    add({18, 16, 33, 18}, DType::float32, AxisOrder::as_given, "cubic", true);
    // Several slabs a frame: few frames, whose slabs are tiles, and many.
    add({3, 20, 34, 33}, DType::float32, AxisOrder::as_given, "linear", true);
    add({17, 20, 34, 33}, DType::int16, AxisOrder::as_given, "linear", true);
    // Beside the series an image of the reference, and a mask.
    add({4, 9, 10, 13}, DType::float32, AxisOrder::as_given, "cubic", false);
    kernels::PlanRequest& with_images = cases.back().request;
    with_images.inputs.push_back({DType::int16, Shape{9, 10, 13}, MemoryOrder::c});
    with_images.inputs.push_back({DType::float32, Shape{9, 10, 13}, MemoryOrder::c});
    with_images.parameters.set("reference", std::string("input 2"));
    with_images.parameters.set("mask", std::string("input 3"));
    cases.back().name += " with a reference and a mask";
    return cases;
}

}  // namespace slab::agreement
