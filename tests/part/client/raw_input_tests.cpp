#include "client/formats/input_file.hpp"
#include "client/formats/output_format.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace slab;
using slab::test::ScratchFolder;

TEST_CASE("a raw file is what the options say") {
    const ScratchFolder folder;
    const auto file =
        open_input(folder.write("a.dat", std::string(2 * 3 * 4 * 2 + 10, 'x')), {">u2", "2, 3,4", "F", 10});
    REQUIRE(file);
    CHECK(file->array == ArrayDescription{DType::uint16, Shape{2, 3, 4}, MemoryOrder::fortran});
    CHECK(file->byte_order == ByteOrder::big);
    CHECK(file->offset == 10);
}

TEST_CASE(
    "a raw file of another size than its shape is refused, unless an offset says that a part is meant") {
    const ScratchFolder folder;
    const std::string path = folder.write("a.dat", std::string(100, 'x'));
    CHECK(open_input(path, {"uint8", "100", "", {}}));
    CHECK_FALSE(open_input(path, {"uint8", "99", "", {}}));
    CHECK_FALSE(open_input(path, {"uint8", "101", "", {}}));
    CHECK(open_input(path, {"uint8", "99", "", 0}));
    CHECK_FALSE(open_input(path, {"uint8", "99", "", 2}));
    CHECK_FALSE(open_input(path, {"uint8", "9223372036854775807", "", 2}));
}

TEST_CASE("raw options that say too little or nonsense are refused") {
    for (const RawOptions& options :
         {RawOptions{"uint8", "", "", {}}, RawOptions{"", "4", "", {}}, RawOptions{"float16", "4", "", {}},
          RawOptions{"uint8", "4,x", "", {}}, RawOptions{"uint8", "4,,4", "", {}},
          RawOptions{"uint8", "-4", "", {}}, RawOptions{"uint8", "1,1,1,1,1,1", "", {}},
          RawOptions{"uint8", "4", "K", {}}, RawOptions{"uint8", "4", "", -1},
          RawOptions{"f8", "4294967296,4294967296", "", {}}}) {
        CAPTURE(options.shape);
        CHECK_FALSE(parse_raw_options(options));
    }
}

TEST_CASE("a shape may be pasted as numpy prints it") {
    CHECK(parse_shape("(7,)") == Shape{7});
    CHECK(parse_shape("(64, 64, 32)") == Shape{64, 64, 32});
}

TEST_CASE("folders, pipes, missing files and unknown formats are refused without waiting") {
    const ScratchFolder folder;
    ::mkfifo((folder / "pipe.npy").c_str(), 0600);
    CHECK_FALSE(open_input(folder / "pipe.npy", {}));
    CHECK_FALSE(open_input(folder / ".", {}));
    CHECK_FALSE(open_input(folder / "missing.npy", {}));
    CHECK_FALSE(open_input(folder.write("a.tif", "II*"), {}));
}

TEST_CASE("the ending chooses the output's format, and an unknown one is told the known ones") {
    CHECK(output_format_of("a/b.c/out.npy") == OutputFormat::npy);
    CHECK(output_format_of("out.raw") == OutputFormat::raw);
    CHECK(output_format_of("out.bin") == OutputFormat::raw);
    for (const char* path : {"out", "out.", ".npy", "a.npy/out", "out.tif", ""}) {
        CAPTURE(path);
        const auto format = output_format_of(path);
        REQUIRE_FALSE(format);
        CHECK(format.error().kind == ErrorKind::usage);
        CHECK(format.error().remedy.find(".npy") != std::string::npos);
    }
}
