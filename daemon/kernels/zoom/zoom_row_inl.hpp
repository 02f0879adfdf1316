// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW
#undef SLAB_KERNELS_ZOOM_ROW
#else
#define SLAB_KERNELS_ZOOM_ROW
#endif

#include "daemon/kernels/zoom/zoom_axes.hpp"

#include <hwy/highway.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// How many output bytes one shuffle makes, out of as many input bytes: 64 where bytes may cross the whole
// vector (vpermb), else 16.
#if HWY_TARGET == HWY_AVX3_DL
constexpr std::int64_t group_bytes = 64;
#else
constexpr std::int64_t group_bytes = 16;
#endif

// How a row of the input becomes a row of the output.
enum class RowMethod : std::uint8_t {
    copy,      // the axis is unchanged
    shuffle,   // each group of output bytes lies within a group of input bytes: growing
    elements,  // one element after the other: shrinking, and elements that no shuffle reaches
};

constexpr std::int64_t most_block_elements = 2048;
constexpr std::int64_t most_block_bytes = 8 * 1024;
constexpr std::size_t row_overhang = 256;  // expand_row may write so much beyond the row

// A block of x: where each of its elements comes from. Made once per tile and block, used for every row.
struct RowTable {
    RowMethod method;
    std::int64_t element_bytes;
    std::int64_t elements;
    std::int64_t row_bytes;      // of the block's output
    std::int64_t output_offset;  // bytes from the output row's start to the block
    std::int64_t input_bytes;    // of a whole input row
    // Byte offsets from the start of the input row; 64 bits, since a shrinking row may be of any length.
    std::int64_t group_at[most_block_bytes / group_bytes];
    std::int64_t element_at[most_block_elements + 32];  // room for a last whole vector
    // For each output byte, which byte of its group's input it is; beyond the row's end, any.
    alignas(64) std::uint8_t controls[most_block_bytes + group_bytes];
};

// source_index() of `elements` output indices from `begin`, times the element's bytes: the same arithmetic in
// the same order, so the same bits.
inline void find_elements(const TileAxis& x, std::int64_t element_bytes, std::int64_t begin,
                          RowTable& table) {
    const std::int64_t elements = table.elements;
    if (x.zoom.convention == ZoomConvention::floor) {
        // k * n_in / n_out without the wide division: quotient and remainder, one step on for each k.
        std::int64_t index = source_index(x.zoom, begin);
        auto rest = static_cast<std::int64_t>(static_cast<WideInteger>(begin) * x.zoom.n_in % x.zoom.n_out);
        const std::int64_t whole_steps = x.zoom.n_in / x.zoom.n_out;
        const std::int64_t rest_step = x.zoom.n_in % x.zoom.n_out;
        for (std::int64_t i = 0; i < elements; ++i) {
            table.element_at[i] = index * element_bytes;
            index += whole_steps;
            rest += rest_step - x.zoom.n_out;
            index += rest >= 0 ? 1 : 0;
            rest += rest >= 0 ? 0 : x.zoom.n_out;
        }
        return;
    }
    const hn::ScalableTag<double> d;
    const hn::RebindToSigned<decltype(d)> di;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    const auto step = hn::Set(d, x.zoom.step);
    const auto half = hn::Set(d, 0.5);
    const auto zero = hn::Zero(d);
    const auto bytes = hn::Set(d, static_cast<double>(element_bytes));
    const auto last = hn::Set(d, static_cast<double>(x.zoom.n_in - 1));
    for (std::int64_t i = 0; i < elements; i += n) {
        const auto k = hn::Add(hn::Set(d, static_cast<double>(begin + i)), hn::Iota(d, 0.0));
        auto nearest = zero;
        if (x.zoom.convention == ZoomConvention::scipy) {
            nearest = hn::Floor(hn::Add(hn::Mul(k, step), half));
        } else if (x.zoom.convention == ZoomConvention::scipy_grid) {
            nearest = hn::Floor(hn::Add(hn::Sub(hn::Mul(hn::Add(k, half), step), half), half));
        } else {
            nearest = hn::Round(hn::Div(k, step));
        }
        // Whole numbers below 2^53, so that the product is exact as well.
        const auto at = hn::Mul(hn::Min(hn::Max(nearest, zero), last), bytes);
        hn::StoreU(hn::ConvertTo(di, at), di, table.element_at + i);
    }
}

// Every output byte's source offset modulo the group: all that a shuffle within a group needs, less the
// group's own place. Writes a few bytes beyond the last element.
template <typename Word>
HWY_INLINE void place_offsets(RowTable& table) {
    constexpr auto each_byte = static_cast<Word>(0x0101010101010101ULL);
    constexpr auto byte_order = static_cast<Word>(0x0706050403020100ULL);
    constexpr auto word_bytes = static_cast<std::int64_t>(sizeof(Word));
    static_assert(std::endian::native == std::endian::little);
    // Modulo the group, so that no byte of the sum carries into the next.
    const auto word_at = [](std::int64_t at) HWY_ATTR {
        return static_cast<Word>((static_cast<std::uint64_t>(at) & (group_bytes - 1)) * each_byte +
                                 byte_order);
    };
    // Local copies and restrict: the compiler makes vectors of the first loop only if no store may change the
    // table.
    const std::int64_t* HWY_RESTRICT element_at = table.element_at;
    std::uint8_t* HWY_RESTRICT to = table.controls;
    const std::int64_t elements = table.elements;
    const std::int64_t bytes = table.element_bytes;
    if (bytes == word_bytes) {
        for (std::int64_t i = 0; i < elements; ++i) {
            const Word word = word_at(element_at[i]);
            std::memcpy(to + i * word_bytes, &word, sizeof(Word));
        }
        return;
    }
    for (std::int64_t i = 0; i < elements; ++i) {
        for (std::int64_t byte = 0; byte < bytes; byte += word_bytes) {
            const Word word = word_at(element_at[i] + byte);
            std::memcpy(to + i * bytes + byte, &word, sizeof(Word));
        }
    }
}

// Where each group of output bytes reads, and its control bytes. False when a group's sources are spread too
// far.
inline bool make_groups(RowTable& table) {
    const std::int64_t bytes = table.element_bytes;
    if (bytes == 1) {
        place_offsets<std::uint8_t>(table);
    } else if (bytes == 2) {
        place_offsets<std::uint16_t>(table);
    } else if (bytes <= 4) {
        place_offsets<std::uint32_t>(table);
    } else {
        place_offsets<std::uint64_t>(table);
    }
    // Never read beyond the end of the input row, which may be the end of the input.
    const std::int64_t most_at = std::max<std::int64_t>(0, table.input_bytes - group_bytes);
    const hn::CappedTag<std::uint8_t, static_cast<std::size_t>(group_bytes)> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    const auto modulo = hn::Set(d, static_cast<std::uint8_t>(group_bytes - 1));
    // The elements of the group's first and last byte; 32 bits divide faster.
    const auto divisor = static_cast<std::uint32_t>(bytes);
    for (std::int64_t from = 0; from < table.row_bytes; from += group_bytes) {
        const auto first_byte = static_cast<std::uint32_t>(from);
        const auto last_byte = static_cast<std::uint32_t>(std::min(from + group_bytes, table.row_bytes) - 1);
        const std::uint32_t first = first_byte / divisor;
        const std::uint32_t last = last_byte / divisor;
        std::int64_t begin = table.element_at[first] + first_byte % divisor;
        std::int64_t end = table.element_at[last] + last_byte % divisor + 1;
        if (last > first) {
            begin = std::min(begin, table.element_at[first + 1]);
            end = std::max(end, table.element_at[last - 1] + bytes);
        }
        if (end - begin > group_bytes) {
            return false;
        }
        const std::int64_t at = std::min(begin, most_at);
        table.group_at[from / group_bytes] = at;
        const auto low = hn::Set(d, static_cast<std::uint8_t>(at));
        for (std::int64_t i = 0; i < group_bytes; i += n) {
            const auto within = hn::Sub(hn::Load(d, table.controls + from + i), low);
            hn::Store(hn::And(within, modulo), d, table.controls + from + i);
        }
    }
    return true;
}

// Fills the table for a block of output indices from `begin`, as many as fit. Returns the first index after
// it.
inline std::int64_t make_row_table(const TileAxis& x, std::int64_t element_bytes, std::int64_t begin,
                                   RowTable& table) {
    const bool is_copied = is_unchanged(x.zoom);
    const std::int64_t most = std::max<std::int64_t>(
        1, std::min(is_copied ? most_block_bytes : most_block_elements, most_block_bytes / element_bytes));
    table.element_bytes = element_bytes;
    table.elements = std::min(most, x.end - begin);
    table.row_bytes = table.elements * element_bytes;
    table.output_offset = begin * element_bytes;
    table.input_bytes = x.zoom.n_in * element_bytes;
    const std::int64_t end = begin + table.elements;
    if (is_copied) {
        table.method = RowMethod::copy;
        table.element_at[0] = begin * element_bytes;
        return end;
    }
    find_elements(x, element_bytes, begin, table);
    table.method = make_groups(table) ? RowMethod::shuffle : RowMethod::elements;
    return end;
}

HWY_INLINE void shuffle_row(const RowTable& table, const std::byte* input_row, std::byte* to) {
    alignas(64) std::byte padded[group_bytes];
    if (table.input_bytes < group_bytes) {
        std::memcpy(padded, input_row, static_cast<std::size_t>(table.input_bytes));
        input_row = padded;
    }
    const auto* from = reinterpret_cast<const std::uint8_t*>(input_row);
    auto* target = reinterpret_cast<std::uint8_t*>(to);
    const std::int64_t groups = (table.row_bytes + group_bytes - 1) / group_bytes;
    for (std::int64_t g = 0; g < groups; ++g) {
#if HWY_TARGET == HWY_AVX3_DL
        const __m512i bytes = _mm512_loadu_si512(from + table.group_at[g]);
        const __m512i controls = _mm512_load_si512(table.controls + g * group_bytes);
        _mm512_storeu_si512(target + g * group_bytes, _mm512_permutexvar_epi8(controls, bytes));
#else
        const hn::CappedTag<std::uint8_t, 16> d;
        const auto bytes = hn::LoadU(d, from + table.group_at[g]);
        const auto controls = hn::Load(d, table.controls + g * group_bytes);
        hn::StoreU(hn::TableLookupBytes(bytes, controls), d, target + g * group_bytes);
#endif
    }
}

template <std::size_t bytes>
HWY_INLINE void move_elements(const RowTable& table, const std::byte* input_row, std::byte* to) {
    for (std::int64_t i = 0; i < table.elements; ++i) {
        std::memcpy(to + i * static_cast<std::int64_t>(bytes), input_row + table.element_at[i], bytes);
    }
}

// One row of the block. May write up to row_overhang bytes beyond it.
HWY_INLINE void expand_row(const RowTable& table, const std::byte* input_row, std::byte* to) {
    if (table.method == RowMethod::copy) {
        std::memcpy(to, input_row + table.element_at[0], static_cast<std::size_t>(table.row_bytes));
        return;
    }
    if (table.method == RowMethod::shuffle) {
        shuffle_row(table, input_row, to);
        return;
    }
    switch (table.element_bytes) {
    case 1: move_elements<1>(table, input_row, to); break;
    case 2: move_elements<2>(table, input_row, to); break;
    case 4: move_elements<4>(table, input_row, to); break;
    case 8: move_elements<8>(table, input_row, to); break;
    case 16: move_elements<16>(table, input_row, to); break;
    default:
        for (std::int64_t i = 0; i < table.elements; ++i) {
            std::memcpy(to + i * table.element_bytes, input_row + table.element_at[i],
                        static_cast<std::size_t>(table.element_bytes));
        }
    }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
