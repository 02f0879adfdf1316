#include "common/array/array_description.hpp"
#include "common/array/box.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace slab;

TEST_CASE("a shape whose product does not fit in 63 bits has no element count") {
    CHECK_FALSE(checked_element_count({std::int64_t{1} << 32, std::int64_t{1} << 31}).has_value());
    CHECK(checked_element_count({std::int64_t{1} << 31, std::int64_t{1} << 31}) == std::int64_t{1} << 62);
}

TEST_CASE("a zero extent makes an array empty however large the others are") {
    CHECK(checked_element_count({INT64_MAX, INT64_MAX, 0}) == 0);
}

TEST_CASE("bytes that do not fit in 63 bits are noticed although the elements do") {
    CHECK_FALSE(checked_byte_count({DType::complex128, {std::int64_t{1} << 60}, MemoryOrder::c}).has_value());
}

TEST_CASE("rank 0 is one element") {
    CHECK(checked_element_count(Shape{}) == 1);
}

TEST_CASE("a shape of six axes or with a negative extent is refused") {
    CHECK_FALSE(shape_from(std::vector<std::int64_t>{1, 1, 1, 1, 1, 1}).has_value());
    CHECK_FALSE(shape_from(std::vector<std::int64_t>{3, -1}).has_value());
}

TEST_CASE("element types are read as numpy writes them") {
    CHECK(parse_dtype(">u2")->dtype == DType::uint16);
    CHECK(parse_dtype(">u2")->order == ByteOrder::big);
    CHECK(parse_dtype("|b1")->dtype == DType::boolean);
    CHECK(parse_dtype("complex64")->dtype == DType::complex64);
    CHECK(type_string(DType::float64, ByteOrder::big) == ">f8");
    CHECK(type_string(DType::uint8, ByteOrder::big) == "|u1");
    for (const char* text : {"", "<", "O", "|O", "<f16", "f3", "float", "<U4", ">>f4"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_dtype(text).has_value());
    }
}

TEST_CASE("complex numbers are swapped by halves") {
    CHECK(swap_unit_of(DType::complex128) == 8);
    CHECK(size_of(DType::complex128) == 16);
}

TEST_CASE("shapes and boxes read as numpy prints them") {
    CHECK(to_text(Shape{7}) == "(7,)");
    CHECK(to_text(Shape{2, 3}) == "(2, 3)");
    CHECK(to_text(whole({2, 3})) == "[0:2, 0:3]");
}
