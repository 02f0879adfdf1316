#include "daemon/kernels/windows/separable_scalar.hpp"

#include "common/array/box_walk.hpp"
#include "daemon/kernels/windows/scratch_parts.hpp"
#include "daemon/kernels/windows/window_sum.hpp"

namespace slab::kernels {
namespace {

template <typename T>
class Definition {
  public:
    Definition(const WindowProgram& program, const TileCall& call)
        : call_(call), program_(program), source_(source_of_pass(call)),
          axes_(axes_of(program_, program_.passes[call.phase])), parts_(parts_of(source_.dtype)) {
        ScratchParts scratch(call.scratch);
        for (std::size_t i = 0; i < axes_.size() && program.kind == WindowKind::weights; ++i) {
            weights_[i] = scratch.take<T>(axes_[i].taps);
            load_weights(axes_[i], call.table, weights_[i]);
        }
    }

    void fill() {
        const auto rank = static_cast<std::size_t>(source_.shape.rank);
        const bool is_last = call_.phase + 1 == static_cast<std::size_t>(program_.pass_count);
        std::array<std::int64_t, max_rank> index = call_.tile.begin;
        do {
            for (std::int64_t part = 0; part < parts_; ++part) {
                const T sum = value(axes_.size(), index, Place::inside, part);
                store_element(is_last ? finished(sum) : sum, call_.target.data, call_.target.dtype,
                              place(index) * parts_ + part);
            }
        } while (next_index(index, call_.tile, rank));
    }

  private:
    std::int64_t place(const std::array<std::int64_t, max_rank>& index) const {
        std::int64_t place = 0;
        for (int axis = 0; axis < source_.shape.rank; ++axis) {
            place = place * source_.shape[axis] + index[static_cast<std::size_t>(axis)];
        }
        return place;
    }

    enum class Place : std::uint8_t { inside, beyond };

    // After the first `count` axes of the pass. What lies beyond along any axis is the constant along all, and is summed
    // up as everything else is.
    T value(std::size_t count, const std::array<std::int64_t, max_rank>& index, Place where,
            std::int64_t part) const {
        if (count == 0 && where == Place::beyond) {
            return part == 0 ? static_cast<T>(program_.passes[call_.phase].beyond) : T(0);
        }
        if (count == 0) {
            return load_element<T>(source_.data, source_.dtype, place(index) * parts_ + part);
        }
        const WindowAxis& window = axes_[count - 1];
        const auto axis = static_cast<std::size_t>(window.axis);
        const auto sample = [&](std::int64_t i) {
            std::array<std::int64_t, max_rank> at = index;
            const auto mapped =
                map_index(index[axis] - window.before + i, source_.shape[window.axis], program_.boundary);
            at[axis] = mapped.value_or(0);
            return value(count - 1, at, mapped ? where : Place::beyond, part);
        };
        if (program_.kind == WindowKind::mean) {
            const T sum = sum_of_window<T>(window.taps, sample);
            return program_.whole_numbers == WholeNumbers::cut ? cut_off(sum / static_cast<T>(window.taps))
                                                               : sum;
        }
        const auto weight = [&](std::int64_t i) { return weights_[count - 1][i]; };
        return cut_off(weighted_sum<T>(window.taps, window.symmetry, weight, sample));
    }

    T cut_off(T value) const {
        if (program_.whole_numbers == WholeNumbers::cut) {
            with_element_type(program_.element,
                              [&]<typename Element>(Element) { value = cut<Element>(value); });
        }
        return value;
    }

    T finished(T sum) const {
        const T value =
            (sum + std::copysign(static_cast<T>(program_.nudge), sum)) * static_cast<T>(program_.scale);
        return call_.target.dtype == DType::boolean ? rounded_bool(value) : value;
    }

    const TileCall& call_;
    const WindowProgram& program_;
    const ConstArrayView& source_;
    std::span<const WindowAxis> axes_;
    std::int64_t parts_;
    std::array<T*, 3> weights_{};  // of each axis
};

}  // namespace

void define_window(const WindowProgram& program, const TileCall& call) noexcept {
    with_working_type(program.type, [&]<typename T>(T) { Definition<T>(program, call).fill(); });
}

}  // namespace slab::kernels
