#pragma once

#include "daemon/kernels/kernel.hpp"

#include <array>
#include <cstdint>

namespace slab::kernels {

enum class FftKind : std::uint8_t { complex_to_complex, real_to_half, half_to_real };
enum class FftDirection : std::uint8_t { forward, inverse };

// The prime factors of a length, put together into what there are butterflies for: 4 first, then 2, 3, 5, and other
// primes up to most_direct_factor.
inline constexpr std::int64_t most_direct_factor = 61;
struct FftFactors {
    std::array<std::uint8_t, 64> factor{};
    std::size_t count = 0;
};
// False: a prime is too large for a butterfly.
bool factorize(std::int64_t length, FftFactors& factors);

// A phase: the lines along one axis. Real lines of even length n are transformed as n/2 complex numbers.
// The table from table_begin holds, as pairs of the working type: the roots of unity of `core`, or where that has a
// prime too large, those of `padded`, then the chirp of `core` and the transform of the chirp's circular extension
// (Bluestein's convolution, of the length `padded`, a power of two); then, for half the real length, the roots of n.
struct FftPhase {
    FftKind kind = FftKind::complex_to_complex;
    int axis = 0;
    std::int64_t n = 1;       // of the line, real or complex
    std::int64_t core = 1;    // of the complex transform
    std::int64_t padded = 0;  // 0: no convolution
    std::int64_t table_begin = 0;

    bool halves() const { return core != n; }
    std::int64_t transform_length() const { return padded != 0 ? padded : core; }
};

struct FftProgram {
    FftDirection direction = FftDirection::forward;
    bool is_double = false;
    double scale = 1.0;  // of the last phase
    int phase_count = 0;
    std::array<FftPhase, max_rank> phases{};
};

// Two copies of a transform of one line must fit into scratch.
inline constexpr std::int64_t fft_scratch_bytes = static_cast<std::int64_t>(scratch_bytes) - 64 * 1024;

// 0, or the length of the convolution that transforms a length with a large prime factor.
std::int64_t convolution_length(std::int64_t length);

// The phase's part of the plan's table.
void append_fft_table(FftPhase& phase, bool is_double, std::vector<std::byte>& table);

Expected<KernelPlan> plan_fft(FftKind kind, FftDirection direction, const PlanRequest& request);
AxisRange fft_reads(const BandQuery& query);

// The definition: every sum as it is written, in double.
void fill_fft_scalar(const TileCall& call) noexcept;
void fill_fft_simd(const TileCall& call) noexcept;

// What a phase reads.
inline const ConstArrayView& fft_source(const TileCall& call) {
    return call.phase == 0 ? call.inputs[0] : call.workspaces[call.phase - 1];
}

}  // namespace slab::kernels
