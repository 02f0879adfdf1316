#include "daemon/kernels/zoom/zoom_coordinates.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

using namespace slab::kernels;

ZoomAxis axis_of(ZoomConvention convention, std::int64_t n_in, std::int64_t n_out, double factor) {
    return zoom_axis({convention, {factor}}, 0, n_in, n_out);
}

std::vector<std::int64_t> all_sources(const ZoomAxis& axis) {
    std::vector<std::int64_t> sources;
    for (std::int64_t k = 0; k < axis.n_out; ++k) {
        sources.push_back(source_index(axis, k));
    }
    return sources;
}

// How many output indices show an input index within [begin, end).
std::int64_t shown(const ZoomAxis& axis, std::int64_t begin, std::int64_t end) {
    std::int64_t count = 0;
    for (const std::int64_t source : all_sources(axis)) {
        count += source >= begin && source < end ? 1 : 0;
    }
    return count;
}

// Ones in [50:600, 200:1000, 5:30] of (1024, 1024, 512). The count is the product of the axes' counts.
std::int64_t nonzero(ZoomConvention convention, std::int64_t factor) {
    const auto f = static_cast<double>(factor);
    return shown(axis_of(convention, 1024, 1024 * factor, f), 50, 600) *
           shown(axis_of(convention, 1024, 1024 * factor, f), 200, 1000) *
           shown(axis_of(convention, 512, 512 * factor, f), 5, 30);
}

using Indices = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("the four known counts of the (1024,1024,512) box come out exactly") {
    CHECK(nonzero(ZoomConvention::round, 2) == 86'240'000);
    CHECK(nonzero(ZoomConvention::scipy, 2) == 88'000'000);
    CHECK(nonzero(ZoomConvention::round, 4) == 696'960'000);
    CHECK(nonzero(ZoomConvention::scipy, 4) == 704'760'200);
}

TEST_CASE("scipy's convention keeps both ends and rounds halves up") {
    CHECK(all_sources(axis_of(ZoomConvention::scipy, 3, 5, 0)) == Indices{0, 1, 1, 2, 2});
    CHECK(all_sources(axis_of(ZoomConvention::scipy, 5, 3, 0)) == Indices{0, 2, 4});
    CHECK(all_sources(axis_of(ZoomConvention::scipy, 5, 1, 0)) == Indices{0});
    CHECK(all_sources(axis_of(ZoomConvention::scipy, 1, 3, 0)) == Indices{0, 0, 0});
}

TEST_CASE("scipy's grid convention repeats each element by a whole factor") {
    CHECK(all_sources(axis_of(ZoomConvention::scipy_grid, 3, 6, 0)) == Indices{0, 0, 1, 1, 2, 2});
    CHECK(all_sources(axis_of(ZoomConvention::scipy_grid, 6, 2, 0)) == Indices{1, 4});
}

TEST_CASE("the round convention rounds halves to even and stays within the input") {
    CHECK(all_sources(axis_of(ZoomConvention::round, 4, 8, 2.0)) == Indices{0, 0, 1, 2, 2, 2, 3, 3});
    CHECK(all_sources(axis_of(ZoomConvention::round, 2, 2, 1.2)) == Indices{0, 1});
}

TEST_CASE("the floor convention is exact where doubles are not") {
    constexpr std::int64_t n = (std::int64_t{1} << 53) + 1;
    CHECK(source_index(axis_of(ZoomConvention::floor, n, n, 0), n - 1) == n - 1);
    CHECK(source_index(axis_of(ZoomConvention::floor, INT64_MAX, INT64_MAX, 0), INT64_MAX - 1) ==
          INT64_MAX - 1);
    CHECK(all_sources(axis_of(ZoomConvention::floor, 3, 7, 0)) == Indices{0, 0, 0, 1, 1, 2, 2});
}

TEST_CASE("source indices never fall and never leave the input, for any sizes") {
    for (const auto convention :
         {ZoomConvention::scipy, ZoomConvention::scipy_grid, ZoomConvention::round, ZoomConvention::floor}) {
        for (std::int64_t n_in = 1; n_in <= 70; ++n_in) {
            for (std::int64_t n_out = 1; n_out <= 150; ++n_out) {
                const double factor = static_cast<double>(n_out) / static_cast<double>(n_in);
                std::int64_t before = 0;
                for (const std::int64_t source : all_sources(axis_of(convention, n_in, n_out, factor))) {
                    REQUIRE(source >= before);
                    REQUIRE(source < n_in);
                    before = source;
                }
            }
        }
    }
}

TEST_CASE("an axis of factor 1 shows itself under every convention") {
    for (const auto convention :
         {ZoomConvention::scipy, ZoomConvention::scipy_grid, ZoomConvention::round, ZoomConvention::floor}) {
        const ZoomAxis axis = axis_of(convention, 997, 997, 1.0);
        CHECK(is_unchanged(axis));
        for (std::int64_t k = 0; k < 997; ++k) {
            REQUIRE(source_index(axis, k) == k);
        }
    }
}

TEST_CASE("an axis that keeps its size under a factor near 1 is unchanged only if it is") {
    const ZoomAxis axis = axis_of(ZoomConvention::round, 400, 400, 1.0012);
    CHECK(source_index(axis, 399) == 399);
    CHECK(source_index(axis, 1000) == 399);
    CHECK_FALSE(is_unchanged(axis));
}

namespace {

ZoomAxis grid_axis(Boundary boundary, std::int64_t n_in, std::int64_t n_out) {
    return zoom_axis({ZoomConvention::scipy_grid, {}, 0, boundary, 0.0}, 0, n_in, n_out);
}

// scipy's way: the coordinate is mapped, then rounded, then the index is mapped.
std::int64_t mapped_source(Boundary boundary, std::int64_t n_in, std::int64_t n_out, std::int64_t k) {
    const double step = static_cast<double>(n_in) / static_cast<double>(n_out);
    const auto coordinate = map_coordinate((static_cast<double>(k) + 0.5) * step - 0.5, n_in, boundary);
    if (!coordinate) {
        return shows_cval;
    }
    return map_index(static_cast<std::int64_t>(std::floor(*coordinate + 0.5)), n_in, boundary)
        .value_or(shows_cval);
}

}  // namespace

TEST_CASE(
    "in scipy-grid every mode shows what mapping the coordinate and then the index shows, for any sizes") {
    for (const std::string& name : boundary_names()) {
        const Boundary boundary = *boundary_named(name);
        for (std::int64_t n_in = 1; n_in <= 70; ++n_in) {
            for (std::int64_t n_out = 1; n_out <= 200; ++n_out) {
                INFO(name, " ", n_in, " -> ", n_out);
                const ZoomAxis axis = grid_axis(boundary, n_in, n_out);
                for (std::int64_t k = 0; k < n_out; ++k) {
                    REQUIRE(source_index(axis, k) == mapped_source(boundary, n_in, n_out, k));
                }
            }
        }
    }
}

TEST_CASE("five modes show in scipy-grid what nearest shows, at both ends of long axes") {
    for (const std::string& name : boundary_names()) {
        const Boundary boundary = *boundary_named(name);
        if (boundary == Boundary::constant || boundary == Boundary::wrap) {
            continue;
        }
        for (const std::int64_t n_in : Indices{1000, 4097, 1'000'003, 2'000'000'011}) {
            for (const std::int64_t n_out : Indices{999, 8194, 7'000'001, 6'000'000'007}) {
                const ZoomAxis axis = grid_axis(boundary, n_in, n_out);
                const std::int64_t border = std::min<std::int64_t>(n_out / 2, 10000);
                for (std::int64_t i = 0; i < border; ++i) {
                    REQUIRE(source_index(axis, i) == mapped_source(boundary, n_in, n_out, i));
                    const std::int64_t last = n_out - 1 - i;
                    REQUIRE(source_index(axis, last) == mapped_source(boundary, n_in, n_out, last));
                }
            }
        }
    }
}

// scipy 1.10: zoom(numpy.arange(n), factor, order=0, mode=mode, cval=-1, grid_mode=True)
TEST_CASE("constant and wrap show in scipy-grid what scipy shows") {
    CHECK(all_sources(grid_axis(Boundary::constant, 4, 8)) == Indices{-1, 0, 1, 1, 2, 2, 3, -1});
    CHECK(all_sources(grid_axis(Boundary::constant, 3, 9)) == Indices{-1, 0, 0, 1, 1, 1, 2, 2, -1});
    CHECK(all_sources(grid_axis(Boundary::constant, 1, 3)) == Indices{-1, 0, -1});
    CHECK(all_sources(grid_axis(Boundary::constant, 5, 8)) == Indices{-1, 0, 1, 2, 2, 3, 4, -1});
    CHECK(all_sources(grid_axis(Boundary::constant, 2, 8)) == Indices{-1, -1, 0, 0, 1, 1, -1, -1});
    CHECK(all_sources(grid_axis(Boundary::wrap, 4, 8)) == Indices{3, 0, 1, 1, 2, 2, 3, 0});
    CHECK(all_sources(grid_axis(Boundary::wrap, 3, 9)) == Indices{2, 0, 0, 1, 1, 1, 2, 2, 0});
    CHECK(all_sources(grid_axis(Boundary::wrap, 1, 3)) == Indices{0, 0, 0});
    CHECK(all_sources(grid_axis(Boundary::wrap, 5, 8)) == Indices{4, 0, 1, 2, 2, 3, 4, 0});
    CHECK(all_sources(grid_axis(Boundary::wrap, 2, 8)) == Indices{1, 1, 0, 0, 1, 1, 0, 0});
}

TEST_CASE("the other conventions have no outside, whatever the mode") {
    for (const auto convention : {ZoomConvention::scipy, ZoomConvention::round, ZoomConvention::floor}) {
        for (const Boundary boundary : {Boundary::constant, Boundary::wrap}) {
            for (const std::int64_t n_out : Indices{51, 96, 110, 768, 1000}) {
                const double factor = static_cast<double>(n_out) / 110.0;
                const ZoomAxis axis = zoom_axis({convention, {factor}, 0, boundary, 0.0}, 0, 110, n_out);
                for (std::int64_t k = 0; k < n_out; ++k) {
                    REQUIRE(source_index(axis, k) == clamped_source_index(axis, k));
                }
            }
        }
    }
}

TEST_CASE("the source range of any output range has all its sources and never moves back") {
    for (const Boundary boundary : {Boundary::nearest, Boundary::constant, Boundary::wrap}) {
        for (std::int64_t n_in = 1; n_in <= 17; ++n_in) {
            for (std::int64_t n_out = 1; n_out <= 40; ++n_out) {
                const ZoomAxis axis = grid_axis(boundary, n_in, n_out);
                for (std::int64_t begin = 0; begin < n_out; ++begin) {
                    for (std::int64_t end = begin + 1; end <= n_out; ++end) {
                        const AxisRange range = source_range(axis, {begin, end});
                        REQUIRE(range.begin >= 0);
                        REQUIRE(range.end <= n_in);
                        for (std::int64_t k = begin; k < end; ++k) {
                            const std::int64_t source = source_index(axis, k);
                            const bool is_there =
                                source == shows_cval || (source >= range.begin && source < range.end);
                            REQUIRE(is_there);
                        }
                        if (end < n_out) {
                            const AxisRange next = source_range(axis, {end, n_out});
                            REQUIRE(next.begin >= range.begin);
                            REQUIRE(next.end >= range.end);
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("the line of a zoom has the mean of the elements that are shown") {
    struct Case {
        ZoomConvention convention;
        std::int64_t n_in;
        std::int64_t n_out;
    };
    for (const auto& [convention, n_in, n_out] :
         {Case{ZoomConvention::floor, 60, 120}, Case{ZoomConvention::floor, 120, 60},
          Case{ZoomConvention::floor, 70, 100}, Case{ZoomConvention::floor, 100, 70},
          Case{ZoomConvention::scipy, 41, 121}, Case{ZoomConvention::scipy_grid, 40, 120}}) {
        CAPTURE(n_in);
        CAPTURE(n_out);
        ZoomProgram program{.convention = convention, .factors = {}};
        const ZoomAxis axis = zoom_axis(program, 0, n_in, n_out);
        const ZoomLine line = zoom_line(axis);
        double off = 0.0;
        for (std::int64_t k = 0; k < n_out; ++k) {
            off += line.step * static_cast<double>(k) + line.offset -
                   static_cast<double>(clamped_source_index(axis, k));
        }
        CHECK(std::abs(off / static_cast<double>(n_out)) < 1e-9);
    }
    ZoomProgram program{.convention = ZoomConvention::scipy, .factors = {}};
    CHECK(zoom_line(zoom_axis(program, 0, 1, 4)).step == 0.25);  // parts of the only element
    CHECK(zoom_line(zoom_axis(program, 0, 4, 1)).step == 1.0);
}
