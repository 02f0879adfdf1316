// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_WINDOW_BLOCK) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_WINDOW_BLOCK
#undef SLAB_KERNELS_WINDOW_BLOCK
#else
#define SLAB_KERNELS_WINDOW_BLOCK
#endif

#include "common/array/box_walk.hpp"
#include "daemon/kernels/order_statistics/order_key.hpp"
#include "daemon/kernels/order_statistics/window_block.hpp"
#include "daemon/kernels/streaming/store_run_inl.hpp"

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

// Plain loops, which the compiler turns into vectors of this instruction set.
template <typename Element, typename Key>
void keys_of_elements(const std::byte* HWY_RESTRICT from, Key* HWY_RESTRICT to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        Element element;
        std::memcpy(&element, from + i * static_cast<std::int64_t>(sizeof(Element)), sizeof(element));
        to[i] = static_cast<Key>(order_key(element));
    }
}

template <typename Element, typename Key>
void elements_of_keys(const Key* HWY_RESTRICT from, std::byte* HWY_RESTRICT to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto element = element_of_key<Element>(static_cast<OrderKey<Element>>(from[i]));
        std::memcpy(to + i * static_cast<std::int64_t>(sizeof(Element)), &element, sizeof(element));
    }
}

// Calls visit(Element()) with the type of an element, one of those whose keys are of this type: their own, or a wider one
// that keeps the order.
template <typename Key, class Visit>
HWY_INLINE void with_element_of_key(DType dtype, const Visit& visit) {
    with_element_type(dtype, [&]<typename Element>(Element element) {
        if constexpr (std::is_same_v<OrderKey<Element>, Key> ||
                      (sizeof(Element) == 1 && std::is_same_v<Key, std::uint16_t>)) {
            visit(element);
        }
    });
}

// Reads and writes rows of a tile as keys.
template <typename Key>
class KeyRows {
  public:
    using Index = std::array<std::int64_t, max_rank>;

    KeyRows(const OrderWindow& window, const TileCall& call)
        : window_(window), call_(call), input_(call.inputs[0]),
          rank_(static_cast<std::size_t>(input_.shape.rank)),
          element_bytes_(static_cast<std::int64_t>(size_of(input_.dtype))),
          mode_(store_mode_for(element_count(call.target.shape) * element_bytes_)) {
        convert(window.fill.data(), &fill_, 1);
    }

    // Keys [begin, begin + count) of the row of the input at `index` (its last entry does not count); both may lie
    // beyond the array.
    HWY_INLINE void load(const Index& index, std::int64_t begin, std::int64_t count, Key* to) const {
        std::int64_t row = 0;
        for (std::size_t a = 0; a + 1 < rank_; ++a) {
            const std::int64_t n = input_.shape.extents[a];
            const auto inside = map_index(index[a], n, window_.boundary);
            if (!inside) {
                std::fill_n(to, count, fill_);
                return;
            }
            row = row * n + *inside;
        }
        const std::int64_t n = input_.shape.extents[rank_ - 1];
        const std::byte* const from = input_.data + row * n * element_bytes_;
        const std::int64_t first = std::clamp<std::int64_t>(begin, 0, n);
        const std::int64_t last = std::clamp<std::int64_t>(begin + count, first, n);
        for (std::int64_t x = begin; x < std::min(first, begin + count); ++x) {
            to[x - begin] = beyond(from, x, n);
        }
        convert(from + first * element_bytes_, to + (first - begin), last - first);
        for (std::int64_t x = std::max(last, begin); x < begin + count; ++x) {
            to[x - begin] = beyond(from, x, n);
        }
    }

    // Where an element of the input lies, or would lie: to be fetched ahead, not to be read.
    HWY_INLINE const std::byte* address(const Index& index) const {
        std::int64_t at = 0;
        for (std::size_t a = 0; a < rank_; ++a) {
            at = at * input_.shape.extents[a] + index[a];
        }
        return input_.data + at * element_bytes_;
    }

    // Keys of `count` elements of the output from `index`. `bytes`: room for as many elements.
    HWY_INLINE void store(const Key* keys, const Index& index, std::int64_t count, std::byte* bytes) const {
        std::int64_t at = 0;
        for (std::size_t a = 0; a < rank_; ++a) {
            at = at * call_.target.shape.extents[a] + index[a];
        }
        const auto* from = reinterpret_cast<const std::byte*>(keys);
        with_element_of_key<Key>(call_.target.dtype, [&]<typename Element>(Element) {
            if constexpr (!std::is_same_v<Element, Key> &&
                          !(std::is_same_v<Element, Bool> && sizeof(Key) == 1)) {
                elements_of_keys<Element>(keys, bytes, count);
                from = bytes;
            }
        });
        store_run(from, call_.target.data + at * element_bytes_,
                  static_cast<std::size_t>(count * element_bytes_), mode_);
    }

    // What is left when all tiles' rows have been stored.
    void finish() const {
        if (mode_ == StoreMode::streaming) {
            hwy::FlushStream();
        }
    }

  private:
    HWY_INLINE Key beyond(const std::byte* row, std::int64_t x, std::int64_t n) const {
        const auto inside = map_index(x, n, window_.boundary);
        Key key = fill_;
        if (inside) {
            convert(row + *inside * element_bytes_, &key, 1);
        }
        return key;
    }

    void convert(const std::byte* from, Key* to, std::int64_t count) const {
        with_element_of_key<Key>(input_.dtype, [&]<typename Element>(Element) {
            if constexpr (std::is_same_v<Element, Key>) {
                std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(Key));
            } else {
                keys_of_elements<Element>(from, to, count);
            }
        });
    }

    const OrderWindow& window_;
    const TileCall& call_;
    const ConstArrayView& input_;
    std::size_t rank_;
    std::int64_t element_bytes_;
    StoreMode mode_;
    Key fill_{};
};

// Calls visit(index) for each combination of the tile's indices on the axes slower than the rows'.
template <class Visit>
HWY_INLINE void for_each_plane(const Box& tile, const Visit& visit) {
    const std::size_t slow = tile.rank > 2 ? static_cast<std::size_t>(tile.rank) - 2 : 0;
    std::array<std::int64_t, max_rank> index = tile.begin;
    do {
        visit(index);
    } while (next_index(index, tile, slow));
}

// The same for the planes of a window: index of the input on those axes, for output index `at`.
template <class Visit>
HWY_INLINE void for_each_window_plane(const OrderWindow& window, int rank,
                                      const std::array<std::int64_t, max_rank>& at, const Visit& visit) {
    Box planes{rank, {}, {}};
    for (std::size_t a = 0; a < static_cast<std::size_t>(rank); ++a) {
        planes.begin[a] = at[a] - window.before[a];
        planes.end[a] = planes.begin[a] + window.size[a];
    }
    for_each_plane(planes, visit);
}

// The axes of rows and columns of a tile; an array of one axis is one row.
struct TileAxes {
    std::size_t x;
    std::size_t y;  // max_rank: there is none
    std::int64_t window_rows;
    std::int64_t rows_begin;
    std::int64_t rows_end;
    std::int64_t rows_before;
    std::int64_t planes = 1;

    TileAxes(const OrderWindow& window, const Box& tile) {
        const auto rank = static_cast<std::size_t>(tile.rank);
        x = rank - 1;
        y = rank > 1 ? rank - 2 : max_rank;
        window_rows = rank > 1 ? window.size[y] : 1;
        rows_begin = rank > 1 ? tile.begin[y] : 0;
        rows_end = rank > 1 ? tile.end[y] : 1;
        rows_before = rank > 1 ? window.before[y] : 0;
        for (std::size_t a = 0; a + 2 < rank; ++a) {
            planes *= window.size[a];
        }
    }

    HWY_INLINE void set_row(std::array<std::int64_t, max_rank>& index, std::int64_t row) const {
        if (y != max_rank) {
            index[y] = row;
        }
    }
};

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
