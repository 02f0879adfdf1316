#include "common/array/box_walk.hpp"
#include "daemon/kernels/order_statistics/order_key.hpp"
#include "daemon/kernels/order_statistics/order_window.hpp"

#include <algorithm>
#include <optional>

namespace slab::kernels {
namespace {

template <typename Element>
Element element_at(const ConstArrayView& input, const OrderWindow& window,
                   const std::array<std::int64_t, max_rank>& output,
                   const std::array<std::int64_t, max_rank>& within) {
    Element element;
    std::int64_t at = 0;
    for (std::size_t a = 0; a < static_cast<std::size_t>(input.shape.rank); ++a) {
        const std::int64_t n = input.shape.extents[a];
        const std::optional<std::int64_t> index =
            map_index(output[a] - window.before[a] + within[a], n, window.boundary);
        if (!index) {
            std::memcpy(&element, window.fill.data(), sizeof(element));
            return element;
        }
        at = at * n + *index;
    }
    std::memcpy(&element, input.data + at * static_cast<std::int64_t>(sizeof(element)), sizeof(element));
    return element;
}

// The window's keys one after the other: visit(key).
template <typename Element, class Visit>
void for_each_key(const ConstArrayView& input, const OrderWindow& window,
                  const std::array<std::int64_t, max_rank>& output, const Visit& visit) {
    const Box elements{input.shape.rank, {}, window.size};
    std::array<std::int64_t, max_rank> within{};
    do {
        visit(order_key(element_at<Element>(input, window, output, within)));
    } while (next_index(within, elements, static_cast<std::size_t>(input.shape.rank)));
}

template <typename Element>
OrderKey<Element> statistic_at(const OrderWindow& window, const TileCall& call,
                               const std::array<std::int64_t, max_rank>& index) {
    using Key = OrderKey<Element>;
    using Limits = std::numeric_limits<Key>;
    static_assert(most_median_elements * sizeof(Key) <= scratch_bytes);
    if (window.statistic == OrderStatistic::median) {
        Key* const keys = reinterpret_cast<Key*>(call.scratch.data());
        Key* end = keys;
        for_each_key<Element>(call.inputs[0], window, index, [&](Key key) { *end++ = key; });
        Key* const middle = keys + window.median_rank();
        std::nth_element(keys, middle, end);
        return *middle;
    }
    const bool is_minimum = window.statistic == OrderStatistic::minimum;
    Key extremum = is_minimum ? Limits::max() : Limits::min();
    for_each_key<Element>(call.inputs[0], window, index, [&](Key key) {
        extremum = is_minimum ? std::min(extremum, key) : std::max(extremum, key);
    });
    return extremum;
}

template <typename Element>
void fill(const OrderWindow& window, const TileCall& call) {
    const auto rank = static_cast<std::size_t>(call.target.shape.rank);
    std::array<std::int64_t, max_rank> index = call.tile.begin;
    do {
        const auto element = element_of_key<Element>(statistic_at<Element>(window, call, index));
        std::int64_t at = 0;
        for (std::size_t a = 0; a < rank; ++a) {
            at = at * call.target.shape.extents[a] + index[a];
        }
        std::memcpy(call.target.data + at * static_cast<std::int64_t>(sizeof(element)), &element,
                    sizeof(element));
    } while (next_index(index, call.tile, rank));
}

}  // namespace

void fill_order_statistic_scalar(const TileCall& call) noexcept {
    const auto window = call.program->as<OrderWindow>();
    with_element_type(call.target.dtype, [&]<typename Element>(Element) { fill<Element>(window, call); });
}

}  // namespace slab::kernels
