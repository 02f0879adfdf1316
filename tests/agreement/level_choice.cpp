#include "tests/agreement/level_choice.hpp"

#include "daemon/kernels/kernel_registry.hpp"

#include <cstdlib>
#include <string_view>

namespace slab::agreement {
namespace {

constexpr std::int64_t most_bytes_of_small = 96 * 1024;

}  // namespace

LevelChoice::LevelChoice() : levels_(kernels::simd_levels()) {
    const char* const wanted = std::getenv("SLABD_AGREEMENT_LEVELS");
    takes_all_ = levels_.size() < 3 || (wanted != nullptr && std::string_view(wanted) == "all");
}

std::vector<std::string> LevelChoice::next(std::int64_t bytes) {
    return bytes <= most_bytes_of_small ? levels_ : two(bytes);
}

std::vector<std::string> LevelChoice::two(std::int64_t bytes) {
    if (takes_all_) {
        return levels_;
    }
    // Not in turn: the cases' parameters come in turn, and some would never meet some of the levels.
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
    const std::size_t others = levels_.size() - (bytes <= most_bytes_of_small ? 1 : 2);
    return {levels_.front(), levels_[1 + (state_ >> 33) % others]};
}

}  // namespace slab::agreement
