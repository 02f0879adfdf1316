#pragma once

#include <expected>
#include <limits>
#include <string>
#include <string_view>

namespace slab::kernels {

// Which numbers a parameter takes: "> 0", ">= 0", "< 1", "<= 9", "0 to 64". Default: any finite one.
class ValueRange {
  public:
    static std::expected<ValueRange, std::string> parse(std::string_view text);

    bool contains(double value) const;

  private:
    double least_ = std::numeric_limits<double>::lowest();
    double most_ = std::numeric_limits<double>::max();
    bool has_least_ = true, has_most_ = true;  // the ends themselves
};

}  // namespace slab::kernels
