#pragma once

#include "common/errors/error.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slab {

using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

struct Place {
    double x = 0;  // to the right, from the left edge
    double y = 0;  // down, from the upper edge
};

// Pixels to draw on, white at first. What lies outside is not drawn.
class Picture {
  public:
    Picture(int width, int height);

    int width() const { return width_; }
    int height() const { return height_; }
    Colour at(int x, int y) const { return pixels_[index(x, y)]; }

    void fill(Place corner, double width, double height, Colour colour);
    void line(Place from, Place to, double thickness, Colour colour);
    // In letters.hpp's letters, each dot as large as `dot` pixels squared; the place is the upper left corner.
    void text(Place corner, std::string_view words, int dot, Colour colour);
    static int text_width(std::string_view words, int dot);

    // A PNG file's bytes. An error of kind failed: libpng's.
    Expected<std::string> png() const;

  private:
    std::size_t index(int x, int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
    }

    int width_;
    int height_;
    std::vector<Colour> pixels_;
};

}  // namespace slab
