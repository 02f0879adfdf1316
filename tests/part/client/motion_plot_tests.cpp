#include "client/motion/motion_plot.hpp"

#include <doctest/doctest.h>
#include <png.h>

#include <algorithm>
#include <limits>

namespace {

using namespace slab;

std::size_t count_of(const Picture& picture, Colour colour) {
    std::size_t count = 0;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x) {
            count += picture.at(x, y) == colour ? 1U : 0U;
        }
    }
    return count;
}

std::vector<FrameMotion> series(std::size_t frames) {
    std::vector<FrameMotion> motion(frames);
    for (std::size_t frame = 0; frame < frames; ++frame) {
        motion[frame].to_reference = shift({0.1 * static_cast<double>(frame % 7), 0, -1});
        motion[frame].dvars = static_cast<double>(frame);
    }
    return motion;
}

Picture plot(const std::vector<FrameMotion>& motion) {
    return motion_plot(motion, confounds_of(motion, {0, 0, 0}));
}

}  // namespace

TEST_CASE("an axis is marked at round numbers within its range") {
    CHECK(axis_marks(0, 60, 6).step == doctest::Approx(10));
    CHECK(axis_marks(0, 61, 6).step == doctest::Approx(20));
    CHECK(axis_marks(-0.031, 0.012, 5).step == doctest::Approx(0.01));
    CHECK(axis_marks(-0.031, 0.012, 5).first == doctest::Approx(-0.03));
    CHECK(axis_marks(1.1, 4.6, 8).first == doctest::Approx(1.5));
}

TEST_CASE("a line covers as many pixels as it is long, and none outside the picture") {
    Picture picture(20, 10);

    picture.line({2, 5.5}, {12, 5.5}, 1, {0, 0, 0});
    picture.line({-50, -50}, {-20, 400}, 3, {0, 0, 0});

    CHECK(picture.at(2, 5) == Colour{0, 0, 0});
    CHECK(picture.at(11, 5) == Colour{0, 0, 0});
    CHECK(picture.at(14, 5) == Colour{255, 255, 255});
    CHECK(picture.at(5, 7) == Colour{255, 255, 255});
    CHECK(picture.at(0, 0) == Colour{255, 255, 255});
}

TEST_CASE("text is dots of its colour, as wide as it is said to be") {
    Picture picture(100, 20);

    picture.text({1, 1}, "11", 1, {9, 9, 9});

    CHECK(count_of(picture, {9, 9, 9}) == 2 * 13);
    CHECK(picture.at(1 + Picture::text_width("11", 1) - 1, 7) == Colour{9, 9, 9});
    CHECK(picture.at(1 + Picture::text_width("11", 1), 7) == Colour{255, 255, 255});
}

TEST_CASE("frames that did not converge are striped, others are not") {
    constexpr Colour stripe{250, 215, 215};
    auto motion = series(40);
    CHECK(count_of(plot(motion), stripe) == 0);
    motion[11].has_converged = false;

    CHECK(count_of(plot(motion), stripe) > 4 * 20 * 100);
}

TEST_CASE("series of one and two frames, without any motion and with numbers that are none have a plot") {
    CHECK(count_of(plot(series(1)), {255, 255, 255}) > 0);
    std::vector<FrameMotion> still(2);
    still[1].dvars = std::numeric_limits<double>::quiet_NaN();
    CHECK(count_of(plot(still), {255, 255, 255}) > 0);
}

TEST_CASE("a plot is a PNG of the same pixels") {
    const Picture picture = plot(series(300));
    const auto bytes = picture.png();
    REQUIRE(bytes);

    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    REQUIRE(png_image_begin_read_from_memory(&image, bytes->data(), bytes->size()) != 0);
    image.format = PNG_FORMAT_RGB;
    std::vector<Colour> pixels(static_cast<std::size_t>(image.width) * image.height);
    REQUIRE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) != 0);

    REQUIRE(static_cast<int>(image.width) == picture.width());
    REQUIRE(static_cast<int>(image.height) == picture.height());
    bool are_same = true;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x) {
            are_same =
                are_same && pixels[static_cast<std::size_t>(y * picture.width() + x)] == picture.at(x, y);
        }
    }
    CHECK(are_same);
}
