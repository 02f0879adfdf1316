#include "tests/agreement/window_cases.hpp"

#include "daemon/kernels/interpolation/boundary.hpp"

#include <optional>

namespace slab::agreement {
namespace {

using kernels::AxisList;
using kernels::boundary_names;
using kernels::ParameterValues;

using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;

constexpr DType dtypes[] = {DType::float32,    DType::uint8,  DType::float64, DType::int16, DType::complex64,
                            DType::boolean,    DType::int32,  DType::uint16,  DType::int8,  DType::uint32,
                            DType::complex128, DType::uint64, DType::int64};

// Every dtype, mode and option comes in turn over the cases.
class Options {
  public:
    DType dtype() const { return dtypes[turn_ % std::size(dtypes)]; }

    // Sums of 64-bit integers and what is cut off there are beyond a double: any order of adding shows.
    ParameterValues next() {
        ParameterValues values;
        values.set("mode", modes_[turn_ / 2 % modes_.size()]);
        values.set("cval", turn_ % 3 == 0 ? 7.25 : 0.0);
        values.set("precision", std::string(turn_ % 5 == 4 ? "single" : turn_ % 5 == 3 ? "double" : "auto"));
        values.set("truncate_integers", turn_ % 4 == 3);
        const bool is_complex = dtype() == DType::complex64 || dtype() == DType::complex128;
        values.set("output_dtype", std::string(!is_complex && turn_ % 7 == 5   ? "float32"
                                               : !is_complex && turn_ % 7 == 6 ? "float64"
                                                                               : "same"));
        ++turn_;
        return values;
    }

  private:
    std::size_t turn_ = 0;
    std::vector<std::string> modes_ = boundary_names();
};

// What is computed and stored in the input's own type.
ParameterValues plain_options() {
    ParameterValues values;
    values.set("mode", std::string("mirror"));
    values.set("cval", 0.0);
    values.set("precision", std::string("auto"));
    values.set("truncate_integers", false);
    values.set("output_dtype", std::string("same"));
    return values;
}

// Than the type that some cases compute in.
bool has_more_digits(DType dtype) {
    return dtype == DType::uint32 || dtype == DType::int32 || dtype == DType::uint64 || dtype == DType::int64;
}

std::string text_of(const Integers& values) {
    std::string text;
    for (const std::int64_t value : values) {
        text += (text.empty() ? "" : ",") + std::to_string(value);
    }
    return text;
}

void add(std::vector<AgreementCase>& cases, const std::string& name, const Shape& shape, DType dtype,
         ParameterValues parameters) {
    const std::string facts = " " + std::string(name_of(dtype)) + " " + *parameters.get<std::string>("mode") +
                              " " + *parameters.get<std::string>("precision") +
                              (*parameters.get<bool>("truncate_integers") ? " cut" : "") + " to " +
                              *parameters.get<std::string>("output_dtype");
    cases.push_back({name + " " + to_text(shape) + facts,
                     {{{dtype, shape, MemoryOrder::c}}, std::move(parameters)},
                     Content::ordinary});
}

struct Box {
    Shape shape;
    Integers size;
    Integers origin = {0};
    Integers axes = {};
};

// Windows in registers and beyond, longer than the array, even, off their middle; each way that axes share a pass: within
// rows, across rows, across blocks of rows, folded channels, one axis at a time, axes left out.
const Box boxes[] = {
    {{1}, {3}},
    {{7}, {2}, {-1}},
    {{300}, {9}, {4}},
    {{1000}, {200}},
    {{40}, {101}},
    {{20, 30}, {3}},
    {{33, 70}, {8, 5}, {3, -2}},
    {{60, 90}, {31, 17}},
    {{5, 700}, {301, 3}},  // so long that rows are cut into pieces
    {{50, 140}, {13, 1}},
    {{17, 300}, {1, 40}},
    {{9, 12, 3}, {3, 5, 1}},
    {{30, 40, 3}, {12, 15, 1}},
    {{12, 14, 90}, {3}},
    {{20, 25, 30}, {5, 2, 9}, {-2, 0, 4}},
    {{26, 10, 23}, {21, 12, 3}},
    {{4, 50, 20}, {3, 80, 5}},
    {{6, 7, 8, 9}, {3, 1, 2, 4}},
    {{5, 6, 7, 40}, {3, 3, 3, 3}},
    {{6, 7, 50, 2}, {5, 5}, {0}, {0, 1}},
    {{9, 5, 44}, {3}, {1}, {-3}},
    {{3, 4, 5, 4, 6}, {2, 3, 3, 2, 3}},
    {{4, 9}, {1}},
};

struct Smoothing {
    Shape shape;
    Reals sigma;
    Integers derivative = {0};
    Integers axes = {};
};

const Smoothing smoothings[] = {
    {{1}, {1.0}},
    {{9}, {2.0}, {1}},
    {{700}, {8.0}},
    {{30}, {40.0}},
    {{20, 30}, {1.0}},
    {{40, 90}, {0.7, 3.0}, {2, 1}},
    {{90, 35}, {20.0, 0.0}},
    {{3, 600}, {35.0, 0.5}},
    {{30, 40, 3}, {2.0, 1.0, 0.0}, {0}},
    {{12, 24, 40}, {1.2}},
    {{22, 20, 33}, {1.0, 2.0, 0.5}, {1, 0, 2}},
    {{9, 30, 40}, {12.0, 1.0, 1.0}},
    {{6, 7, 8, 9}, {1.0}},
    {{6, 7, 50, 2}, {1.5}, {0}, {0, 1}},
    {{8, 5, 44}, {0.8}, {1}, {-3}},
    {{3, 4, 5, 4, 6}, {0.6}},
    {{4, 9}, {0.0}},
};

struct Weights {
    Shape shape;
    Shape weights;
    Integers origin = {0};
};

const Weights weighings[] = {
    {{1}, {3}},
    {{9}, {4}, {-2}},
    {{900}, {31}},
    {{50}, {301}},
    {{20, 30}, {3, 3}},
    {{40, 200}, {5, 2}, {2, 0}},
    {{30, 50}, {1, 7}},
    {{30, 50}, {6, 1}},
    {{12, 14, 3}, {3, 4, 1}},
    {{12, 14, 40}, {3, 2, 1}},
    {{9, 10, 70}, {3, 3, 3}, {1, -1, 0}},
    {{9, 10, 12}, {1, 1, 1}},
    {{6, 7, 8, 9}, {2, 3, 1, 5}},
    {{3, 4, 5, 4, 6}, {2, 1, 3, 2, 2}},
    {{8, 9}, {20, 25}},
};

}  // namespace

std::vector<AgreementCase> uniform_cases() {
    std::vector<AgreementCase> cases;
    Options options;
    const auto add_box = [&](const Box& box, std::optional<DType> maybe_dtype = {}) {
        const DType dtype = maybe_dtype.value_or(options.dtype());
        ParameterValues parameters = maybe_dtype ? plain_options() : options.next();
        parameters.set("size", box.size);
        parameters.set("origin", box.origin);
        if (!box.axes.empty()) {
            parameters.set("axes", AxisList{box.axes});
        }
        add(cases, "uniform " + text_of(box.size) + " origin " + text_of(box.origin), box.shape, dtype,
            std::move(parameters));
    };
    for (int round = 0; round < 4; ++round) {
        for (const Box& box : boxes) {
            add_box(box);
        }
    }
    // Streamed: several pieces, blocks and passes.
    for (const Box& box : {Box{{700, 1031}, {3}}, Box{{530, 531}, {12, 9}}, Box{{40, 90, 170}, {3}},
                           Box{{2000, 47, 3}, {9, 2, 1}}, Box{{600000}, {5}}}) {
        for (int round = 0; round < 2; ++round) {
            add_box(box);
        }
    }
    // Past the caches as they are summed up: whole vectors.
    for (const Box& box : {Box{{600, 640}, {3}}, Box{{530, 1024}, {4, 5}, {0, 1}}, Box{{20, 40, 512}, {3}}}) {
        for (const DType dtype : {DType::float32, DType::float64, DType::complex64}) {
            add_box(box, dtype);
        }
    }
    return cases;
}

std::vector<AgreementCase> gaussian_cases() {
    std::vector<AgreementCase> cases;
    Options options;
    const auto add_smoothing = [&](const Smoothing& smoothing, std::optional<DType> maybe_dtype = {},
                                   std::optional<std::string> maybe_mode = {}) {
        DType dtype = maybe_dtype.value_or(options.dtype());
        ParameterValues parameters = maybe_dtype ? plain_options() : options.next();
        if (maybe_mode) {
            parameters.set("mode", *maybe_mode);
            parameters.set("cval", 3.0);
        }
        // What a fused multiply-add rounds otherwise is more than one of these, but where they are cut off.
        if (has_more_digits(dtype) && !*parameters.get<bool>("truncate_integers")) {
            dtype = DType::int16;
        }
        parameters.set("sigma", smoothing.sigma);
        parameters.set("truncate", 3.0);
        parameters.set("derivative", smoothing.derivative);
        if (!smoothing.axes.empty()) {
            parameters.set("axes", AxisList{smoothing.axes});
        }
        std::string name = "gaussian";
        for (const double sigma : smoothing.sigma) {
            name += " " + std::to_string(sigma);
        }
        add(cases, name + " derivative " + text_of(smoothing.derivative), smoothing.shape, dtype,
            std::move(parameters));
    };
    for (int round = 0; round < 4; ++round) {
        for (const Smoothing& smoothing : smoothings) {
            add_smoothing(smoothing);
        }
    }
    for (const Smoothing& smoothing :
         {Smoothing{{380, 731}, {1.3}}, Smoothing{{30, 60, 150}, {0.5}}, Smoothing{{300000}, {5.0}}}) {
        for (int round = 0; round < 2; ++round) {
            add_smoothing(smoothing);
        }
    }
    // Past the caches as they are summed up: whole vectors.
    for (const Smoothing& smoothing : {Smoothing{{600, 640}, {1.3}}, Smoothing{{300, 1024}, {0.5, 2.0}},
                                       Smoothing{{40, 64, 128}, {1.2}}}) {
        for (const DType dtype : {DType::float32, DType::float64, DType::complex64}) {
            add_smoothing(smoothing, dtype);
        }
    }
    // Rows summed up where they lie and extended afterwards: with vectors of every width, and where the last step begins
    // earlier.
    for (const std::string mode : {"reflect", "mirror", "nearest", "wrap", "constant"}) {
        add_smoothing({{3, 20, 70}, {1.0}}, DType::float32, mode);
        add_smoothing({{21, 75}, {2.0, 3.0}, {1, 0}}, DType::float64, mode);
        // Windows whose weights stay in registers: lengths from 9 to 17, along each axis, and beside longer ones.
        add_smoothing({{3, 9, 70}, {1.3, 1.6, 2.0}}, DType::float32, mode);
    }
    add_smoothing({{2, 9, 270}, {2.3, 2.6, 1.3}}, DType::float32);
    add_smoothing({{5, 3, 128}, {2.6, 2.0, 1.6}}, DType::float32);
    add_smoothing({{2, 3, 9, 64}, {0.0, 2.0, 2.3, 2.6}}, DType::float32);
    add_smoothing({{2, 9, 80}, {2.0, 3.0, 2.3}, {0, 1, 0}}, DType::float32);
    return cases;
}

// Gaussians of widths in mm; the weights and their ways are gaussian's.
std::vector<AgreementCase> smooth_cases() {
    std::vector<AgreementCase> cases;
    for (const kernels::AxisOrder axes : {kernels::AxisOrder::as_given, kernels::AxisOrder::reversed}) {
        for (const DType dtype : {DType::float32, DType::int16}) {
            ParameterValues parameters = plain_options();
            parameters.set("fwhm", std::vector<double>{6.0, 4.0, 0.0});
            parameters.set("voxel_size", std::vector<double>{2.0, 3.0, 2.5});
            parameters.set("batch", std::string(dtype == DType::int16 ? "first" : "last"));
            cases.push_back({"smooth " + std::string(name_of(dtype)) +
                                 (axes == kernels::AxisOrder::reversed ? " reversed" : ""),
                             {{{dtype, {5, 12, 9, 17}, MemoryOrder::c}}, std::move(parameters), axes},
                             Content::ordinary});
        }
    }
    return cases;
}

std::vector<AgreementCase> correlate_cases(std::string_view kernel) {
    std::vector<AgreementCase> cases;
    Options options;
    constexpr DType weight_dtypes[] = {DType::float64, DType::float32, DType::int8, DType::complex128,
                                       DType::boolean};
    std::size_t turn = 0;
    const auto add_weighing = [&](const Weights& weighing) {
        const DType dtype = options.dtype();
        const DType weights = weight_dtypes[turn++ % std::size(weight_dtypes)];
        ParameterValues parameters = options.next();
        parameters.set("origin", weighing.origin);
        if (weights == DType::complex128) {
            parameters.set("output_dtype", std::string("same"));
        }
        add(cases,
            std::string(kernel) + " " + to_text(weighing.weights) + " of " + std::string(name_of(weights)) +
                " origin " + text_of(weighing.origin),
            weighing.shape, dtype, std::move(parameters));
        cases.back().request.inputs.push_back({weights, weighing.weights, MemoryOrder::c});
    };
    for (int round = 0; round < 4; ++round) {
        for (const Weights& weighing : weighings) {
            add_weighing(weighing);
        }
    }
    for (const Weights& weighing :
         {Weights{{500, 731}, {3, 3}}, Weights{{20, 90, 170}, {2, 3, 3}}, Weights{{400000}, {4}}}) {
        for (int round = 0; round < 2; ++round) {
            add_weighing(weighing);
        }
    }
    return cases;
}

}  // namespace slab::agreement
