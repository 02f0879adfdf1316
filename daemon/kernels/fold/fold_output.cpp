#include "common/array/box_walk.hpp"
#include "daemon/kernels/expression/element_cast.hpp"
#include "daemon/kernels/fold/fold.hpp"
#include "daemon/kernels/fold/reducers.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace slab::kernels::fold {
namespace {

// The largest state: complex moments.
struct alignas(16) AnyState {
    std::array<std::byte, sizeof(Moments<Complex>::State)> bytes{};
};

template <typename T>
T part_of(const std::byte* state, std::size_t offset = 0) {
    T value;
    std::memcpy(&value, state + offset, sizeof(T));
    return value;
}

// Rounded once, here, to the output's type. One NaN for all: see with_one_nan.
template <typename From>
void put(From value, DType type, std::byte* to) {
    using expression::Cast;
    if constexpr (!std::integral<From>) {
        value = expression::with_one_nan(value);
    }
    const auto write = [&]<typename To>(To) { expression::set_element(to, 0, Cast::apply<To>(value)); };
    switch (type) {
    case DType::boolean: return write(bool());
    case DType::uint8: return write(std::uint8_t());
    case DType::int8: return write(std::int8_t());
    case DType::uint16: return write(std::uint16_t());
    case DType::int16: return write(std::int16_t());
    case DType::uint32: return write(std::uint32_t());
    case DType::int32: return write(std::int32_t());
    case DType::uint64: return write(std::uint64_t());
    case DType::int64: return write(std::int64_t());
    case DType::float32: return write(float());
    case DType::float64: return write(double());
    case DType::complex64: return write(std::complex<float>());
    case DType::complex128: return write(std::complex<double>());
    }
}

void put_sum(const std::byte* state, DType gathered, double divisor, DType type, std::byte* to) {
    if (gathered == DType::float64) {
        return put(part_of<CompensatedSum>(state).value() / divisor, type, to);
    }
    if (gathered == DType::complex128) {
        const auto sum = part_of<Sum<Complex>::State>(state);
        return put(Complex(sum.real.value() / divisor, sum.imaginary.value() / divisor), type, to);
    }
    put(part_of<std::uint64_t>(state), type, to);
}

void put_value(const std::byte* state, DType gathered, DType type, std::byte* to) {
    switch (gathered) {
    case DType::float64: return put(part_of<double>(state), type, to);
    case DType::complex128: return put(part_of<Complex>(state), type, to);
    case DType::int64: return put(part_of<std::int64_t>(state), type, to);
    default: return put(part_of<std::uint64_t>(state), type, to);
    }
}

void put_result(const FoldTable& table, const std::byte* state, DType type, std::byte* to) {
    const auto count = static_cast<double>(table.geometry.reduced);
    switch (table.reduction) {
    case Reduction::sum:
    case Reduction::count: return put_sum(state, table.gathered, 1.0, type, to);
    case Reduction::mean: return put_sum(state, table.gathered, count, type, to);
    case Reduction::any: return put(part_of<std::int64_t>(state) != 0, type, to);
    case Reduction::all: return put(part_of<std::int64_t>(state) == table.geometry.reduced, type, to);
    case Reduction::deviation:
    case Reduction::variance: {
        const std::size_t at = table.gathered == DType::complex128
                                   ? offsetof(Moments<Complex>::State, squares)
                                   : offsetof(Moments<double>::State, squares);
        const double variance =
            part_of<double>(state, at) / std::max(count - static_cast<double>(table.freedom), 0.0);
        return put(table.reduction == Reduction::variance ? variance : std::sqrt(variance), type, to);
    }
    case Reduction::least_index:
    case Reduction::largest_index:
        return put(part_of<std::int64_t>(state, size_of(table.gathered)), type, to);
    case Reduction::minimum:
    case Reduction::maximum:
    case Reduction::product:
    case Reduction::histogram: break;
    }
    put_value(state, table.gathered, type, to);
}

}  // namespace

void fill_output(const TileCall& call, const FoldFunctions& functions) {
    const auto& table = *reinterpret_cast<const FoldTable*>(call.table.data());
    const FoldGeometry& geometry = table.geometry;
    const Shape& shape = call.target.shape;
    const auto strides = expression::strides_of(shape);
    const auto bytes = static_cast<std::int64_t>(size_of(call.target.dtype));
    const std::byte* const partials = call.workspaces[0].data;
    const std::int64_t group_stride = geometry.rest * functions.state_bytes;
    const auto put_cell = [&](std::int64_t cell) {
        std::byte* const to = call.target.data + cell * bytes;
        if (geometry.groups == 1) {
            put_result(table, partials + cell * functions.state_bytes, call.target.dtype, to);
            return;
        }
        const std::byte* part = partials + cell / geometry.rest * geometry.groups * group_stride +
                                cell % geometry.rest * functions.state_bytes;
        AnyState state;
        std::memcpy(state.bytes.data(), part, static_cast<std::size_t>(functions.state_bytes));
        for (std::int64_t group = 1; group < geometry.groups; ++group) {
            part += group_stride;
            functions.combine(state.bytes.data(), part);
        }
        put_result(table, state.bytes.data(), call.target.dtype, to);
    };

    const auto fastest = static_cast<std::size_t>(shape.rank - 1);
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        std::int64_t row = 0;
        for (std::size_t axis = 0; axis < fastest; ++axis) {
            row += index[axis] * strides[axis];
        }
        for (std::int64_t i = call.tile.begin[fastest]; i < call.tile.end[fastest]; ++i) {
            put_cell(row + i);
        }
    } while (next_index(index, call.tile, fastest));
}

}  // namespace slab::kernels::fold
