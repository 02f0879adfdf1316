#include "common/array/box_walk.hpp"
#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/zoom/spline_zoom.hpp"

namespace slab::kernels {
namespace {

// The sum over the taps of the slowest axis of: the sum over the taps of the next, and so on, of the samples.
template <typename T>
class SplineDefinition {
  public:
    explicit SplineDefinition(const TileCall& call)
        : call_(call), program_(call.program->as<SplineZoomProgram>()),
          source_(source_of(call, static_cast<std::size_t>(program_.filter_count))),
          parts_(parts_of(source_.dtype)) {
        for (int axis = 0; axis < source_.shape.rank; ++axis) {
            axes_[static_cast<std::size_t>(axis)] =
                spline_axis(program_, axis, call.inputs[0].shape[axis], call.target.shape[axis]);
        }
    }

    T value_at(const std::array<std::int64_t, max_rank>& index, std::int64_t part) const {
        std::array<SplineTaps, max_rank> taps;
        for (std::size_t a = 0; a < rank(); ++a) {
            const std::optional<SplineTaps> found = taps_at(axes_[a], index[a]);
            if (!found) {
                return beyond(part);
            }
            taps[a] = *found;
        }
        return sum_over(0, 0, index, taps, part);
    }

  private:
    std::size_t rank() const { return static_cast<std::size_t>(source_.shape.rank); }
    T beyond(std::int64_t part) const { return part == 0 ? static_cast<T>(program_.zoom.cval) : T(0); }

    T sum_over(std::size_t a, std::int64_t offset, const std::array<std::int64_t, max_rank>& index,
               const std::array<SplineTaps, max_rank>& taps, std::int64_t part) const {
        if (a == rank()) {
            return load_element<T>(source_.data, source_.dtype, offset * parts_ + part);
        }
        const SplineAxis& axis = axes_[a];
        const auto next = [&](std::int64_t i) {
            return sum_over(a + 1, offset * source_.shape.extents[a] + i, index, taps, part);
        };
        if (!axis.is_interpolated) {
            return next(index[a]);
        }
        T sum = 0;
        for (int tap = 0; tap <= axis.order; ++tap) {
            const auto weight = static_cast<T>(taps[a].weights[static_cast<std::size_t>(tap)]);
            if (weight == T(0)) {
                continue;  // whatever lies there, be it infinite
            }
            const std::int64_t at = taps[a].first + tap;
            if (static_cast<int>(a) == program_.row_filter_axis) {
                sum += weight * filtered(at, axis.zoom.n_in, next, part);
            } else {
                const std::optional<std::int64_t> found = tap_source(axis, at);
                sum += weight * (found ? next(*found) : beyond(part));
            }
        }
        return sum;
    }

    // The spline's coefficient at index `at` of the row.
    template <class Next>
    T filtered(std::int64_t at, std::int64_t n, const Next& next, std::int64_t part) const {
        const LineFilter& filter = program_.row_filter;
        T sum = 0;
        for (std::int64_t i = -filter.radius; i <= filter.radius; ++i) {
            double tap = 0.0;
            std::memcpy(&tap, call_.table.data() + filter.table_begin + 8 * (i < 0 ? -i : i), sizeof(tap));
            const auto found = extended_index(filter.extension, at + i, n, filter.boundary);
            sum += static_cast<T>(tap) * (found ? next(*found) : beyond(part));
        }
        return sum;
    }

    const TileCall& call_;
    const SplineZoomProgram program_;
    const ConstArrayView& source_;
    std::int64_t parts_;
    std::array<SplineAxis, max_rank> axes_{};
};

template <typename T>
void fill(const TileCall& call) {
    const SplineDefinition<T> definition(call);
    const Shape& shape = call.target.shape;
    const std::int64_t parts = parts_of(call.target.dtype);
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        std::int64_t offset = 0;
        for (int axis = 0; axis < shape.rank; ++axis) {
            offset = offset * shape[axis] + index[static_cast<std::size_t>(axis)];
        }
        for (std::int64_t part = 0; part < parts; ++part) {
            store_element(definition.value_at(index, part), call.target.data, call.target.dtype,
                          offset * parts + part);
        }
    } while (next_index(index, call.tile, static_cast<std::size_t>(shape.rank)));
}

}  // namespace

void fill_spline_zoom_scalar(const TileCall& call) noexcept {
    const auto program = call.program->as<SplineZoomProgram>();
    if (call.phase < static_cast<std::size_t>(program.filter_count)) {
        filter_lines_scalar(program.filters[call.phase], call);
        return;
    }
    with_working_type(program.type, [&]<typename T>(T) { fill<T>(call); });
}

}  // namespace slab::kernels
