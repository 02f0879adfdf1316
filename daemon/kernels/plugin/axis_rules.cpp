#include "daemon/kernels/plugin/axis_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace slab::kernels {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Where the character stands outside of parentheses and brackets.
std::size_t find_outside(std::string_view text, char wanted) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == wanted && depth == 0) {
            return i;
        }
        depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
    }
    return std::string_view::npos;
}

struct List {
    std::vector<std::string_view> entries;
    std::optional<std::size_t> ellipsis;
};

std::expected<List, std::string> list_of(std::string_view text) {
    List list;
    for (bool more = true; more;) {
        const std::size_t comma = find_outside(text, ',');
        const std::string_view entry = trimmed(text.substr(0, comma));
        more = comma != std::string_view::npos;
        text.remove_prefix(more ? comma + 1 : text.size());
        if (entry.empty()) {
            return std::unexpected(std::string("an entry is empty"));
        }
        if (entry != "...") {
            list.entries.push_back(entry);
        } else if (list.ellipsis) {
            return std::unexpected(std::string("'...' may stand there once"));
        } else {
            list.ellipsis = list.entries.size();
        }
    }
    if (list.entries.size() > static_cast<std::size_t>(max_rank)) {
        return std::unexpected(fmt::format("it has {} entries, and an array at most {} dimensions",
                                           list.entries.size(), max_rank));
    }
    return list;
}

// Of a rule that may be left empty: that is '...' alone.
std::expected<List, std::string> list_or_rest(std::string_view text) {
    return trimmed(text).empty() ? List{.entries = {}, .ellipsis = 0} : list_of(text);
}

// Which entry is an axis's: a single one is for all axes, '...' for those that no other is for (`entries`). Nothing: the
// list is of another length.
std::optional<std::size_t> entry_for(std::size_t entries, const std::optional<std::size_t>& ellipsis,
                                     int rank, int axis) {
    const auto at = static_cast<std::size_t>(axis);
    const auto axes = static_cast<std::size_t>(rank);
    if (!ellipsis) {
        return entries == 1      ? std::optional<std::size_t>(0)
               : entries == axes ? std::optional<std::size_t>(at)
                                 : std::nullopt;
    }
    if (entries > axes) {
        return std::nullopt;
    }
    const std::size_t behind = entries - *ellipsis;
    return at < *ellipsis ? at : at >= axes - behind ? at - (axes - entries) : entries;
}

std::optional<double> value_of(const SizeExpression& expression, std::span<const SymbolValues> symbols,
                               int axis) {
    const auto value = expression.evaluate({symbols, axis});
    return value ? std::optional(value->value) : std::nullopt;
}

}  // namespace

std::int64_t whole_number(double value) {
    constexpr double largest = 9007199254740992.0;
    return static_cast<std::int64_t>(std::clamp(value, 0.0, largest));
}

std::expected<ShapeRule::Entry, std::string> ShapeRule::parse_entry(std::string_view text,
                                                                    std::span<const SizeSymbol> symbols) {
    const std::size_t bracket = text.find('[');
    const std::string_view name = trimmed(text.substr(0, bracket));
    const bool is_bracketed = bracket != std::string_view::npos && text.ends_with(']');
    const std::string_view inside =
        is_bracketed ? text.substr(bracket + 1, text.size() - bracket - 2) : std::string_view();
    const std::size_t colon = find_outside(inside, ':');
    const auto input = std::ranges::find(symbols, name, &SizeSymbol::name);
    if (colon == std::string_view::npos || input == symbols.end() || input->kind != SizeName::input_extent) {
        auto size = SizeExpression::parse(text, symbols);
        return size ? std::expected<Entry, std::string>(Entry{std::move(*size)})
                    : std::unexpected(std::move(size.error()));
    }
    Entry slice;
    slice.sliced_input = input->input;
    for (auto [part, bound] : {std::pair{inside.substr(0, colon), &slice.first},
                               std::pair{inside.substr(colon + 1), &slice.last}}) {
        if (!trimmed(part).empty()) {
            auto parsed = SizeExpression::parse(part, symbols);
            if (!parsed) {
                return std::unexpected(std::move(parsed.error()));
            }
            *bound = std::move(*parsed);
        }
    }
    return slice;
}

std::expected<ShapeRule, std::string> ShapeRule::parse(std::string_view text,
                                                       std::span<const SizeSymbol> symbols) {
    const auto list = list_of(text);
    if (!list || list->ellipsis) {
        return std::unexpected(list ? std::string("'...' says of no axis how long it is") : list.error());
    }
    ShapeRule rule;
    for (const std::string_view entry : list->entries) {
        auto parsed = parse_entry(entry, symbols);
        if (!parsed) {
            return std::unexpected(std::move(parsed.error()));
        }
        rule.entries_.push_back(std::move(*parsed));
    }
    return rule;
}

std::expected<Shape, std::string> ShapeRule::shape(std::span<const SymbolValues> symbols,
                                                   std::span<const Shape> inputs) const {
    std::vector<std::int64_t> extents;
    std::optional<std::string> problem;
    const auto add = [&](const SizeExpression& size, int axis) {
        const auto value = value_of(size, symbols, axis);
        if (!value || std::trunc(*value) != *value || *value < 1 || *value > 9e15) {
            problem = fmt::format("the size of axis {} {}", extents.size(),
                                  value ? fmt::format("would be {:.17g}", *value)
                                        : std::string("cannot be computed"));
            return;
        }
        extents.push_back(static_cast<std::int64_t>(*value));
    };
    for (const Entry& entry : entries_) {
        if (entry.sliced_input) {
            const Shape& input = inputs[*entry.sliced_input];
            const auto bound = [&](const std::optional<SizeExpression>& expression, double otherwise) {
                const auto value = expression ? value_of(*expression, symbols, 0) : std::optional(otherwise);
                const double number = value.value_or(0);
                return std::clamp<int>(static_cast<int>(std::clamp(number, -100.0, 100.0)) +
                                           (number < 0 ? input.rank : 0),
                                       0, input.rank);
            };
            for (int axis = bound(entry.first, 0); axis < bound(entry.last, input.rank); ++axis) {
                extents.push_back(input[axis]);
            }
        } else if (const auto input = entry.size.spread_input(); input && entries_.size() == 1) {
            for (int axis = 0; axis < inputs[*input].rank && !problem; ++axis) {
                add(entry.size, axis);
            }
        } else {
            add(entry.size, static_cast<int>(extents.size()));
        }
        if (problem) {
            return std::unexpected(std::move(*problem));
        }
    }
    const auto shape = shape_from(extents);
    if (!shape || shape->rank == 0) {
        return std::unexpected(fmt::format("it would have {} dimensions", extents.size()));
    }
    return *shape;
}

std::expected<ReadRule, std::string> ReadRule::parse(std::string_view text,
                                                     std::span<const SizeSymbol> symbols) {
    ReadRule rule;
    // Both are symbols of every reading.
    rule.tile_begin_ = *SizeExpression::parse("begin", symbols);
    rule.tile_end_ = *SizeExpression::parse("end", symbols);
    if (trimmed(text) == "none") {
        rule.reads_nothing_ = true;
        return rule;
    }
    const auto list = list_or_rest(text);
    if (!list) {
        return std::unexpected(list.error());
    }
    rule.ellipsis_ = list->ellipsis;
    for (const std::string_view entry : list->entries) {
        const std::size_t colon = find_outside(entry, ':');
        if (colon == std::string_view::npos) {
            return std::unexpected(fmt::format("'{}' is no range, begin : end", entry));
        }
        Entry range;
        for (auto [part, bound] : {std::pair{entry.substr(0, colon), &range.begin},
                                   std::pair{entry.substr(colon + 1), &range.end}}) {
            if (!trimmed(part).empty()) {
                auto parsed = SizeExpression::parse(part, symbols);
                if (!parsed) {
                    return std::unexpected(std::move(parsed.error()));
                }
                *bound = std::move(*parsed);
            }
        }
        rule.entries_.push_back(std::move(range));
    }
    return rule;
}

Reads ReadRule::kind() const {
    const auto is_open = [](const Entry& entry) { return !entry.begin || !entry.end; };
    return std::ranges::any_of(entries_, is_open) ? Reads::anywhere
           : entries_.empty()                     ? Reads::point
                                                  : Reads::window;
}

const ReadRule::Entry* ReadRule::entry_of(const Shape& source, int axis) const {
    static const Entry own{.is_own = true};
    const auto entry = entry_for(entries_.size(), ellipsis_, source.rank, axis);
    return !entry ? nullptr : *entry == entries_.size() ? &own : &entries_[*entry];
}

std::optional<AxisRange> ReadRule::range(std::span<const SymbolValues> symbols, const Shape& source,
                                         int axis) const {
    const Entry* const entry = entry_of(source, axis);
    if (entry == nullptr) {
        return std::nullopt;
    }
    const auto extent = static_cast<double>(source[axis]);
    const auto bound = [&](const std::optional<SizeExpression>& expression, const SizeExpression& own,
                           double otherwise) {
        return entry->is_own ? value_of(own, symbols, axis)
               : expression  ? value_of(*expression, symbols, axis)
                             : std::optional(otherwise);
    };
    const auto begin = bound(entry->begin, tile_begin_, 0);
    const auto end = bound(entry->end, tile_end_, extent);
    if (!begin || !end) {
        return std::nullopt;
    }
    const std::int64_t first = std::min(whole_number(std::floor(*begin)), source[axis] - 1);
    return AxisRange{first, std::clamp(whole_number(std::ceil(*end)), first + 1, source[axis])};
}

std::optional<std::string> ReadRule::complaint(std::span<const SymbolValues> symbols,
                                               const Shape& source) const {
    for (int axis = 0; axis < source.rank && !reads_nothing_; ++axis) {
        const Entry* const entry = entry_of(source, axis);
        if (entry == nullptr) {
            return fmt::format("it has no entry for axis {} of {}", axis, source.rank);
        }
        for (const std::optional<SizeExpression>* bound : {&entry->begin, &entry->end}) {
            const auto value = *bound ? (*bound)->evaluate({symbols, axis}) : SizeValue{};
            if (!value || !range(symbols, source, axis)) {
                return fmt::format("it cannot be computed for axis {}", axis);
            }
            if (!value->never_falls) {
                return fmt::format("along axis {} it moves back as the tile moves on", axis);
            }
        }
    }
    return std::nullopt;
}

std::expected<TileRule, std::string> TileRule::parse(std::string_view text,
                                                     std::span<const SizeSymbol> symbols) {
    TileRule rule;
    const auto list = list_or_rest(text);
    if (!list) {
        return std::unexpected(list.error());
    }
    rule.ellipsis_ = list->ellipsis;
    for (const std::string_view entry : list->entries) {
        if (entry == ":") {
            rule.entries_.emplace_back();
            continue;
        }
        auto parsed = SizeExpression::parse(entry, symbols);
        if (!parsed) {
            return std::unexpected(std::move(parsed.error()));
        }
        rule.entries_.emplace_back(std::move(*parsed));
    }
    return rule;
}

std::expected<TilePreference, std::string> TileRule::preference(std::span<const SymbolValues> symbols,
                                                                const Shape& array) const {
    TilePreference preference;
    for (int axis = 0; axis < array.rank; ++axis) {
        const auto at = static_cast<std::size_t>(axis);
        const auto entry = entry_for(entries_.size(), ellipsis_, array.rank, axis);
        if (!entry) {
            return std::unexpected(fmt::format("it has no entry for axis {} of {}", axis, array.rank));
        }
        if (*entry == entries_.size()) {
            continue;
        }
        if (!entries_[*entry]) {
            preference.is_whole[at] = true;
            continue;
        }
        const auto value = value_of(*entries_[*entry], symbols, axis);
        if (!value || *value < 1) {
            return std::unexpected(fmt::format("along axis {} it {}", axis,
                                               value ? fmt::format("would be {:.17g}", *value)
                                                     : std::string("cannot be computed")));
        }
        preference.least[at] = preference.brick[at] = std::min(array[axis], whole_number(*value));
    }
    return preference;
}

}  // namespace slab::kernels
