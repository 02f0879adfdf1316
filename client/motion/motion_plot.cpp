#include "client/motion/motion_plot.hpp"

#include "client/motion/letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace slab {
namespace {

constexpr int page_width = 1600;
constexpr int curves_height = 1500;
constexpr int most_slice = 480;  // pixels along a side of a slice
constexpr double left = 150;
constexpr double right = 1560;
constexpr double panel_height = 270;
constexpr double panel_pitch = 360;
constexpr double first_top = 60;
constexpr int dot = 2;

constexpr Colour ink{40, 40, 40};
constexpr Colour grid_colour{225, 225, 225};
constexpr Colour stripe_colour{250, 215, 215};
// Told apart by people who see red and green alike (Okabe and Ito 2008).
constexpr std::array<Colour, 3> line_colours{Colour{0, 114, 178}, Colour{213, 94, 0}, Colour{0, 158, 115}};

struct Curve {
    std::string name;
    std::vector<double> values;  // NaN: no point
    Colour colour;
};

struct Panel {
    std::string title;
    std::vector<Curve> curves;
    bool begins_at_zero = false;
};

constexpr std::string_view axis_names = "xyz";
constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

Curve curve_of(const std::vector<FrameConfounds>& confounds, std::optional<double> FrameConfounds::*measure) {
    Curve curve{"", {}, line_colours[0]};
    for (const FrameConfounds& frame : confounds) {
        curve.values.push_back((frame.*measure).value_or(nowhere));
    }
    return curve;
}

std::vector<Curve> three_curves(const std::vector<FrameConfounds>& confounds, std::size_t first,
                                double unit) {
    std::vector<Curve> curves;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        Curve curve{std::string(axis_names.substr(axis, 1)), {}, line_colours[axis]};
        for (const FrameConfounds& frame : confounds) {
            curve.values.push_back(unit * frame.motion[first + axis]);
        }
        curves.push_back(std::move(curve));
    }
    return curves;
}

// Of all finite values; never empty.
std::pair<double, double> range_of(const Panel& panel) {
    double low = panel.begins_at_zero ? 0.0 : std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    for (const Curve& curve : panel.curves) {
        for (const double value : curve.values) {
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
            }
        }
    }
    if (!(high > low)) {
        const double middle = std::isfinite(low) ? low : 0.0;
        return {panel.begins_at_zero ? 0.0 : middle - 0.5, middle + 0.5};
    }
    const double margin = 0.05 * (high - low);
    return {panel.begins_at_zero ? low : low - margin, high + margin};
}

std::string number_text(double value, double step) {
    const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    return fmt::format("{:.{}f}", value + 0.0, std::min(decimals, 9));
}

class PanelDrawing {
  public:
    PanelDrawing(Picture& picture, const Panel& panel, double top, std::size_t frames)
        : picture_(picture), panel_(panel), top_(top), frames_(static_cast<double>(frames)) {
        std::tie(low_, high_) = range_of(panel);
    }

    void draw(const std::vector<std::size_t>& stripes) {
        const double width = (right - left) / std::max(frames_ - 1.0, 1.0);
        for (const std::size_t frame : stripes) {
            const double from = std::max(x_of(static_cast<double>(frame)) - width / 2, left);
            const double to = std::min(x_of(static_cast<double>(frame)) + width / 2, right);
            picture_.fill({from, top_}, std::max(to - from, 2.0), panel_height, stripe_colour);
        }
        draw_grid();
        for (const Curve& curve : panel_.curves) {
            draw_curve(curve);
        }
        draw_title();
    }

  private:
    double x_of(double frame) const { return left + (right - left) * frame / std::max(frames_ - 1.0, 1.0); }
    double y_of(double value) const {
        return top_ + panel_height - panel_height * (value - low_) / (high_ - low_);
    }

    void draw_grid() {
        const auto [first_value, value_step] = axis_marks(low_, high_, 6);
        for (int mark = 0; first_value + mark * value_step <= high_; ++mark) {
            const double value = first_value + mark * value_step;
            const double y = y_of(value);
            picture_.line({left, y}, {right, y}, 1, grid_colour);
            // A sum of steps is not exactly zero.
            const std::string text = number_text(std::abs(value) < value_step / 2 ? 0.0 : value, value_step);
            picture_.text({left - 14 - Picture::text_width(text, dot), y - 3.5 * dot}, text, dot, ink);
        }
        const auto [first_frame, step] = axis_marks(0, std::max(frames_ - 1.0, 1.0), 12);
        const double frame_step = std::max(step, 1.0);
        for (double frame = first_frame; frame <= frames_ - 1.0; frame += frame_step) {
            const double x = x_of(frame);
            picture_.line({x, top_}, {x, top_ + panel_height}, 1, grid_colour);
            const std::string text = fmt::format("{:.0f}", frame);
            picture_.text({x - Picture::text_width(text, dot) / 2.0, top_ + panel_height + 10}, text, dot,
                          ink);
        }
        picture_.line({left, top_}, {left, top_ + panel_height}, 2, ink);
        picture_.line({left, top_ + panel_height}, {right, top_ + panel_height}, 2, ink);
    }

    void draw_curve(const Curve& curve) {
        for (std::size_t frame = 0; frame < curve.values.size(); ++frame) {
            const double value = curve.values[frame];
            const double before = frame > 0 ? curve.values[frame - 1] : nowhere;
            if (!std::isfinite(value)) {
                continue;
            }
            const Place here{x_of(static_cast<double>(frame)), y_of(value)};
            const Place from =
                std::isfinite(before) ? Place{x_of(static_cast<double>(frame) - 1.0), y_of(before)} : here;
            picture_.line(from, here, 3, curve.colour);
        }
    }

    void draw_title() {
        double x = left;
        const double y = top_ - letter_height * dot - 12;
        picture_.text({x, y}, panel_.title, dot, ink);
        x += Picture::text_width(panel_.title, dot) + 40;
        for (const Curve& curve : panel_.curves) {
            if (curve.name.empty()) {
                continue;
            }
            picture_.line({x, y + 4.5 * dot}, {x + 40, y + 4.5 * dot}, 4, curve.colour);
            picture_.text({x + 52, y}, curve.name, dot, ink);
            x += 52 + Picture::text_width(curve.name, dot) + 30;
        }
    }

    Picture& picture_;
    const Panel& panel_;
    double top_;
    double frames_;
    double low_ = 0;
    double high_ = 1;
};

}  // namespace

AxisMarks axis_marks(double low, double high, int most) {
    const double least_step = (high - low) / most;
    const double power = std::pow(10.0, std::floor(std::log10(least_step)));
    double step = 10.0 * power;
    for (const double factor : {5.0, 2.0, 1.0}) {
        step = factor * power >= least_step ? factor * power : step;
    }
    return {std::ceil(low / step) * step, step};
}

namespace {

// What white stands for: an outlier is to be white, and not to make all else black.
float brightest_of(const SliceImage& image) {
    std::vector<float> values;
    std::ranges::copy_if(image.values, std::back_inserter(values), [](float value) { return value > 0.0F; });
    if (values.empty()) {
        return 1.0F;
    }
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 99 / 100);
    std::ranges::nth_element(values, at);
    return *at;
}

// Rows run up, as they do in the world where the volume is not turned.
void draw_slice(Picture& picture, Place corner, const SliceImage& image, float brightest, double scale) {
    for (int y = 0; y < static_cast<int>(scale * static_cast<double>(image.height)); ++y) {
        for (int x = 0; x < static_cast<int>(scale * static_cast<double>(image.width)); ++x) {
            const auto column = static_cast<std::int64_t>(x / scale);
            const std::int64_t row = image.height - 1 - static_cast<std::int64_t>(y / scale);
            const float value =
                image.values[static_cast<std::size_t>(row * image.width + column)] / brightest;
            const auto grey = static_cast<std::uint8_t>(
                std::isfinite(value) ? std::clamp(value, 0.0F, 1.0F) * 255.0F : 0.0F);
            picture.fill({corner.x + x, corner.y + y}, 1, 1, {grey, grey, grey});
        }
    }
}

int slices_height(const SeriesDeviation& deviation) {
    return deviation.after ? most_slice + 110 : 0;
}

void draw_deviation(Picture& picture, const SeriesDeviation& deviation) {
    if (!deviation.after) {
        return;
    }
    const SliceImage& after = *deviation.after;
    const double scale = most_slice / static_cast<double>(std::max(after.width, after.height));
    const float brightest = brightest_of(deviation.before ? *deviation.before : after);
    const double top = curves_height + 50;
    const auto draw = [&](double x, const SliceImage& image, std::string_view title) {
        const std::string text =
            fmt::format("{}: mean {:.4g}, white {:.4g}", title, mean_of(image), brightest);
        picture.text({x, top - letter_height * dot - 12}, text, dot, ink);
        draw_slice(picture, {x, top}, image, brightest, scale);
    };
    if (deviation.before) {
        draw(left, *deviation.before, "deviation over time, before");
    }
    draw((left + right) / 2 + 40, after, deviation.before ? "after" : "deviation over time");
}

}  // namespace

Picture motion_plot(const std::vector<FrameMotion>& motion, const std::vector<FrameConfounds>& confounds,
                    const SeriesDeviation& deviation) {
    constexpr double degrees = 180.0 / std::numbers::pi;
    const std::array<Panel, 4> panels{Panel{"translation, mm", three_curves(confounds, 0, 1.0)},
                                      Panel{"rotation, degrees", three_curves(confounds, 3, degrees)},
                                      Panel{"framewise displacement, mm",
                                            {curve_of(confounds, &FrameConfounds::framewise_displacement)},
                                            true},
                                      Panel{"dvars, standardised: 1 is noise alone",
                                            {curve_of(confounds, &FrameConfounds::std_dvars)},
                                            true}};
    const auto stripes = frames_not_converged(motion);
    Picture picture(page_width, curves_height + slices_height(deviation));
    double top = first_top;
    for (const Panel& panel : panels) {
        PanelDrawing(picture, panel, top, motion.size()).draw(stripes);
        top += panel_pitch;
    }
    const std::string below =
        stripes.empty() ? "frame" : fmt::format("frame      striped: {} not converged", stripes.size());
    picture.text(
        {(left + right - Picture::text_width(below, dot)) / 2, top - panel_pitch + panel_height + 40}, below,
        dot, ink);
    draw_deviation(picture, deviation);
    return picture;
}

}  // namespace slab
