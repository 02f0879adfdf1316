#pragma once

#include "daemon/kernels/interpolation/boundary.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/zoom/fill_value.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

enum class OrderStatistic : std::uint8_t { minimum, median, maximum };

// The window of output index i along an axis: input indices i - before[axis] to i - before[axis] + size[axis] - 1.
// Beyond the ends map_index says what is read; nothing: the fill.
struct OrderWindow {
    OrderStatistic statistic = OrderStatistic::median;
    Boundary boundary = Boundary::reflect;
    std::array<std::int64_t, max_rank> size{1, 1, 1, 1, 1};
    std::array<std::int64_t, max_rank> before{};
    ElementBytes fill{};

    std::int64_t element_count() const {
        std::int64_t count = 1;
        for (const std::int64_t n : size) {
            count *= n;
        }
        return count;
    }
    // Which of the sorted elements: of an even number the upper one of the middle, as scipy's.
    std::int64_t median_rank() const { return element_count() / 2; }
};

// Of the median: a window's keys must fit into the scratch of a tile, and counts of 16 bits must not overflow.
inline constexpr std::int64_t most_median_elements = 65'535;
// Two rows of keys of 8 bytes must fit into scratch beside the block; and a tile must end.
inline constexpr std::int64_t most_window_size = 32'767;
inline constexpr std::int64_t most_extremum_elements = std::int64_t{1} << 24;

Expected<KernelPlan> plan_order_statistic(OrderStatistic statistic, const PlanRequest& request);
AxisRange order_statistic_reads(const BandQuery& query);

// The definition: looks at the window of every element.
void fill_order_statistic_scalar(const TileCall& call) noexcept;
void fill_order_statistic_simd(const TileCall& call) noexcept;

// Whole rows of vectors; called by fill_order_statistic_simd.
void fill_extremum_simd(const OrderWindow& window, const TileCall& call) noexcept;
void fill_median_simd(const OrderWindow& window, const TileCall& call) noexcept;

}  // namespace slab::kernels
