// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h).
#if defined(SLAB_KERNELS_ZOOM_ROW_TABLE) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_KERNELS_ZOOM_ROW_TABLE
#undef SLAB_KERNELS_ZOOM_ROW_TABLE
#else
#define SLAB_KERNELS_ZOOM_ROW_TABLE
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

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

#endif
}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#endif
