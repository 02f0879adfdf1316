#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slab::agreement {

// The instruction sets that a case is tried at: all of them, two or one. The same choice in every run; all of them with
// SLABD_AGREEMENT_LEVELS=all, as in ./check --long.
class LevelChoice {
  public:
    LevelChoice();

    // Of the next case, whose inputs and output have so many bytes; the best of this machine first. A small case at all of
    // them: what one alone gets wrong may show in few cases. A large one as `two`.
    std::vector<std::string> next(std::int64_t bytes);

    // The best one and, from case to case, another one: "scalar", the definition, for small cases only, for it takes longer
    // than all others.
    std::vector<std::string> two(std::int64_t bytes);

  private:
    std::vector<std::string> levels_;  // scalar is the last
    bool takes_all_;
    std::size_t state_ = 1;
};

}  // namespace slab::agreement
