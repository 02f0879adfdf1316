#pragma once

#include "common/array/box.hpp"
#include "common/array/shape.hpp"
#include "daemon/kernels/kernel.hpp"
#include "daemon/kernels/plugin/size_expression.hpp"

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slab::kernels {

// The lists of slab_kernel.h, with an entry for each axis. Texts that are unexpected say what is wrong, for a sentence
// that names kernel and field.

// "image", "y[0], x[0]", "image[:-1], 3"
class ShapeRule {
  public:
    static std::expected<ShapeRule, std::string> parse(std::string_view text,
                                                       std::span<const SizeSymbol> symbols);

    std::expected<Shape, std::string> shape(std::span<const SymbolValues> symbols,
                                            std::span<const Shape> inputs) const;

  private:
    // A size, or the axes [first, last) of an input.
    struct Entry {
        SizeExpression size;
        std::optional<std::size_t> sliced_input = std::nullopt;
        std::optional<SizeExpression> first = std::nullopt, last = std::nullopt;
    };

    static std::expected<Entry, std::string> parse_entry(std::string_view text,
                                                         std::span<const SizeSymbol> symbols);

    std::vector<Entry> entries_;
};

// "begin - radius : end + radius", "..., :", "none". Default: the tile's own indices.
class ReadRule {
  public:
    static std::expected<ReadRule, std::string> parse(std::string_view text,
                                                      std::span<const SizeSymbol> symbols);

    bool reads_nothing() const { return reads_nothing_; }
    // For people, and for the agreement tests; of all tiles and parameters.
    Reads kind() const;

    // Of an array of that shape, along one axis. The symbols hold the tile's bounds. Cut off at the array's ends, and
    // never empty. Nothing: see SizeExpression; or it has no entry for the axis.
    std::optional<AxisRange> range(std::span<const SymbolValues> symbols, const Shape& source,
                                   int axis) const;

    // Whether it can be said for every axis, and moves forward only. Empty: yes.
    std::optional<std::string> complaint(std::span<const SymbolValues> symbols, const Shape& source) const;

  private:
    struct Entry {
        // None: from the array's begin, to its end. own: the tile's own indices.
        bool is_own = false;
        std::optional<SizeExpression> begin = std::nullopt, end = std::nullopt;
    };

    const Entry* entry_of(const Shape& source, int axis) const;

    std::vector<Entry> entries_;
    std::optional<std::size_t> ellipsis_;  // it stands before the entry of that number
    SizeExpression tile_begin_, tile_end_;
    bool reads_nothing_ = false;
};

// "..., :", "64, 64"
class TileRule {
  public:
    static std::expected<TileRule, std::string> parse(std::string_view text,
                                                      std::span<const SizeSymbol> symbols);

    std::expected<TilePreference, std::string> preference(std::span<const SymbolValues> symbols,
                                                          const Shape& array) const;

  private:
    std::vector<std::optional<SizeExpression>> entries_;  // none: whole
    std::optional<std::size_t> ellipsis_;
};

// As a whole number from 0 to 2^53, cut off there.
std::int64_t whole_number(double value);

}  // namespace slab::kernels
