#include "common/array/box_walk.hpp"
#include "daemon/kernels/fft/fft_program.hpp"
#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"

#include <cmath>
#include <complex>
#include <numbers>

namespace slab::kernels {
namespace {

using Complex = std::complex<double>;

// One line of an array along an axis.
struct Line {
    const std::byte* data;
    DType dtype;
    std::int64_t at;      // of its first element
    std::int64_t stride;  // elements
    std::int64_t length;

    Complex operator[](std::int64_t i) const {
        const std::int64_t element = at + i * stride;
        if (is_complex(dtype)) {
            return {load_element<double>(data, dtype, 2 * element),
                    load_element<double>(data, dtype, 2 * element + 1)};
        }
        return load_element<double>(data, dtype, element);
    }
};

Line line_through(const ConstArrayView& array, const std::array<std::int64_t, max_rank>& index, int axis) {
    Line line{array.data, array.dtype, 0, 1, array.shape[axis]};
    for (int a = 0; a < array.shape.rank; ++a) {
        line.at = line.at * array.shape[a] + (a == axis ? 0 : index[static_cast<std::size_t>(a)]);
        line.stride *= a > axis ? array.shape[a] : 1;
    }
    return line;
}

// Element j of the line as it is summed: of real lines' transforms the second half is the mirror image of the first.
Complex term(const FftPhase& phase, const Line& line, std::int64_t j) {
    if (phase.kind != FftKind::half_to_real) {
        return line[j];
    }
    const Complex value = j < line.length ? line[j] : std::conj(line[phase.n - j]);
    const bool is_its_own_mirror = j == 0 || 2 * j == phase.n;
    return is_its_own_mirror ? Complex(value.real()) : value;
}

Complex transformed(const FftProgram& program, const FftPhase& phase, const Line& line, std::int64_t k) {
    const double turn = (program.direction == FftDirection::forward ? -2.0 : 2.0) * std::numbers::pi;
    Complex sum = 0.0;
    for (std::int64_t j = 0; j < phase.n; ++j) {
        const auto steps = static_cast<double>(j * k % phase.n);
        const double angle = turn * steps / static_cast<double>(phase.n);
        const Complex value = term(phase, line, j);
        const double c = std::cos(angle);
        const double s = std::sin(angle);
        sum += Complex(value.real() * c - value.imag() * s, value.real() * s + value.imag() * c);
    }
    return sum;
}

}  // namespace

void fill_fft_scalar(const TileCall& call) noexcept {
    const auto program = call.program->as<FftProgram>();
    const FftPhase& phase = program.phases[call.phase];
    const double scale = static_cast<int>(call.phase) + 1 == program.phase_count ? program.scale : 1.0;
    const auto rank = static_cast<std::size_t>(call.target.shape.rank);
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        std::int64_t at = 0;
        for (std::size_t a = 0; a < rank; ++a) {
            at = at * call.target.shape.extents[a] + index[a];
        }
        const Line line = line_through(fft_source(call), index, phase.axis);
        const Complex value =
            transformed(program, phase, line, index[static_cast<std::size_t>(phase.axis)]) * scale;
        if (is_complex(call.target.dtype)) {
            store_element(value.real(), call.target.data, call.target.dtype, 2 * at);
            store_element(value.imag(), call.target.data, call.target.dtype, 2 * at + 1);
        } else {
            store_element(value.real(), call.target.data, call.target.dtype, at);
        }
    } while (next_index(index, call.tile, rank));
}

}  // namespace slab::kernels
