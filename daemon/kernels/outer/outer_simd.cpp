#include "daemon/kernels/outer/outer.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/outer/outer_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/streaming/store_run_inl.hpp"

#include <hwy/cache_control.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_outer(const TileCall& call) {
    fill_outer_scalar(call);
}

#else

// The scratch: a block of x with room behind it for the last vector's load, then rows of the output.
constexpr std::size_t x_block_bytes = 24 * 1024;
constexpr std::size_t image_bytes = 24 * 1024;
constexpr std::size_t most_vector_bytes = 256;  // SVE; 64 on x86
static_assert(x_block_bytes + image_bytes + 2 * most_vector_bytes <= scratch_bytes);

// Rows shorter than this, when they are adjacent in memory, are collected before they are streamed: each row
// that starts or ends within a vector costs two partial stores.
constexpr std::size_t short_row_bytes = 2048;

// See with_one_nan in product.hpp.
template <class D, class V>
HWY_INLINE V with_one_nan(D d, V value) {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>()) {
        const auto nan = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
        return hn::IfThenElse(hn::Eq(value, value), value, nan);
    } else {
        return value;
    }
}

// One element of y times a vector of x, for each kind of dtype.
template <typename T>
struct Times {
    using Lane = T;
    static constexpr std::size_t element_bytes = sizeof(T);
    T a;

    explicit Times(const std::byte* y) { std::memcpy(&a, y, sizeof(T)); }

    template <class D, class V>
    HWY_INLINE V operator()(D d, V b) const {
        return with_one_nan(d, hn::Mul(hn::Set(d, a), b));
    }
};

// x86 multiplies no bytes: the even and the odd ones as 16-bit numbers, of which the low halves are kept.
struct TimesByte {
    using Lane = std::uint8_t;
    static constexpr std::size_t element_bytes = 1;
    std::uint8_t a;

    explicit TimesByte(const std::byte* y) { std::memcpy(&a, y, 1); }

    template <class D, class V>
    HWY_INLINE V operator()(D d, V b) const {
        const hn::RepartitionToWide<D> d16;
        const auto a16 = hn::Set(d16, a);
        const auto b16 = hn::BitCast(d16, b);
        const auto even = hn::And(hn::Mul(a16, b16), hn::Set(d16, std::uint16_t{0x00FF}));
        const auto odd = hn::ShiftLeft<8>(hn::Mul(a16, hn::ShiftRight<8>(b16)));
        return hn::BitCast(d, hn::Or(even, odd));
    }
};

// A bool is true when its byte is not 0.
struct AndBool {
    using Lane = std::uint8_t;
    static constexpr std::size_t element_bytes = 1;
    std::uint8_t a;

    explicit AndBool(const std::byte* y) : a(*y != std::byte{0} ? 1 : 0) {}

    template <class D, class V>
    HWY_INLINE V operator()(D d, V b) const {
        return hn::Min(hn::Min(b, hn::Set(d, std::uint8_t{1})), hn::Set(d, a));
    }
};

// Real and imaginary parts alternate: the even lanes subtract, the odd ones add.
template <typename T>
struct TimesComplex {
    using Lane = T;
    static constexpr std::size_t element_bytes = 2 * sizeof(T);
    T a[2];

    explicit TimesComplex(const std::byte* y) { std::memcpy(a, y, sizeof(a)); }

    template <class D, class V>
    HWY_INLINE V operator()(D d, V b) const {
        const V by_real = hn::Mul(hn::Set(d, a[0]), b);
        const V by_imaginary = hn::Mul(hn::Set(d, a[1]), hn::Reverse2(d, b));
        return with_one_nan(d, hn::OddEven(hn::Add(by_real, by_imaginary), hn::Sub(by_real, by_imaginary)));
    }
};

// x: the block's copy in scratch, readable for one vector beyond `bytes`. Every element goes through the same
// vector arithmetic wherever it lies in the row, so that no tiling shows, not even in a NaN's bits.
template <class Product>
HWY_INLINE void store_row(const Product product, const std::byte* x, std::byte* to, std::size_t bytes,
                          StoreMode mode) {
    using Lane = typename Product::Lane;
    const hn::ScalableTag<Lane> d;
    const std::size_t n = hn::Lanes(d) * sizeof(Lane);
    const auto value_at = [&](std::size_t i) HWY_ATTR {
        return product(d, hn::LoadU(d, reinterpret_cast<const Lane*>(x + i)));
    };
    const auto lanes_at = [&](std::size_t i) HWY_ATTR { return reinterpret_cast<Lane*>(to + i); };
    const auto store_part = [&](std::size_t i, std::size_t part_bytes) HWY_ATTR {
        alignas(most_vector_bytes) std::byte part[most_vector_bytes];
        hn::StoreU(value_at(i), d, reinterpret_cast<Lane*>(part));
        std::memcpy(to + i, part, part_bytes);
    };

    std::size_t i = 0;
    const std::size_t head = bytes_to_alignment(to, n);
    if (mode == StoreMode::streaming && head % Product::element_bytes == 0 && bytes >= 2 * n) {
        if (head != 0) {
            store_part(0, head);
        }
        i = head;
        for (; i + 4 * n <= bytes; i += 4 * n) {
            const auto v0 = value_at(i);
            const auto v1 = value_at(i + n);
            const auto v2 = value_at(i + 2 * n);
            const auto v3 = value_at(i + 3 * n);
            hn::Stream(v0, d, lanes_at(i));
            hn::Stream(v1, d, lanes_at(i + n));
            hn::Stream(v2, d, lanes_at(i + 2 * n));
            hn::Stream(v3, d, lanes_at(i + 3 * n));
        }
        for (; i + n <= bytes; i += n) {
            hn::Stream(value_at(i), d, lanes_at(i));
        }
    } else {
        for (; i + n <= bytes; i += n) {
            hn::StoreU(value_at(i), d, lanes_at(i));
        }
    }
    if (i < bytes) {
        store_part(i, bytes - i);
    }
}

// As store_row, into scratch: the last vector may write beyond the row, where the next row follows.
template <class Product>
HWY_INLINE void place_row(const Product product, const std::byte* x, std::byte* to, std::size_t bytes) {
    using Lane = typename Product::Lane;
    const hn::ScalableTag<Lane> d;
    const std::size_t n = hn::Lanes(d) * sizeof(Lane);
    for (std::size_t i = 0; i < bytes; i += n) {
        hn::StoreU(product(d, hn::LoadU(d, reinterpret_cast<const Lane*>(x + i))), d,
                   reinterpret_cast<Lane*>(to + i));
    }
}

template <class Product>
void fill(const TileCall& call) {
    constexpr auto element_bytes = static_cast<std::int64_t>(Product::element_bytes);
    constexpr std::int64_t block_elements = static_cast<std::int64_t>(x_block_bytes) / element_bytes;
    const StoreMode mode = store_mode_for(element_count(call.target.shape) * element_bytes);
    const std::int64_t pitch = call.target.shape[1] * element_bytes;
    const Box& tile = call.tile;
    const std::byte* y = call.inputs[0].data;
    std::byte* const x_block = call.scratch.data();
    std::byte* const image = x_block + x_block_bytes + most_vector_bytes;

    for (std::int64_t j = tile.begin[1]; j < tile.end[1]; j += block_elements) {
        const std::int64_t bytes = std::min(block_elements, tile.end[1] - j) * element_bytes;
        const auto row_bytes = static_cast<std::size_t>(bytes);
        std::memcpy(x_block, call.inputs[1].data + j * element_bytes, row_bytes);
        std::memset(x_block + row_bytes, 0, most_vector_bytes);
        std::byte* const column = call.target.data + j * element_bytes;
        if (bytes == pitch && row_bytes < short_row_bytes) {
            const std::int64_t rows_at_once = static_cast<std::int64_t>(image_bytes) / bytes;
            for (std::int64_t i = tile.begin[0]; i < tile.end[0]; i += rows_at_once) {
                const std::int64_t rows = std::min(rows_at_once, tile.end[0] - i);
                for (std::int64_t row = 0; row < rows; ++row) {
                    place_row(Product(y + (i + row) * element_bytes), x_block, image + row * bytes,
                              row_bytes);
                }
                store_run(image, column + i * pitch, static_cast<std::size_t>(rows * bytes), mode);
            }
        } else {
            for (std::int64_t i = tile.begin[0]; i < tile.end[0]; ++i) {
                store_row(Product(y + i * element_bytes), x_block, column + i * pitch, row_bytes, mode);
            }
        }
    }
    if (mode == StoreMode::streaming) {
        hwy::FlushStream();
    }
}

void fill_outer(const TileCall& call) {
    switch (call.target.dtype) {
    case DType::boolean: return fill<AndBool>(call);
    case DType::uint8:
    case DType::int8: return fill<TimesByte>(call);
    case DType::uint16:
    case DType::int16: return fill<Times<std::uint16_t>>(call);
    case DType::uint32:
    case DType::int32: return fill<Times<std::uint32_t>>(call);
    case DType::uint64:
    case DType::int64: return fill<Times<std::uint64_t>>(call);
    case DType::float32: return fill<Times<float>>(call);
    case DType::float64: return fill<Times<double>>(call);
    case DType::complex64: return fill<TimesComplex<float>>(call);
    case DType::complex128: return fill<TimesComplex<double>>(call);
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_outer);

void fill_outer_simd(const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_outer)(call);
}

}  // namespace slab::kernels
#endif
