#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace slab {

inline constexpr int max_rank = 5;

// The extents of an array, slowest axis first as numpy shows them. Trivially copyable, so that it can travel in
// the messages between the supervisor and its children.
struct Shape {
    int rank = 0;
    std::array<std::int64_t, max_rank> extents{};

    Shape() = default;
    Shape(std::initializer_list<std::int64_t> values);

    std::int64_t operator[](int axis) const { return extents[static_cast<std::size_t>(axis)]; }
    std::int64_t& operator[](int axis) { return extents[static_cast<std::size_t>(axis)]; }
    std::span<const std::int64_t> values() const { return {extents.data(), static_cast<std::size_t>(rank)}; }
    bool operator==(const Shape&) const = default;
};

// Empty when more than max_rank values are given, or one is negative.
std::optional<Shape> shape_from(std::span<const std::int64_t> values);

// The product of the extents; 1 for rank 0. Empty when it does not fit in 63 bits.
std::optional<std::int64_t> checked_element_count(const Shape& shape);

// The same for a shape that has been checked already.
std::int64_t element_count(const Shape& shape);

Shape reversed(const Shape& shape);

// As numpy prints it: "(1024, 1024, 512)", "(7,)".
std::string to_text(const Shape& shape);

}  // namespace slab
