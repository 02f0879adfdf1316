#include "common/units/byte_size.hpp"
#include "common/units/duration.hpp"
#include "common/volume/layout.hpp"

#include <doctest/doctest.h>

using namespace slab;

TEST_CASE("sizes are read with binary, decimal and relative units") {
    CHECK(parse_byte_size("6GiB", 0) == std::int64_t{6} << 30);
    CHECK(parse_byte_size("1.5 GB", 0) == 1'500'000'000);
    CHECK(parse_byte_size("50%", 4096) == 2048);
    CHECK(parse_byte_size("4096", 0) == 4096);
}

TEST_CASE("what is no size is refused") {
    for (const char* text : {"", "GiB", "-1MiB", "1.5.5GB", "1 XB", "nan", "inf", "1e30GB", "10 GiB extra"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_byte_size(text, 100).has_value());
    }
}

TEST_CASE("durations need a unit") {
    CHECK(parse_duration("250ms")->count() == 250);
    CHECK(parse_duration("1.5min")->count() == 90'000);
    CHECK_FALSE(parse_duration("30").has_value());
    CHECK_FALSE(parse_duration("-1s").has_value());
    CHECK_FALSE(parse_duration("1e20d").has_value());
}

TEST_CASE("the extents of a volume and its table fit in it, and one more would not") {
    for (const std::int64_t bytes : {extent_bytes, 2 * extent_bytes, 5 * extent_bytes + 7,
                                     std::int64_t{10} << 30, std::int64_t{80'000'000'000}}) {
        CAPTURE(bytes);
        const std::int64_t count = extent_count_of(bytes);
        if (count > 0) {
            CHECK(data_offset_of(count) + count * extent_bytes <= bytes);
        }
        CHECK(data_offset_of(count + 1) + (count + 1) * extent_bytes > bytes);
    }
}
