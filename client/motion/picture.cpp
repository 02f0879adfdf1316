#include "client/motion/picture.hpp"

#include "client/motion/letters.hpp"

#include <png.h>

#include <algorithm>
#include <cmath>

namespace slab {

static_assert(sizeof(Colour) == 3);  // rows go to libpng as they are

Picture::Picture(int width, int height)
    : width_(width), height_(height),
      pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), Colour{255, 255, 255}) {}

void Picture::fill(Place corner, double width, double height, Colour colour) {
    const int left = std::clamp(static_cast<int>(std::lround(corner.x)), 0, width_);
    const int right = std::clamp(static_cast<int>(std::lround(corner.x + width)), 0, width_);
    const int upper = std::clamp(static_cast<int>(std::lround(corner.y)), 0, height_);
    const int lower = std::clamp(static_cast<int>(std::lround(corner.y + height)), 0, height_);
    for (int y = upper; y < lower; ++y) {
        for (int x = left; x < right; ++x) {
            pixels_[index(x, y)] = colour;
        }
    }
}

// A pixel is covered by how far its middle is inside the line.
void Picture::line(Place from, Place to, double thickness, Colour colour) {
    const double reach = thickness / 2.0 + 1.0;
    const auto bounded = [](double value, int most) {
        return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(most)));
    };
    const int left = bounded(std::min(from.x, to.x) - reach, width_);
    const int right = bounded(std::max(from.x, to.x) + reach + 1.0, width_);
    const int upper = bounded(std::min(from.y, to.y) - reach, height_);
    const int lower = bounded(std::max(from.y, to.y) + reach + 1.0, height_);
    const double dx = to.x - from.x;
    const double dy = to.y - from.y;
    const double squared = dx * dx + dy * dy;
    for (int y = upper; y < lower; ++y) {
        for (int x = left; x < right; ++x) {
            const double px = x + 0.5 - from.x;
            const double py = y + 0.5 - from.y;
            const double along = squared > 0.0 ? std::clamp((px * dx + py * dy) / squared, 0.0, 1.0) : 0.0;
            const double distance = std::hypot(px - along * dx, py - along * dy);
            const double cover = std::clamp(thickness / 2.0 + 0.5 - distance, 0.0, 1.0);
            Colour& pixel = pixels_[index(x, y)];
            for (std::size_t part = 0; part < 3; ++part) {
                pixel[part] = static_cast<std::uint8_t>(
                    std::lround(pixel[part] + cover * (colour[part] - static_cast<double>(pixel[part]))));
            }
        }
    }
}

void Picture::text(Place corner, std::string_view words, int dot, Colour colour) {
    for (const char character : words) {
        const Letter letter = letter_of(character);
        for (std::size_t row = 0; row < letter.size(); ++row) {
            for (std::size_t column = 0; column < letter[row].size(); ++column) {
                if (letter[row][column] != ' ') {
                    fill({corner.x + static_cast<double>(column) * dot,
                          corner.y + static_cast<double>(row) * dot},
                         dot, dot, colour);
                }
            }
        }
        corner.x += (letter_width + 1) * dot;
    }
}

int Picture::text_width(std::string_view words, int dot) {
    return words.empty() ? 0 : (static_cast<int>(words.size()) * (letter_width + 1) - 1) * dot;
}

Expected<std::string> Picture::png() const {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width_);
    image.height = static_cast<png_uint_32>(height_);
    image.format = PNG_FORMAT_RGB;
    image.flags = PNG_IMAGE_FLAG_FAST;  // 100 ms otherwise, for a job that may take 300
    std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
    png_alloc_size_t count = bytes.size();
    if (png_image_write_to_memory(&image, bytes.data(), &count, 0, pixels_.data(), 0, nullptr) == 0) {
        return std::unexpected(Error{ErrorKind::failed, "the plot cannot be packed", image.message,
                                     "Give --motion-out none to go on without it."});
    }
    bytes.resize(count);
    return bytes;
}

}  // namespace slab
