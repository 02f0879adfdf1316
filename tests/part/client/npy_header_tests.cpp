#include "client/formats/input_file.hpp"
#include "client/formats/npy_header.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

// A file as numpy/lib/format.py describes it, made by hand.
std::string npy(int major, const std::string& dict, std::size_t payload_bytes) {
    std::string bytes = "\x93NUMPY";
    bytes += static_cast<char>(major);
    bytes += '\0';
    const std::size_t length = dict.size();
    for (int i = 0; i < (major == 1 ? 2 : 4); ++i) {
        bytes += static_cast<char>(length >> (8 * i) & 0xff);
    }
    return bytes + dict + std::string(payload_bytes, 'x');
}

std::string what_is_wrong_with(const std::string& bytes) {
    const ScratchFolder folder;
    const auto file = open_input(folder.write("a.npy", bytes), {});
    return file ? "" : file.error().what.substr(file.error().what.find("a.npy: ") + 7);
}

}  // namespace

TEST_CASE("versions 1, 2 and 3 of the format are read") {
    for (const int major : {1, 2, 3}) {
        const ScratchFolder folder;
        const auto file = open_input(
            folder.write("a.npy",
                         npy(major, "{'descr': '>u2', 'fortran_order': True, 'shape': (2, 3), }   \n", 12)),
            {});
        REQUIRE(file);
        CHECK(file->array == ArrayDescription{DType::uint16, Shape{2, 3}, MemoryOrder::fortran});
        CHECK(file->byte_order == ByteOrder::big);
        CHECK(file->offset == (major == 1 ? 10 : 12) + 62);
    }
}

TEST_CASE("bool, 0-d and empty arrays are read") {
    const ScratchFolder folder;
    const auto scalar = open_input(
        folder.write("s.npy", npy(1, "{'descr': '|b1', 'fortran_order': False, 'shape': ()}\n", 1)), {});
    REQUIRE(scalar);
    CHECK(scalar->array == ArrayDescription{DType::boolean, Shape{}, MemoryOrder::c});
    const auto empty = open_input(
        folder.write("e.npy", npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 7)}\n", 0)), {});
    REQUIRE(empty);
    CHECK(empty->array.shape == Shape{0, 7});
}

TEST_CASE("object, structured, text and half-float arrays are refused by name") {
    CHECK(what_is_wrong_with(npy(1, "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", 99)) ==
          "object arrays are not supported");
    CHECK(what_is_wrong_with(npy(1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (3,), }",
                                 99)) == "structured arrays are not supported");
    CHECK(what_is_wrong_with(npy(1, "{'descr': '<U8', 'fortran_order': False, 'shape': (3,), }", 99)) ==
          "elements of type '<U8' are not supported");
    CHECK(what_is_wrong_with(npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }", 99)) ==
          "elements of type '<f2' are not supported");
}

TEST_CASE("a file that is shorter than it claims is refused") {
    CHECK(what_is_wrong_with(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", 15)) ==
          "the file is cut short");
    const std::string whole = npy(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", 0);
    for (std::size_t length = 6; length < whole.size(); ++length) {
        CAPTURE(length);
        CHECK(what_is_wrong_with(whole.substr(0, length)) != "");
    }
    CHECK(what_is_wrong_with("") == "this is no .npy file");
}

TEST_CASE("a shape whose product overflows 64 bits is refused") {
    CHECK(what_is_wrong_with(
              npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8)) ==
          "the array is larger than 2^63 bytes");
    CHECK(what_is_wrong_with(
              npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }", 8)) ==
          "the array is larger than 2^63 bytes");
}

TEST_CASE("headers that are not exactly the format's are refused") {
    for (const char* dict :
         {"{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'extra': 1}",
          "{'descr': 4, 'fortran_order': False, 'shape': (1,)}"}) {
        CAPTURE(dict);
        CHECK(what_is_wrong_with(npy(1, dict, 64)) == "the header cannot be read");
    }
    CHECK(what_is_wrong_with(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1)}",
                                 64)) == "arrays of 6 dimensions are not supported");
    CHECK(what_is_wrong_with(npy(4, "{}", 64)) == "this version of the .npy format is not known");
    CHECK(what_is_wrong_with(std::string("\x93NUMPY\2\0\xff\xff\xff\x7f", 12)) ==
          "the header cannot be read");
}

TEST_CASE("a header of ours is 4096 bytes of version 1.0 and reads back as what it was made of") {
    for (const ArrayDescription& array :
         {ArrayDescription{DType::boolean, Shape{2, 3, 4}, MemoryOrder::c},
          ArrayDescription{DType::complex128, Shape{7}, MemoryOrder::fortran},
          ArrayDescription{DType::int64, Shape{}, MemoryOrder::c},
          ArrayDescription{DType::uint8, Shape{0, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
                           MemoryOrder::c}}) {
        const std::string header = make_npy_header(array);
        CHECK(header.size() == 4096);
        CHECK(header.substr(6, 2) == std::string("\1\0", 2));
        CHECK(header.back() == '\n');
        const ScratchFolder folder;
        const auto file = open_input(
            folder.write("a.npy", header + std::string(static_cast<std::size_t>(byte_count(array)), 'x')),
            {});
        REQUIRE(file);
        CHECK(file->array == array);
        CHECK(file->offset == 4096);
    }
}
