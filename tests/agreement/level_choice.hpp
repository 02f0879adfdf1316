#pragma once

#include <string>
#include <vector>

namespace slab::agreement {

// The instruction sets that a case is tried at: the best of this machine, and of the others (the definition, "scalar", is
// one of them) another one from case to case. All sets have the same source, so what one alone gets wrong shows in
// many cases. The same choice in every run; all of them with SLABD_AGREEMENT_LEVELS=all, as in ./check --long.
class LevelChoice {
  public:
    LevelChoice();

    std::vector<std::string> next();  // of the next case, the best one first

  private:
    std::vector<std::string> levels_;
    bool takes_all_;
    std::size_t state_ = 1;
};

}  // namespace slab::agreement
