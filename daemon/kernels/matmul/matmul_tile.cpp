#include "common/array/box_walk.hpp"
#include "daemon/kernels/matmul/blas_library.hpp"
#include "daemon/kernels/matmul/matmul_program.hpp"

#include <algorithm>
#include <type_traits>

namespace slab::kernels {
namespace {

// Calls visit(T()) with the type of the elements.
template <class Visit>
void with_number_type(DType dtype, const Visit& visit) {
    switch (dtype) {
    case DType::float32: return visit(float());
    case DType::float64: return visit(double());
    case DType::complex64: return visit(std::complex<float>());
    case DType::complex128: return visit(std::complex<double>());
    default: return;
    }
}

// The part of a tile that lies in one product of the stack.
struct ProductTile {
    const std::byte* a;
    const std::byte* b;
    std::byte* c;
    std::int64_t row_begin;
    std::int64_t row_end;
    std::int64_t column_begin;
    std::int64_t column_end;
};

template <class Visit>
void for_each_product(const MatmulProgram& program, const TileCall& call, std::int64_t element_bytes,
                      const Visit& visit) {
    const auto range = [&call](int axis) {
        const auto at = static_cast<std::size_t>(axis);
        return axis < 0 ? AxisRange{0, 1} : AxisRange{call.tile.begin[at], call.tile.end[at]};
    };
    const AxisRange rows = range(program.row_axis);
    const AxisRange columns = range(program.column_axis);
    const auto stack_rank = static_cast<std::size_t>(program.stack_rank);
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        std::int64_t a = 0;
        std::int64_t b = 0;
        std::int64_t c = 0;
        for (std::size_t axis = 0; axis < stack_rank; ++axis) {
            a += index[axis] * program.stack_stride[0][axis];
            b += index[axis] * program.stack_stride[1][axis];
            c = c * call.target.shape.extents[axis] + index[axis];
        }
        visit(ProductTile{call.inputs[program.input[0]].data + a * element_bytes,
                          call.inputs[program.input[1]].data + b * element_bytes,
                          call.target.data + c * program.m * program.n * element_bytes, rows.begin, rows.end,
                          columns.begin, columns.end});
    } while (next_index(index, call.tile, stack_rank));
}

template <typename T>
T element(const std::byte* array, std::int64_t index) {
    T value;
    std::memcpy(&value, array + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    return value;
}

// Not std::complex's operator, which repairs infinities: the four products as they are.
template <typename T>
T plain_product(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
        return a * b;
    } else {
        return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
    }
}

// The block [row, row + rows) x [column, column + columns): into the output when the tile has all of it, else into
// scratch, from where the tile takes its part.
template <typename T>
void fill_block(const MatmulProgram& program, const ProductTile& tile, std::int64_t row, std::int64_t column,
                std::span<std::byte> scratch) {
    constexpr auto element_bytes = static_cast<std::int64_t>(sizeof(T));
    const std::int64_t rows = std::min(program.block_rows, program.m - row);
    const std::int64_t columns = std::min(program.block_columns, program.n - column);
    const bool is_whole = row >= tile.row_begin && row + rows <= tile.row_end &&
                          column >= tile.column_begin && column + columns <= tile.column_end;
    std::byte* const c = is_whole ? tile.c + (row * program.n + column) * element_bytes : scratch.data();
    const std::int64_t c_pitch = is_whole ? program.n : columns;
    multiply(MatrixProduct<T>{.m = rows,
                              .n = columns,
                              .k = program.k,
                              .a = reinterpret_cast<const T*>(tile.a + row * program.k * element_bytes),
                              .a_pitch = program.k,
                              .b = reinterpret_cast<const T*>(tile.b + column * element_bytes),
                              .b_pitch = program.n,
                              .c = reinterpret_cast<T*>(c),
                              .c_pitch = c_pitch});
    if (is_whole) {
        return;
    }
    const std::int64_t first = std::max(column, tile.column_begin);
    const std::int64_t last = std::min(column + columns, tile.column_end);
    for (std::int64_t y = std::max(row, tile.row_begin); y < std::min(row + rows, tile.row_end); ++y) {
        std::memcpy(tile.c + (y * program.n + first) * element_bytes,
                    c + ((y - row) * columns + first - column) * element_bytes,
                    static_cast<std::size_t>((last - first) * element_bytes));
    }
}

}  // namespace

void fill_matmul_by_blocks(const TileCall& call) noexcept {
    const auto program = call.program->as<MatmulProgram>();
    with_number_type(call.target.dtype, [&]<typename T>(T) {
        for_each_product(program, call, sizeof(T), [&](const ProductTile& tile) {
            const std::int64_t first_row = tile.row_begin / program.block_rows * program.block_rows;
            const std::int64_t first_column =
                tile.column_begin / program.block_columns * program.block_columns;
            for (std::int64_t row = first_row; row < tile.row_end; row += program.block_rows) {
                for (std::int64_t column = first_column; column < tile.column_end;
                     column += program.block_columns) {
                    fill_block<T>(program, tile, row, column, call.scratch);
                }
            }
        });
    });
}

void fill_matmul_scalar(const TileCall& call) noexcept {
    const auto program = call.program->as<MatmulProgram>();
    with_number_type(call.target.dtype, [&]<typename T>(T) {
        for_each_product(program, call, sizeof(T), [&](const ProductTile& tile) {
            for (std::int64_t row = tile.row_begin; row < tile.row_end; ++row) {
                for (std::int64_t column = tile.column_begin; column < tile.column_end; ++column) {
                    T sum{};
                    for (std::int64_t i = 0; i < program.k; ++i) {
                        sum += plain_product(element<T>(tile.a, row * program.k + i),
                                             element<T>(tile.b, i * program.n + column));
                    }
                    std::memcpy(tile.c + (row * program.n + column) * static_cast<std::int64_t>(sizeof(T)),
                                &sum, sizeof(T));
                }
            }
        });
    });
}

}  // namespace slab::kernels
