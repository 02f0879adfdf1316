#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slab::agreement {

// The instruction sets that a case is tried at. A small one at all of them: what one alone gets wrong may show in few cases.
// A large one at the best of this machine, and of the others (the definition, "scalar", is one of them) at another one from
// case to case. The same choice in every run; all of them with SLABD_AGREEMENT_LEVELS=all, as in ./check --long.
class LevelChoice {
  public:
    LevelChoice();

    // Of the next case, whose inputs and output have so many bytes; the best one first.
    std::vector<std::string> next(std::int64_t bytes);

  private:
    std::vector<std::string> levels_;
    bool takes_all_;
    std::size_t state_ = 1;
};

}  // namespace slab::agreement
