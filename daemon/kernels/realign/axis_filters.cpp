#include "daemon/kernels/realign/axis_filters.hpp"

#include "daemon/kernels/realign/memory_run.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace slab::kernels::realign {
namespace {

constexpr std::int64_t block_columns = 512;
constexpr std::int64_t block_rows = 16;
constexpr std::int64_t most_taps = 2 * AxisFilter::most_radius + 1;

AxisFilter symmetric_filter(std::int64_t radius, double sign, const auto& weight_of) {
    AxisFilter filter;
    filter.radius = radius;
    for (std::int64_t t = 0; t <= radius; ++t) {
        const double weight = weight_of(t);
        filter.weights[static_cast<std::size_t>(radius + t)] = static_cast<float>(weight);
        filter.weights[static_cast<std::size_t>(radius - t)] =
            static_cast<float>(t == 0 ? weight : sign * weight);
    }
    return filter;
}

// What a filter reads of a line at one place, places beyond the ends folded back.
struct FoldedTaps {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::array<float, most_taps> weights{};

    FoldedTaps(const AxisFilter& filter, std::int64_t at, std::int64_t extent)
        : first(std::max<std::int64_t>(at - filter.radius, 0)),
          count(std::min(at + filter.radius, extent - 1) + 1 - first) {
        for (std::int64_t t = -filter.radius; t <= filter.radius; ++t) {
            add(at + t, extent - 1, filter.weights[static_cast<std::size_t>(filter.radius + t)]);
        }
    }

  private:
    void add(std::int64_t place, std::int64_t last, float weight) {
        while (place < 0 || place > last) {
            const std::int64_t end = place < 0 ? 0 : last;
            weights[static_cast<std::size_t>(end - first)] += 2.0F * weight;
            place = 2 * end - place;
            weight = -weight;
        }
        weights[static_cast<std::size_t>(place - first)] += weight;
    }
};

// rows(i): where row i of the line of rows begins.
void weigh_line(const FoldedTaps& taps, const auto& rows, std::int64_t count, float* to) {
    std::array<const float*, most_taps> from;
    for (std::int64_t i = 0; i < taps.count; ++i) {
        from[static_cast<std::size_t>(i)] = rows(taps.first + i);
    }
    weigh_rows({from.data(), static_cast<std::size_t>(taps.count)}, taps.weights.data(), count, to);
}

// A part of a row with what its filters read on both sides.
struct Columns {
    std::int64_t begin;  // of the results
    std::int64_t end;
    std::int64_t first;  // of what is read, within the row
    std::int64_t last;   // one behind
    std::int64_t extent;
    std::int64_t radius;

    // row: from `first` on. Where the line ends, what goes on beyond it is put beside it.
    void extend(float* row) const {
        float* const end_of_row = row + (extent - 1 - first);
        for (std::int64_t k = 1; k <= radius; ++k) {  // outwards: short lines are turned more than once
            if (first == 0) {
                row[-k] = 2.0F * row[0] - row[k];
            }
            if (last == extent) {
                end_of_row[k] = 2.0F * end_of_row[0] - end_of_row[-k];
            }
        }
    }
};

class BlockFilter {
  public:
    BlockFilter(const FilterSource& source, const FilterPairs& filters, const FilteredPlane& to,
                std::span<std::byte> scratch)
        : source_(source), filters_(filters), to_(to),
          y_radius_(std::max(filters.value[1].radius, filters.slope[1].radius)),
          x_radius_(std::max(filters.value[2].radius, filters.slope[2].radius)), run_(scratch.data()) {
        const std::int64_t width = block_columns + 2 * x_radius_;
        const std::int64_t height = std::min(block_rows + 2 * y_radius_, source.extents[1]);
        pitch_ = width;
        value_rows_ = run_.take<float>(height * width);
        slope_rows_ = run_.take<float>(height * width);
        extended_ = run_.take<float>(width + 2 * x_radius_) + x_radius_;
    }

    void fill(std::int64_t plane, std::int64_t y_begin, std::int64_t y_end, std::int64_t x_begin,
              std::int64_t x_end) {
        const Extents& n = source_.extents;
        const Columns columns{x_begin,
                              x_end,
                              std::max<std::int64_t>(x_begin - x_radius_, 0),
                              std::min(x_end + x_radius_, n[2]),
                              n[2],
                              x_radius_};
        const std::int64_t first_row = std::max<std::int64_t>(y_begin - y_radius_, 0);
        const std::int64_t width = columns.last - columns.first;
        const FoldedTaps values(filters_.value[0], plane, n[0]);
        const FoldedTaps slopes(filters_.slope[0], plane, n[0]);
        for (std::int64_t y = first_row; y < std::min(y_end + y_radius_, n[1]); ++y) {
            const auto row_of = [&](std::int64_t z) {
                return source_.voxels + z * source_.plane_step + y * source_.row_step + columns.first;
            };
            weigh_line(values, row_of, width, value_rows_ + (y - first_row) * pitch_);
            if (to_.slope[0] != nullptr) {
                weigh_line(slopes, row_of, width, slope_rows_ + (y - first_row) * pitch_);
            }
        }
        for (std::int64_t y = y_begin; y < y_end; ++y) {
            const FoldedTaps value(filters_.value[1], y, n[1]);
            const std::int64_t at = y * n[2] + x_begin;
            if (to_.value != nullptr || to_.slope[2] != nullptr) {
                weigh_along_y(value, value_rows_, first_row, columns);
                weigh_along_x(filters_.value[2], columns, to_.value, at);
                weigh_along_x(filters_.slope[2], columns, to_.slope[2], at);
            }
            if (to_.slope[1] != nullptr) {
                weigh_along_y(FoldedTaps(filters_.slope[1], y, n[1]), value_rows_, first_row, columns);
                weigh_along_x(filters_.value[2], columns, to_.slope[1], at);
            }
            if (to_.slope[0] != nullptr) {
                weigh_along_y(value, slope_rows_, first_row, columns);
                weigh_along_x(filters_.value[2], columns, to_.slope[0], at);
            }
        }
    }

  private:
    void weigh_along_y(const FoldedTaps& taps, const float* rows, std::int64_t first_row,
                       const Columns& columns) {
        weigh_line(
            taps, [&](std::int64_t y) { return rows + (y - first_row) * pitch_; },
            columns.last - columns.first, extended_);
        columns.extend(extended_);
    }
    void weigh_along_x(const AxisFilter& filter, const Columns& columns, float* to, std::int64_t at) {
        if (to != nullptr) {
            weigh_neighbours(extended_ + (columns.begin - columns.first) - filter.radius, filter.taps(),
                             columns.end - columns.begin, to + at);
        }
    }

    const FilterSource& source_;
    const FilterPairs& filters_;
    const FilteredPlane& to_;
    std::int64_t y_radius_;
    std::int64_t x_radius_;
    MemoryRun run_;
    std::int64_t pitch_;
    float* value_rows_;
    float* slope_rows_;
    float* extended_;
};

constexpr std::int64_t most_block_bytes = (2 * (block_rows + 2 * AxisFilter::most_radius) + 2) *
                                          (block_columns + 2 * AxisFilter::most_radius + 32) *
                                          static_cast<std::int64_t>(sizeof(float));
static_assert(most_block_bytes <= static_cast<std::int64_t>(least_filter_scratch));

}  // namespace

AxisFilter gaussian_filter(double sigma) {
    const auto radius =
        std::min(AxisFilter::most_radius / 2, static_cast<std::int64_t>(std::max(4.0 * sigma, 0.0) + 0.5));
    const auto exact = [&](std::int64_t t) {
        const double at = static_cast<double>(t) / sigma;
        return t == 0 ? 1.0 : std::exp(-0.5 * at * at);
    };
    double sum = 1.0;
    for (std::int64_t t = 1; t <= radius; ++t) {
        sum += 2.0 * exact(t);
    }
    return symmetric_filter(radius, 1.0, [&](std::int64_t t) { return exact(t) / sum; });
}

AxisFilter spline_value_filter() {
    return symmetric_filter(1, 1.0, [](std::int64_t t) { return t == 0 ? 4.0 / 6.0 : 1.0 / 6.0; });
}

AxisFilter spline_slope_filter() {
    return symmetric_filter(1, -1.0, [](std::int64_t t) { return t == 0 ? 0.0 : 0.5; });
}

AxisFilter sample_slope_filter(double least) {
    // The slopes m of the spline through samples f solve m[i-1] + 4 m[i] + m[i+1] = 3 (f[i+1] - f[i-1]); the inverse of
    // 1 4 1 is a geometric sequence of this ratio.
    const double ratio = std::numbers::sqrt3 - 2.0;
    const double nearest = 6.0 - 3.0 * std::numbers::sqrt3;
    std::int64_t radius = 1;
    while (radius < AxisFilter::most_radius / 2 &&
           nearest * std::pow(std::abs(ratio), static_cast<double>(radius)) >= least) {
        ++radius;
    }
    return symmetric_filter(radius, -1.0, [&](std::int64_t t) {
        return t == 0 ? 0.0 : nearest * std::pow(ratio, static_cast<double>(t - 1));
    });
}

AxisFilter composed(const AxisFilter& first, const AxisFilter& second) {
    std::array<double, most_taps> sums{};
    const auto width = static_cast<std::size_t>(2 * first.radius + 1);
    for (std::size_t i = 0; i < width; ++i) {
        for (std::size_t j = 0; j < second.taps().size(); ++j) {
            sums[i + j] += static_cast<double>(first.weights[i]) * static_cast<double>(second.weights[j]);
        }
    }
    AxisFilter filter;
    filter.radius = first.radius + second.radius;
    std::ranges::transform(sums, filter.weights.begin(), [](double sum) { return static_cast<float>(sum); });
    return filter;
}

void filter_plane(const FilterSource& source, const FilterPairs& filters, std::int64_t plane,
                  const FilteredPlane& to, std::span<std::byte> scratch) {
    BlockFilter block(source, filters, to, scratch);
    const Extents& n = source.extents;
    for (std::int64_t y = 0; y < n[1]; y += block_rows) {
        for (std::int64_t x = 0; x < n[2]; x += block_columns) {
            block.fill(plane, y, std::min(y + block_rows, n[1]), x, std::min(x + block_columns, n[2]));
        }
    }
}

}  // namespace slab::kernels::realign
