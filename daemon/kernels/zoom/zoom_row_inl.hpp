// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW
#undef SLAB_KERNELS_ZOOM_ROW
#else
#define SLAB_KERNELS_ZOOM_ROW
#endif

#include "daemon/kernels/zoom/zoom_axes.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

// How many output bytes one shuffle makes: 64 where bytes may cross the whole vector (vpermb), else 16. It looks them up
// in one, two or four windows of as many input bytes, side by side: one when growing, two when halving.
#if HWY_TARGET == HWY_AVX3_DL
constexpr std::int64_t group_bytes = 64;
#else
constexpr std::int64_t group_bytes = 16;
#endif
constexpr std::int64_t most_windows = 4;
static_assert(most_windows * group_bytes <= 256, "a control is a byte");

// How a row of the input becomes a row of the output.
enum class RowMethod : std::uint8_t {
    copy,      // the axis is unchanged
    shuffle,   // each group of output bytes lies within the windows
    elements,  // one element after the other: where a group's sources are spread further
};

constexpr std::int64_t most_block_elements = 2048;
constexpr std::int64_t most_block_bytes = 8 * 1024;
constexpr std::int64_t line_bytes = 64;
constexpr std::size_t row_overhang = 256;  // expand_block may write so much beyond the block

// A block of x: where each of its elements comes from. Made once per tile and block, used for every row, and for as many
// blocks after it as have the same pattern.
struct RowTable {
    RowMethod method;
    std::int64_t windows;  // shuffle: 1, 2 or 4
    std::int64_t element_bytes;
    std::int64_t begin;  // output index
    std::int64_t elements;
    std::int64_t row_bytes;      // of the block's output
    std::int64_t input_bytes;    // of a whole input row
    std::int64_t repeats;        // blocks that the table serves, one after the other
    std::int64_t input_span;     // bytes from the first source of a block to the end of the last
    std::int64_t input_advance;  // bytes from a block's sources to the next block's
    // Byte offsets from the start of the input row; 64 bits, since a shrinking row may be of any length.
    std::int64_t group_at[most_block_bytes / group_bytes];
    std::int64_t element_at[most_block_elements + 32];  // room for a last whole vector
    // Elements [0, inside_begin) and [inside_end, elements) of the first block lie outside: where they come from, or
    // `shows_cval`. The pattern has them clamped.
    std::int64_t inside_begin;
    std::int64_t inside_end;
    std::int64_t outside_at[most_block_elements];
    // For each output byte, which byte of its group's windows it is; beyond the row's end, any.
    alignas(64) std::uint8_t controls[most_block_bytes + group_bytes];
};

// What was cut off the coordinates of a block to make them whole: the least and the most. It says how far the
// coordinates may drift before a source is another. For `floor` counted in n_out-ths, else in elements, from the lower
// end of the interval of coordinates that show the same source.
struct CutOff {
    double least_part = 1.0;
    double most_part = 0.0;
    std::int64_t least_rest = INT64_MAX;
    std::int64_t most_rest = 0;
};

// clamped_source_index() of `elements` output indices from `begin`, times the element's bytes: the same arithmetic in
// the same order, so the same bits.
inline CutOff find_elements(const TileAxis& x, RowTable& table) {
    const std::int64_t elements = table.elements;
    CutOff cut;
    if (x.zoom.convention == ZoomConvention::floor) {
        // k * n_in / n_out without the wide division: quotient and remainder, one step on for each k.
        std::int64_t index = clamped_source_index(x.zoom, table.begin);
        auto rest =
            static_cast<std::int64_t>(static_cast<WideInteger>(table.begin) * x.zoom.n_in % x.zoom.n_out);
        const std::int64_t whole_steps = x.zoom.n_in / x.zoom.n_out;
        const std::int64_t rest_step = x.zoom.n_in % x.zoom.n_out;
        for (std::int64_t i = 0; i < elements; ++i) {
            table.element_at[i] = index * table.element_bytes;
            cut.least_rest = std::min(cut.least_rest, rest);
            cut.most_rest = std::max(cut.most_rest, rest);
            index += whole_steps;
            rest += rest_step - x.zoom.n_out;
            index += rest >= 0 ? 1 : 0;
            rest += rest >= 0 ? 0 : x.zoom.n_out;
        }
        return cut;
    }
    const hn::ScalableTag<double> d;
    const hn::RebindToSigned<decltype(d)> di;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    const auto step = hn::Set(d, x.zoom.step);
    const auto half = hn::Set(d, 0.5);
    const auto zero = hn::Zero(d);
    const auto bytes = hn::Set(d, static_cast<double>(table.element_bytes));
    const auto last = hn::Set(d, static_cast<double>(x.zoom.n_in - 1));
    auto least = hn::Set(d, 1.0);
    auto most = zero;
    for (std::int64_t i = 0; i < elements; i += n) {
        const auto k = hn::Add(hn::Set(d, static_cast<double>(table.begin + i)), hn::Iota(d, 0.0));
        auto coordinate = zero;
        auto nearest = zero;
        auto part = zero;
        if (x.zoom.convention == ZoomConvention::scipy) {
            coordinate = hn::Add(hn::Mul(k, step), half);
            nearest = hn::Floor(coordinate);
            part = hn::Sub(coordinate, nearest);
        } else if (x.zoom.convention == ZoomConvention::scipy_grid) {
            coordinate = hn::Add(hn::Sub(hn::Mul(hn::Add(k, half), step), half), half);
            nearest = hn::Floor(coordinate);
            part = hn::Sub(coordinate, nearest);
        } else {
            coordinate = hn::Div(k, step);
            nearest = hn::Round(coordinate);
            part = hn::Add(hn::Sub(coordinate, nearest), half);
        }
        least = hn::Min(least, part);
        most = hn::Max(most, part);
        // Whole numbers below 2^53, so that the product is exact as well.
        const auto at = hn::Mul(hn::Min(hn::Max(nearest, zero), last), bytes);
        hn::StoreU(hn::ConvertTo(di, at), di, table.element_at + i);
    }
    cut.least_part = hn::GetLane(hn::MinOfLanes(d, least));
    cut.most_part = hn::GetLane(hn::MaxOfLanes(d, most));
    return cut;
}

// How many input elements an output element goes on, about.
inline double elements_per_step(const ZoomAxis& zoom) {
    switch (zoom.convention) {
    case ZoomConvention::round: return 1.0 / zoom.step;
    case ZoomConvention::floor: return static_cast<double>(zoom.n_in) / static_cast<double>(zoom.n_out);
    default: return zoom.step;
    }
}

// The length of blocks whose pattern repeats longest: whole lines of output that go on by nearly a whole number of input
// elements (under `round` an even one: halves go to even).
inline std::int64_t repeating_elements(const ZoomAxis& zoom, std::int64_t element_bytes, std::int64_t most) {
    const std::int64_t unit = line_bytes / std::gcd(line_bytes, element_bytes);
    const double parity = zoom.convention == ZoomConvention::round ? 2.0 : 1.0;
    const double step = elements_per_step(zoom) / parity;
    std::int64_t best = unit;
    double least_drift = 1.0;
    for (std::int64_t elements = unit; elements <= most; elements += unit) {
        const double sources = static_cast<double>(elements) * step;
        const double drift = std::abs(sources - std::nearbyint(sources)) / static_cast<double>(elements);
        if (drift < 0.99 * least_drift) {
            least_drift = drift;
            best = elements;
        }
    }
    return most < unit ? most : most / best * best;
}

// How many of the blocks after the table's have its pattern, `sources` input elements on for each, as far as the
// coordinates say: those of the m-th have drifted by m * drift, exactly, and are computed with an error of less than
// `error`.
inline double blocks_alike(const TileAxis& x, const RowTable& table, const CutOff& cut,
                           std::int64_t sources) {
    constexpr double any_number = 0x1p62;
    const ZoomAxis& zoom = x.zoom;
    if (zoom.convention == ZoomConvention::floor) {
        const WideInteger drift = static_cast<WideInteger>(table.elements) * zoom.n_in -
                                  static_cast<WideInteger>(sources) * zoom.n_out;
        const WideInteger room = drift > 0 ? zoom.n_out - 1 - cut.most_rest : cut.least_rest;
        return drift == 0 ? any_number : static_cast<double>(room / (drift > 0 ? drift : -drift));
    }
    const bool divides = zoom.convention == ZoomConvention::round;
    const auto elements = static_cast<double>(table.elements);
    const auto wanted = static_cast<double>(sources);
    const double drift =
        divides ? std::fma(-wanted, zoom.step, elements) / zoom.step : std::fma(elements, zoom.step, -wanted);
    const auto end = static_cast<double>(x.end);
    const double largest = (end + 1.0) * elements_per_step(zoom) + 1.0;
    const double fine_step = divides ? zoom.step : zoom.step * 1024.0;
    const bool is_short = fine_step == std::floor(fine_step) && std::max(largest, end) < 0x1p40;
    if (divides && is_short && zoom.step <= 1024.0 && drift == 0.0 && sources % 2 == 0) {
        // k / step is a half exactly where it is computed as one, being otherwise at least 1/2048 away from it.
        return any_number;
    }
    // A short step makes every operation exact. Else a coordinate is rounded four times at most, here and there.
    const bool is_exact = is_short && !divides;
    const double error = is_exact ? 0.0 : largest * 0x1p-49;
    if (cut.least_part < error || cut.most_part > 1.0 - error) {
        return 0.0;
    }
    if (drift == 0.0) {
        return any_number;
    }
    const double room = drift > 0.0 ? 1.0 - error - cut.most_part : cut.least_part - error;
    return std::floor(room / std::abs(drift)) -
           1.0;  // less one: the division rounds, and 1 itself is too much
}

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

// For how many blocks in a row the table serves, of `blocks` that there are.
inline std::int64_t repeats_of(const TileAxis& x, const RowTable& table, const CutOff& cut,
                               std::int64_t sources, std::int64_t blocks) {
    const std::int64_t last_source = table.element_at[table.elements - 1] / table.element_bytes;
    if (last_source == x.zoom.n_in - 1) {
        return 1;  // it may have been clamped
    }
    double more = std::min(blocks_alike(x, table, cut, sources), static_cast<double>(blocks - 1));
    if (sources > 0) {
        more = std::min(more, static_cast<double>((x.zoom.n_in - 1 - last_source) / sources));
        if (table.method == RowMethod::shuffle) {
            // No group begins behind the last source.
            const std::int64_t room =
                table.input_bytes - table.windows * group_bytes - (last_source + 1) * table.element_bytes;
            more = std::min(more, static_cast<double>(room / table.input_advance));
        }
    }
    return 1 + static_cast<std::int64_t>(std::max(more, 0.0));
}

inline void find_outside(const TileAxis& x, RowTable& table) {
    const auto within = [&](std::int64_t k)
                            HWY_ATTR { return std::clamp<std::int64_t>(k - table.begin, 0, table.elements); };
    table.inside_begin = within(x.zoom.inside_begin);
    table.inside_end = within(x.zoom.inside_end);
    for (std::int64_t i = 0; i < table.elements; ++i) {
        i = i == table.inside_begin ? table.inside_end : i;
        if (i < table.elements) {
            const std::int64_t source = outside_source_index(x.zoom, table.begin + i);
            table.outside_at[i] = source == shows_cval ? shows_cval : source * table.element_bytes;
        }
    }
}

// Fills the table for a block of output indices from `begin`. Returns the first index after those that it serves.
inline std::int64_t make_row_table(const TileAxis& x, std::int64_t element_bytes, std::int64_t begin,
                                   RowTable& table) {
    const bool is_copied = is_unchanged(x.zoom);
    const std::int64_t most = std::max<std::int64_t>(
        1, std::min(is_copied ? most_block_bytes : most_block_elements, most_block_bytes / element_bytes));
    const std::int64_t wanted = x.end - begin;
    table.element_bytes = element_bytes;
    table.begin = begin;
    table.elements = wanted <= most ? wanted
                     : is_copied    ? most
                                    : repeating_elements(x.zoom, element_bytes, most);
    table.row_bytes = table.elements * element_bytes;
    table.input_bytes = x.zoom.n_in * element_bytes;
    table.input_span = table.row_bytes;
    table.repeats = 1;
    table.inside_begin = 0;
    table.inside_end = table.elements;
    if (is_copied) {
        const std::int64_t blocks = wanted / table.elements;
        table.method = RowMethod::copy;
        table.element_at[0] = begin * element_bytes;
        table.repeats = blocks;
        table.input_advance = table.row_bytes;
        return begin + blocks * table.elements;
    }
    const CutOff cut = find_elements(x, table);
    table.input_span = table.element_at[table.elements - 1] - table.element_at[0] + element_bytes;
    table.method = make_groups(table) ? RowMethod::shuffle : RowMethod::elements;
    find_outside(x, table);
    // What lies outside is found for the first block only: those after it must lie inside.
    const std::int64_t first_repeat = begin + table.elements;
    const std::int64_t blocks = first_repeat < x.zoom.inside_begin
                                    ? 1
                                    : (std::min(x.end, x.zoom.inside_end) - begin) / table.elements;
    if (blocks > 1) {
        const double parity = x.zoom.convention == ZoomConvention::round ? 2.0 : 1.0;
        const auto sources =
            static_cast<std::int64_t>(parity * std::nearbyint(static_cast<double>(table.elements) *
                                                              elements_per_step(x.zoom) / parity));
        table.input_advance = sources * element_bytes;
        table.repeats = repeats_of(x, table, cut, sources, blocks);
    }
    return begin + table.repeats * table.elements;
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

template <std::size_t bytes>
HWY_INLINE void move_elements(const RowTable& table, const std::byte* input_row, std::byte* to) {
    for (std::int64_t i = 0; i < table.elements; ++i) {
        std::memcpy(to + i * static_cast<std::int64_t>(bytes), input_row + table.element_at[i], bytes);
    }
}

HWY_INLINE void show_outside(const RowTable& table, const std::byte* input_row, const std::byte* cval,
                             std::byte* to) {
    const auto show = [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::byte* const from =
                table.outside_at[i] == shows_cval ? cval : input_row + table.outside_at[i];
            std::memcpy(to + i * table.element_bytes, from, static_cast<std::size_t>(table.element_bytes));
        }
    };
    show(0, table.inside_begin);
    show(table.inside_end, table.elements);
}

// One row of the table's block; `input_row` is advanced to the repeat that is wanted. `ahead` is where the same bytes
// will be wanted soon: they are fetched, if they are memory at all. May write up to row_overhang bytes beyond the block.
HWY_INLINE void expand_block(const RowTable& table, const std::byte* input_row, const std::byte* ahead,
                             std::byte* to) {
    if (table.method == RowMethod::copy) {
        std::memcpy(to, input_row + table.element_at[0], static_cast<std::size_t>(table.row_bytes));
        return;
    }
    if (table.method == RowMethod::shuffle) {
        shuffle_block(table, input_row, ahead, to);
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
