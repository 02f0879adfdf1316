#include "daemon/kernels/plugin/value_range.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace slab::kernels {
namespace {

std::optional<double> number_in(std::string_view text) {
    while (text.starts_with(' ')) {
        text.remove_prefix(1);
    }
    while (text.ends_with(' ')) {
        text.remove_suffix(1);
    }
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && end == text.data() + text.size() && std::isfinite(value)
               ? std::optional(value)
               : std::nullopt;
}

}  // namespace

std::expected<ValueRange, std::string> ValueRange::parse(std::string_view text) {
    ValueRange range;
    if (text.empty()) {
        return range;
    }
    const auto no_range = [text] {
        return std::unexpected(
            fmt::format("'{}' is no range: it looks like '> 0', '>= 0', '< 1', '<= 9' or '0 to 64'", text));
    };
    if (const std::size_t to = text.find(" to "); to != std::string_view::npos) {
        const auto least = number_in(text.substr(0, to));
        const auto most = number_in(text.substr(to + 4));
        if (!least || !most) {
            return no_range();
        }
        if (*least > *most) {
            return std::unexpected(fmt::format("'{}' has no number in it", text));
        }
        range.least_ = *least;
        range.most_ = *most;
        return range;
    }
    const bool is_closed = text.size() > 1 && text[1] == '=';
    const auto bound = number_in(text.substr(is_closed ? 2 : 1));
    if (!bound || (text.front() != '<' && text.front() != '>')) {
        return no_range();
    }
    if (text.front() == '>') {
        range.least_ = *bound;
        range.has_least_ = is_closed;
    } else {
        range.most_ = *bound;
        range.has_most_ = is_closed;
    }
    return range;
}

bool ValueRange::contains(double value) const {
    return (has_least_ ? value >= least_ : value > least_) && (has_most_ ? value <= most_ : value < most_);
}

}  // namespace slab::kernels
