#include "common/array/box_walk.hpp"
#include "daemon/kernels/correlate/correlate_program.hpp"
#include "daemon/kernels/correlate/weight_list.hpp"
#include "daemon/kernels/windows/window_sum.hpp"

namespace slab::kernels {
namespace {

using Index = std::array<std::int64_t, max_rank>;

template <typename T>
class Definition {
  public:
    Definition(const CorrelateProgram& program, const TileCall& call)
        : program_(program), call_(call), image_(call.inputs[0]) {}

    void fill() const {
        const auto rank = static_cast<std::size_t>(image_.shape.rank);
        Index index = call_.tile.begin;
        do {
            fill_element(index);
        } while (next_index(index, call_.tile, rank));
    }

  private:
    std::int64_t place(const Index& index) const {
        std::int64_t place = 0;
        for (std::size_t a = 0; a < static_cast<std::size_t>(image_.shape.rank); ++a) {
            place = place * image_.shape.extents[a] + index[a];
        }
        return place;
    }

    T sample(const Index& index, const Index& in_window, std::int64_t part) const {
        Index at{};
        for (int axis = 0; axis < image_.shape.rank; ++axis) {
            const auto a = static_cast<std::size_t>(axis);
            const auto mapped = map_index(index[a] + in_window[a] - program_.before[a], image_.shape[axis],
                                          program_.boundary);
            if (!mapped) {
                return part == 0 ? static_cast<T>(program_.cval) : T(0);
            }
            at[a] = *mapped;
        }
        return load_element<T>(image_.data, image_.dtype, place(at) * parts_of(image_.dtype) + part);
    }

    T sum(const Index& index, std::int64_t weight_part, std::int64_t part) const {
        T sum = T(0);
        for_each_weight<T>(program_, call_.inputs[1], weight_part, [&](const Index& in_window, T weight) {
            sum += sample(index, in_window, part) * weight;
        });
        return sum;
    }

    void fill_element(const Index& index) const {
        const std::int64_t at = place(index) * parts_of(call_.target.dtype);
        if (!is_complex(call_.target.dtype)) {
            store(sum(index, 0, 0), at);
            return;
        }
        const bool is_complex_image = is_complex(image_.dtype);
        T real = sum(index, 0, 0);
        T imaginary = is_complex_image ? sum(index, 0, 1) : T(0);
        if (program_.weight_parts != WeightParts::real) {
            if (is_complex_image) {
                real = real - sum(index, 1, 1);
                imaginary = imaginary + sum(index, 1, 0);
            } else {
                imaginary = sum(index, 1, 0);
            }
        }
        store(real, at);
        store(imaginary, at + 1);
    }

    void store(T value, std::int64_t at) const {
        if (program_.whole_numbers == WholeNumbers::cut) {
            with_element_type(call_.target.dtype,
                              [&]<typename Element>(Element) { value = cut<Element>(value); });
        }
        value = call_.target.dtype == DType::boolean ? rounded_bool(value) : value;
        store_element(value, call_.target.data, call_.target.dtype, at);
    }

    const CorrelateProgram& program_;
    const TileCall& call_;
    const ConstArrayView& image_;
};

}  // namespace

void correlate_tile_scalar(const TileCall& call) noexcept {
    const auto program = call.program->as<CorrelateProgram>();
    with_working_type(program.type, [&]<typename T>(T) { Definition<T>(program, call).fill(); });
}

}  // namespace slab::kernels
