#pragma once

#include <array>
#include <string_view>

namespace slab {

// Letters of 5 x 9 dots for the plots: small letters, figures and the marks that stand in labels. The last two rows hang
// below the line.
inline constexpr int letter_width = 5;
inline constexpr int letter_height = 9;

using Letter = std::array<std::string_view, letter_height>;

// Empty dots for a character that has none.
Letter letter_of(char character);

}  // namespace slab
