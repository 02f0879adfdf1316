#include "tests/speed/kernel_cases.hpp"

#include <cmath>

namespace slab::speed {

using namespace slab::kernels;

namespace {

ParameterValues zoom_parameters(std::vector<double> factor, std::string convention) {
    ParameterValues values;
    values.set("factor", std::move(factor));
    values.set("convention", std::move(convention));
    values.set("order", std::int64_t{0});
    return values;
}

// Nearest neighbour of every element size, growing and shrinking.
void add_zooms_of_order_0(std::vector<SpeedCase>& cases) {
    const auto add = [&](DType dtype, Shape shape, double factor, double needed_share,
                         const char* convention) {
        std::string name = "zoom0 x" + std::to_string(factor).substr(0, 3) + " " +
                           std::string(name_of(dtype)) + " " + to_text(shape) + " " + convention;
        cases.push_back({std::move(name),
                         "zoom",
                         {{dtype, shape, MemoryOrder::c}},
                         zoom_parameters({factor}, convention),
                         needed_share});
    };
    for (const DType dtype :
         {DType::uint8, DType::uint16, DType::float32, DType::float64, DType::complex128}) {
        add(dtype, {256, 256, 256}, 2.0, 1.0, "scipy");
        add(dtype, {256, 256, 256}, 1.5, 1.0, "scipy");
        add(dtype, {256, 256, 256}, 1.7, 1.0, "scipy");
        // Rows and planes of which every second is not touched. Each line of the others is.
        add(dtype, {512, 512, 512}, 0.5, 0.25, "scipy");
    }
    add(DType::float32, {8192, 8192}, 2.0, 1.0, "scipy");
    add(DType::uint8, {8192, 8192}, 2.0, 1.0, "scipy");
    add(DType::float32, {8192, 8192}, 0.5, 0.5, "scipy");
    add(DType::uint8, {16384, 16384}, 0.5, 0.5, "scipy");
    add(DType::float32, {1024, 1024, 512}, 0.3, 0.09, "scipy");
    for (const double factor : {2.0, 1.5, 0.5}) {
        add(DType::uint8, {400000000}, factor, 1.0, "scipy");
        add(DType::float32, {100000000}, factor, 1.0, "scipy");
        add(DType::float64, {50000000}, factor, 1.0, "scipy");
    }
    add(DType::float32, {100000000}, 1.5, 1.0, "scipy-grid");
}

ParameterValues spline_parameters(std::vector<double> factor, std::int64_t order) {
    ParameterValues values = zoom_parameters(std::move(factor), "scipy");
    values.set("order", order);
    return values;
}

// A zoom that computes, of float32.
SpeedCase spline_case(std::string name, Shape shape, std::vector<double> factor, std::int64_t order) {
    return {std::move(name),
            "zoom",
            {ArrayDescription{DType::float32, shape, MemoryOrder::c}},
            spline_parameters(std::move(factor), order)};
}

// A head that moves a little: up to 2 mm and 0.03 radians about the middle of voxels of 2.4 mm. Frames come first.
ParameterValues small_motions(const Shape& series, const char* order) {
    const std::int64_t frames = series[0];
    Table motions{frames, 6, {}};
    for (std::int64_t frame = 0; frame < frames; ++frame) {
        for (int column = 0; column < 6; ++column) {
            const double phase = 0.1 * static_cast<double>(frame) * (1.0 + 0.37 * column);
            motions.values.push_back(std::sin(phase) * (column < 3 ? 2.0 : 0.03));
        }
    }
    Table affine{4, 4, std::vector<double>(16)};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        affine.values[5 * axis] = 2.4;
        affine.values[4 * axis + 3] = -1.2 * static_cast<double>(series[static_cast<int>(axis) + 1]);
    }
    affine.values[15] = 1.0;
    ParameterValues values;
    values.set("transforms", std::move(motions));
    values.set("convention", std::string("spm"));
    values.set("affine", std::move(affine));
    values.set("batch", std::string("first"));
    values.set("order", std::string(order));
    return values;
}

void add_reslices(std::vector<SpeedCase>& cases) {
    const Shape series{100, 60, 96, 96};
    for (const char* order : {"0", "1", "2", "3", "4", "5"}) {
        cases.push_back({std::string("reslice order ") + order + " (100,60,96,96) float32",
                         "reslice",
                         {ArrayDescription{DType::float32, series, MemoryOrder::c}},
                         small_motions(series, order)});
    }
    cases.push_back({"reslice order 1 (100,60,96,96) int16",
                     "reslice",
                     {ArrayDescription{DType::int16, series, MemoryOrder::c}},
                     small_motions(series, "1")});
    ParameterValues masked = small_motions(series, "1");
    masked.set("mask_outside", true);
    cases.push_back({"reslice order 1 (100,60,96,96) float32 masked",
                     "reslice",
                     {ArrayDescription{DType::float32, series, MemoryOrder::c}},
                     std::move(masked)});
}

void add_expressions(std::vector<SpeedCase>& cases) {
    const auto add = [&](const char* kernel, const char* expression, const char* reduce, Shape shape,
                         DType dtype, std::size_t inputs, std::vector<std::int64_t> axis = {}) {
        SpeedCase one{std::string(kernel) + " " + reduce + " " + expression + " " +
                          std::string(name_of(dtype)) + " " + to_text(shape),
                      kernel,
                      std::vector<ArrayDescription>(inputs, {dtype, shape, MemoryOrder::c}),
                      {}};
        one.parameters.set("expr", std::string(expression));
        if (*reduce != '\0') {
            one.parameters.set("reduce", std::string(reduce));
        }
        if (!axis.empty()) {
            one.name += " axis " + std::to_string(axis.front());
            one.parameters.set("axis", AxisList{std::move(axis)});
        }
        cases.push_back(std::move(one));
    };
    add("map", "sqrt(a) + b**2", "", {80'000'000}, DType::float64, 2);
    add("map", "sqrt(a) + b**2", "", {160'000'000}, DType::float32, 2);
    add("map", "a", "", {80'000'000}, DType::float64, 1);
    add("map", "a * 2 + 1", "", {400'000'000}, DType::uint8, 1);
    add("map", "float32(a) * 0.5", "", {200'000'000}, DType::int16, 1);
    add("map", "exp(a / 1001)", "", {80'000'000}, DType::float64, 1);
    add("map", "sin(a)", "", {80'000'000}, DType::float32, 1);
    add("map", "where((a > 3) & (b < 900), a, b)", "", {100'000'000}, DType::float32, 2);
    add("fold", "sqrt(a) + a*a", "sum", {160'000'000}, DType::float64, 1);
    for (const char* reduce : {"sum", "max", "std", "argmax"}) {
        add("fold", "a", reduce, {160'000'000}, DType::float64, 1);
        add("fold", "a", reduce, {20'000, 8'000}, DType::float32, 1, {0});
        add("fold", "a", reduce, {20'000, 8'000}, DType::float32, 1, {1});
    }
    add("fold", "a", "sum", {400'000'000}, DType::uint8, 1);
    add("fold", "a", "sum", {50'000'000, 3}, DType::float32, 1, {0});
    add("fold", "a", "sum", {50'000'000, 3}, DType::float32, 1, {1});
    add("fold", "a", "histogram", {100'000'000}, DType::float32, 1);
    cases.back().parameters.set("range", Table{1, 2, {0.0, 1001.0}});
}

ParameterValues window_parameters(std::vector<std::int64_t> size) {
    ParameterValues values;
    values.set("size", std::move(size));
    return values;
}

void add_order_statistics(std::vector<SpeedCase>& cases) {
    const auto add = [&](const char* kernel, DType dtype, Shape shape, std::int64_t size) {
        cases.push_back({std::string(kernel) + " " + std::to_string(size) + " " + to_text(shape) + " " +
                             std::string(name_of(dtype)),
                         kernel,
                         {{dtype, shape, MemoryOrder::c}},
                         window_parameters({size})});
    };
    for (const DType dtype : {DType::uint8, DType::uint16, DType::float32, DType::float64}) {
        add("median", dtype, {4096, 4096}, 3);
        add("median", dtype, {4096, 4096}, 5);
        add("minimum", dtype, {4096, 4096}, 3);
    }
    add("median", DType::uint8, {4096, 4096}, 21);
    add("median", DType::float32, {256, 256, 256}, 3);
    add("maximum", DType::float32, {256, 256, 256}, 3);
    add("maximum", DType::float32, {4096, 4096}, 31);
}

void add_products_and_transforms(std::vector<SpeedCase>& cases) {
    for (const DType dtype : {DType::float32, DType::float64}) {
        const ArrayDescription matrix{dtype, {4096, 4096}, MemoryOrder::c};
        cases.push_back({"matmul 4096^3 " + std::string(name_of(dtype)), "matmul", {matrix, matrix}, {}});
    }
    const auto add = [&](const char* kernel, DType dtype, Shape shape, std::vector<std::int64_t> axes) {
        ParameterValues values;
        values.set("axes", AxisList{std::move(axes)});
        cases.push_back({std::string(kernel) + " " + to_text(shape) + " " + std::string(name_of(dtype)),
                         kernel,
                         {{dtype, shape, MemoryOrder::c}},
                         std::move(values)});
    };
    add("fft", DType::complex64, {4096, 4096}, {0, 1});
    add("fft", DType::complex128, {4096, 4096}, {0, 1});
    add("fft", DType::complex64, {256, 256, 256}, {0, 1, 2});
    add("rfft", DType::float32, {4096, 4096}, {0, 1});
    add("irfft", DType::complex64, {4096, 2049}, {0, 1});
}

void add_windows(std::vector<SpeedCase>& cases) {
    const auto add = [&](const char* kernel, DType dtype, Shape shape, const char* facts,
                         ParameterValues values) {
        cases.push_back(
            {std::string(kernel) + " " + facts + " " + std::string(name_of(dtype)) + " " + to_text(shape),
             kernel,
             {{dtype, shape, MemoryOrder::c}},
             std::move(values)});
    };
    const auto box = [](std::int64_t size) {
        ParameterValues values;
        values.set("size", std::vector<std::int64_t>{size});
        return values;
    };
    const auto smoothing = [](double sigma) {
        ParameterValues values;
        values.set("sigma", std::vector<double>{sigma});
        return values;
    };
    for (const DType dtype : {DType::float32, DType::uint8, DType::float64}) {
        add("uniform", dtype, {16384, 16384}, "3x3", box(3));
        add("gaussian", dtype, {16384, 16384}, "sigma 2", smoothing(2.0));
    }
    add("uniform", DType::float32, {256, 256, 256}, "3x3x3", box(3));
    add("uniform", DType::float32, {512, 512, 512}, "9x9x9", box(9));
    add("uniform", DType::float32, {16384, 16384}, "31x31", box(31));
    add("uniform", DType::float32, {16384, 16384}, "301x301", box(301));
    add("gaussian", DType::float32, {256, 256, 256}, "sigma 2", smoothing(2.0));
    add("gaussian", DType::float32, {512, 512, 512}, "sigma 2", smoothing(2.0));
    add("gaussian", DType::int16, {256, 256, 256}, "sigma 2", smoothing(2.0));
    add("gaussian", DType::float32, {8192, 8192}, "sigma 20", smoothing(20.0));
    const auto weigh = [&](DType dtype, Shape shape, Shape weights) {
        cases.push_back(
            {"correlate " + to_text(weights) + " " + std::string(name_of(dtype)) + " " + to_text(shape),
             "correlate",
             {{dtype, shape, MemoryOrder::c}, {DType::float32, weights, MemoryOrder::c}},
             {}});
    };
    weigh(DType::float32, {8192, 8192}, {3, 3});
    weigh(DType::uint8, {8192, 8192}, {3, 3});
    weigh(DType::float32, {256, 256, 256}, {3, 3, 3});
    weigh(DType::float32, {4096, 4096}, {15, 15});
}

}  // namespace

std::vector<SpeedCase> speed_cases() {
    const auto array = [](DType dtype, Shape shape) {
        return ArrayDescription{dtype, shape, MemoryOrder::c};
    };
    std::vector<SpeedCase> cases{
        {"zoom x2 bool (1024,1024,512) round",
         "zoom",
         {array(DType::boolean, {1024, 1024, 512})},
         zoom_parameters({2.0}, "round")},
        {"zoom x2 bool (1024,1024,512) scipy",
         "zoom",
         {array(DType::boolean, {1024, 1024, 512})},
         zoom_parameters({2.0}, "scipy")},
        {"outer 50000x10000 float64",
         "outer",
         {array(DType::float64, {50000}), array(DType::float64, {10000})},
         {}},
        {"zoom x1.7 uint16 (300,500,701) scipy",
         "zoom",
         {array(DType::uint16, {300, 500, 701})},
         zoom_parameters({1.7}, "scipy")},
        {"zoom x3 uint8 (4000,5000,3) rgb floor",
         "zoom",
         {array(DType::uint8, {4000, 5000, 3})},
         zoom_parameters({3.0, 3.0, 1.0}, "floor")},
        {"zoom x2 float32 (512,512,180) series scipy",
         "zoom",
         {array(DType::float32, {512, 512, 180})},
         zoom_parameters({2.0, 2.0, 1.0}, "scipy")},
        {"zoom x2 1-D float32 scipy",
         "zoom",
         {array(DType::float32, {200000000})},
         zoom_parameters({2.0}, "scipy")},
        {"zoom x2 1-D uint8 scipy",
         "zoom",
         {array(DType::uint8, {500000000})},
         zoom_parameters({2.0}, "scipy")},
        {"zoom x0.5 float32 (1024,1024,1024) scipy",
         "zoom",
         {array(DType::float32, {1024, 1024, 1024})},
         zoom_parameters({0.5}, "scipy"),
         0.25},
        {"zoom x0.5 uint8 (812,812,812) scipy",
         "zoom",
         {array(DType::uint8, {812, 812, 812})},
         zoom_parameters({0.5}, "scipy"),
         0.25},
        spline_case("spline order 1 x2 256^3", {256, 256, 256}, {2.0}, 1),
        spline_case("spline order 3 x2 256^3", {256, 256, 256}, {2.0}, 3),
        spline_case("spline order 1 x2 8192^2", {8192, 8192}, {2.0}, 1),
        spline_case("spline order 3 x2 8192^2", {8192, 8192}, {2.0}, 3),
        spline_case("spline order 3 x2 (1,1,10,1000,1000)", {1, 1, 10, 1000, 1000}, {1.0, 1.0, 1.0, 2.0, 2.0},
                    3),
        spline_case("spline order 3 x2 (512,512,180) series", {512, 512, 180}, {2.0, 2.0, 1.0}, 3),
        spline_case("spline order 1 x2 1-D", {50000000}, {2.0}, 1),
        spline_case("spline order 3 x2 1-D", {50000000}, {2.0}, 3),
        spline_case("spline order 1 x0.5 512^3", {512, 512, 512}, {0.5}, 1),
        spline_case("spline order 3 x0.5 512^3", {512, 512, 512}, {0.5}, 3),
        spline_case("spline order 1 x0.3 512^3", {512, 512, 512}, {0.3}, 1),
        {"outer 40000000x10 float32",
         "outer",
         {array(DType::float32, {40000000}), array(DType::float32, {10})},
         {}},
        {"outer 20000x20001 uint8",
         "outer",
         {array(DType::uint8, {20000}), array(DType::uint8, {20001})},
         {}},
        {"outer 10000x10000 complex128",
         "outer",
         {array(DType::complex128, {10000}), array(DType::complex128, {10000})},
         {}},
    };
    add_zooms_of_order_0(cases);
    add_reslices(cases);
    add_expressions(cases);
    add_order_statistics(cases);
    add_products_and_transforms(cases);
    add_windows(cases);
    return cases;
}

}  // namespace slab::speed
