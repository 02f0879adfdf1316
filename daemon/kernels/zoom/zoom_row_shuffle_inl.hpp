// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW_SHUFFLE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW_SHUFFLE
#undef SLAB_KERNELS_ZOOM_ROW_SHUFFLE
#else
#define SLAB_KERNELS_ZOOM_ROW_SHUFFLE
#endif

#include "daemon/kernels/zoom/zoom_row_table_inl.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// Every output byte's source offset modulo 256: all that a shuffle needs, less the group's own place. Writes a few bytes
// beyond the last element.
template <typename Word>
HWY_INLINE void place_offsets(RowTable& table) {
    constexpr auto each_byte = static_cast<Word>(0x0101010101010101ULL);
    constexpr auto byte_order = static_cast<Word>(0x0706050403020100ULL);
    constexpr auto word_bytes = static_cast<std::int64_t>(sizeof(Word));
    static_assert(std::endian::native == std::endian::little);
    // The uppermost bit of each byte apart, so that no byte of the sum carries into the next.
    const auto word_at = [](std::int64_t at) HWY_ATTR {
        const auto place = static_cast<std::uint64_t>(at);
        return static_cast<Word>(((place & 0x7F) * each_byte + byte_order) ^ ((place & 0x80) * each_byte));
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

// Where each group of output bytes begins to read. Returns how many bytes the widest spreads over.
template <class ElementOf>
HWY_INLINE std::int64_t place_groups(RowTable& table, const ElementOf& element_of) {
    const std::int64_t bytes = table.element_bytes;
    std::int64_t widest = 0;
    for (std::int64_t from = 0; from < table.row_bytes; from += group_bytes) {
        const std::int64_t last_byte = std::min(from + group_bytes, table.row_bytes) - 1;
        const std::int64_t first = element_of(from);
        const std::int64_t last = element_of(last_byte);
        std::int64_t begin = table.element_at[first] + (from - first * bytes);
        std::int64_t end = table.element_at[last] + (last_byte - last * bytes) + 1;
        if (last > first) {
            begin = std::min(begin, table.element_at[first + 1]);
            end = std::max(end, table.element_at[last - 1] + bytes);
        }
        table.group_at[from / group_bytes] = begin;
        widest = std::max(widest, end - begin);
    }
    return widest;
}

inline std::int64_t place_groups(RowTable& table) {
    const auto bytes = static_cast<std::uint32_t>(table.element_bytes);
    if (std::has_single_bit(bytes)) {
        const int shift = std::countr_zero(bytes);
        return place_groups(table, [shift](std::int64_t byte) HWY_ATTR { return byte >> shift; });
    }
    // 32 bits divide faster.
    return place_groups(table, [bytes](std::int64_t byte) HWY_ATTR {
        return std::int64_t{static_cast<std::uint32_t>(byte) / bytes};
    });
}

// Where each group of output bytes reads, and its control bytes. False when a group's sources are spread too
// far.
inline bool make_groups(RowTable& table) {
    const std::int64_t widest = place_groups(table);
    if (widest > most_windows * group_bytes) {
        return false;
    }
    table.windows = widest <= group_bytes ? 1 : widest <= 2 * group_bytes ? 2 : 4;
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
    const std::int64_t most_at = std::max<std::int64_t>(0, table.input_bytes - table.windows * group_bytes);
    const hn::CappedTag<std::uint8_t, static_cast<std::size_t>(group_bytes)> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t from = 0; from < table.row_bytes; from += group_bytes) {
        const std::int64_t at = std::min(table.group_at[from / group_bytes], most_at);
        table.group_at[from / group_bytes] = at;
        const auto low = hn::Set(d, static_cast<std::uint8_t>(at));
        for (std::int64_t i = 0; i < group_bytes; i += n) {
            std::uint8_t* const controls = table.controls + from + i;
            hn::Store(hn::Sub(hn::Load(d, controls), low), d, controls);
        }
    }
    return true;
}

template <std::int64_t windows>
HWY_INLINE void shuffle_groups(const RowTable& table, const std::uint8_t* HWY_RESTRICT from,
                               const std::byte* ahead, std::uint8_t* HWY_RESTRICT to) {
    const std::int64_t groups = (table.row_bytes + group_bytes - 1) / group_bytes;
    for (std::int64_t g = 0; g < groups; ++g) {
        const std::uint8_t* const source = from + table.group_at[g];
        const std::uint8_t* const control = table.controls + g * group_bytes;
        for (std::int64_t line = 0; line < windows * group_bytes; line += line_bytes) {
            __builtin_prefetch(ahead + table.group_at[g] + line, 0, 2);
        }
#if HWY_TARGET == HWY_AVX3_DL
        const __m512i controls = _mm512_load_si512(control);
        const auto window = [source](int which)
                                HWY_ATTR { return _mm512_loadu_si512(source + which * group_bytes); };
        __m512i bytes;
        if constexpr (windows == 1) {
            bytes = _mm512_permutexvar_epi8(controls, window(0));
        } else if constexpr (windows == 2) {
            bytes = _mm512_permutex2var_epi8(window(0), controls, window(1));
        } else {
            const __m512i low = _mm512_permutex2var_epi8(window(0), controls, window(1));
            const __m512i high = _mm512_permutex2var_epi8(window(2), controls, window(3));
            bytes = _mm512_mask_blend_epi8(_mm512_movepi8_mask(controls), low, high);
        }
        _mm512_storeu_si512(to + g * group_bytes, bytes);
#else
        const hn::CappedTag<std::uint8_t, 16> d;
        const auto controls = hn::Load(d, control);
        auto bytes = hn::Zero(d);
        if constexpr (windows == 1) {
            bytes = hn::TableLookupBytes(hn::LoadU(d, source), controls);
        } else {
            // A control that is not of this window gets its uppermost bit set: its byte is 0.
            const auto beyond = hn::Set(d, std::uint8_t{0x80 - group_bytes});
            for (std::int64_t w = 0; w < windows; ++w) {
                const auto within = hn::SaturatedAdd(
                    hn::Sub(controls, hn::Set(d, static_cast<std::uint8_t>(w * group_bytes))), beyond);
                bytes =
                    hn::Or(bytes, hn::TableLookupBytesOr0(hn::LoadU(d, source + w * group_bytes), within));
            }
        }
        hn::StoreU(bytes, d, to + g * group_bytes);
#endif
    }
}

HWY_INLINE void shuffle_block(const RowTable& table, const std::byte* input_row, const std::byte* ahead,
                              std::byte* to) {
    alignas(64) std::byte padded[most_windows * group_bytes];
    if (table.input_bytes < table.windows * group_bytes) {
        std::memcpy(padded, input_row, static_cast<std::size_t>(table.input_bytes));
        input_row = padded;
    }
    const auto* from = reinterpret_cast<const std::uint8_t*>(input_row);
    auto* target = reinterpret_cast<std::uint8_t*>(to);
    switch (table.windows) {
    case 1: shuffle_groups<1>(table, from, ahead, target); break;
    case 2: shuffle_groups<2>(table, from, ahead, target); break;
    default: shuffle_groups<4>(table, from, ahead, target); break;
    }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
