#include "client/formats/gzip_beginning.hpp"
#include "client/formats/input_file.hpp"
#include "client/formats/npy_header.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <zlib.h>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

std::string gzip(const std::string& bytes) {
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(::deflateBound(&stream, bytes.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    ::deflateEnd(&stream);
    return packed;
}

const ArrayDescription array{DType::uint16, Shape{3, 5}, MemoryOrder::fortran};

std::string npy_bytes() {
    return make_npy_header(array) + std::string(30, 'x');
}

std::string what_is_wrong_with(const std::string& packed, const std::string& name = "a.npy.gz") {
    const ScratchFolder folder;
    const auto file = open_input(folder.write(name, packed), {});
    return file ? "" : file.error().what.substr(file.error().what.find(name) + name.size() + 2);
}

}  // namespace

TEST_CASE("a packed .npy is what is in it, whatever its name and in however many members") {
    const std::string bytes = npy_bytes();
    for (const std::string& packed :
         {gzip(bytes), gzip(bytes.substr(0, 7)) + gzip("") + gzip(bytes.substr(7)),
          gzip(bytes) + std::string(512, '\0')}) {
        for (const char* name : {"a.npy.gz", "a.gz", "a"}) {
            CAPTURE(name);
            const ScratchFolder folder;
            const auto file = open_input(folder.write(name, packed), {});
            REQUIRE(file);
            CHECK(file->array == array);
            CHECK(file->offset == 4096);
            CHECK(file->codec == InputCodec::gzip);
        }
    }
}

TEST_CASE("packed raw bytes are what the options say, their offset counted unpacked") {
    const ScratchFolder folder;
    const auto file = open_input(folder.write("a.gz", gzip(std::string(4 + 30, 'x'))), {">u2", "3,5", "", 4});
    REQUIRE(file);
    CHECK(file->codec == InputCodec::gzip);
    CHECK(file->offset == 4);
    CHECK(file->byte_order == ByteOrder::big);
}

TEST_CASE("raw bytes that happen to begin as gzip are raw bytes unless the name ends in .gz") {
    const ScratchFolder folder;
    const auto file = open_input(folder.write("a.raw", "\x1f\x8b\x08x"), {"uint8", "4", "", {}});
    REQUIRE(file);
    CHECK(file->codec == InputCodec::none);
}

TEST_CASE("what is no gzip, is damaged or cut short is told apart") {
    CHECK(what_is_wrong_with("no gzip file at all") == "this is no gzip file");
    CHECK(what_is_wrong_with("") == "the gzip file is cut short");
    std::string damaged = gzip(npy_bytes());
    damaged[12] = static_cast<char>(damaged[12] ^ 0x55);
    CHECK(what_is_wrong_with(damaged) != "");
    CHECK(what_is_wrong_with(gzip("no array")) == "this is no .npy file");
    const std::string packed = gzip(npy_bytes());
    for (std::size_t length = 1; length < 30; ++length) {
        CAPTURE(length);
        CHECK(what_is_wrong_with(packed.substr(0, length)) == "the gzip file is cut short");
    }
}

TEST_CASE("a header that promises more than gzip could have packed is refused") {
    const std::string header = make_npy_header({DType::float64, Shape{100000, 100000}, MemoryOrder::c});
    CHECK(what_is_wrong_with(gzip(header + "x")) == "the file is cut short");
}

TEST_CASE("a file that inflates to a thousand times its size costs only its beginning") {
    const ScratchFolder folder;
    const std::string header = make_npy_header({DType::uint8, Shape{64 << 20}, MemoryOrder::c});
    const auto file = open_input(folder.write("a.npy.gz", gzip(header + std::string(64 << 20, '\0'))), {});
    REQUIRE(file);
    CHECK(file->array.shape == Shape{64 << 20});
}

TEST_CASE("members without content are not followed for ever") {
    const std::string empty = gzip("");
    std::string packed;
    while (packed.size() < (std::size_t{3} << 20)) {
        packed += empty;
    }
    CHECK(what_is_wrong_with(packed) == "the gzip file cannot be used");
}
