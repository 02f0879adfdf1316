#include "client/formats/table_file.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

// Any .npy file; the payload is written out by hand.
std::string npy(const std::string& descr, bool fortran_order, const std::string& shape,
                const std::string& payload) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                         ", 'shape': " + shape + ", }\n";
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + payload;
}

NumberTable table_in(const std::string& bytes) {
    const ScratchFolder folder;
    const auto table = read_table_file(folder.write("table", bytes));
    REQUIRE(table.has_value());
    return *table;
}

Error error_for(const std::string& bytes) {
    const ScratchFolder folder;
    const auto table = read_table_file(folder.write("table", bytes));
    REQUIRE_FALSE(table.has_value());
    CHECK(table.error().kind == ErrorKind::usage);
    CHECK_FALSE(table.error().because.empty());
    return table.error();
}

const std::string one_to_six("\1\2\3\4\5\6", 6);

}  // namespace

TEST_CASE("an array of one dimension is one row, of three a matrix for each row") {
    CHECK(table_in(npy("|u1", false, "(6,)", one_to_six)) == NumberTable{1, 6, {1, 2, 3, 4, 5, 6}});
    CHECK(table_in(npy("|u1", false, "(2, 3)", one_to_six)) == NumberTable{2, 3, {1, 2, 3, 4, 5, 6}});
    CHECK(table_in(npy("|u1", false, "(3, 1, 2)", one_to_six)) == NumberTable{3, 2, {1, 2, 3, 4, 5, 6}});
    CHECK(table_in(npy("|u1", false, "()", "\7")) == NumberTable{1, 1, {7}});
}

TEST_CASE("an array in Fortran order is the same table") {
    CHECK(table_in(npy("|u1", true, "(2, 3)", std::string("\1\4\2\5\3\6"))) ==
          NumberTable{2, 3, {1, 2, 3, 4, 5, 6}});
    CHECK(table_in(npy("|u1", true, "(1, 2, 3)", std::string("\1\4\2\5\3\6"))) ==
          NumberTable{1, 6, {1, 2, 3, 4, 5, 6}});
}

TEST_CASE("elements of every real type and byte order are numbers") {
    CHECK(table_in(npy(">i2", false, "(2,)", std::string("\xff\xfe\x00\x05", 4))) ==
          NumberTable{1, 2, {-2, 5}});
    CHECK(table_in(npy("<i2", false, "(2,)", std::string("\xfe\xff\x05\x00", 4))) ==
          NumberTable{1, 2, {-2, 5}});
    CHECK(table_in(npy(">f8", false, "(1,)", std::string("\x3f\xf8\0\0\0\0\0\0", 8))) ==
          NumberTable{1, 1, {1.5}});
    CHECK(table_in(npy("<f4", false, "(1,)", std::string("\0\0\xc0\x3f", 4))) == NumberTable{1, 1, {1.5}});
    CHECK(table_in(npy("|b1", false, "(2,)", std::string("\1\0", 2))) == NumberTable{1, 2, {1, 0}});
    CHECK(table_in(npy("|i1", false, "(1,)", "\xff")) == NumberTable{1, 1, {-1}});
}

TEST_CASE("arrays that are no table are refused") {
    CHECK(error_for(npy("<c8", false, "(1,)", std::string(8, '\0'))).what.find("real numbers") !=
          std::string::npos);
    CHECK(error_for(npy("|u1", false, "(1, 1, 2, 3)", one_to_six)).because == "it is (1, 1, 2, 3) uint8");
    CHECK(error_for(npy("|u1", false, "(0, 3)", "")).what.find("empty") != std::string::npos);
    CHECK(error_for(npy("<f8", false, "(1000001,)", "")).what.find("too large") != std::string::npos);
    CHECK(error_for(npy("<f8", false, "(3,)", std::string(23, 'x'))).what.find("cut short") !=
          std::string::npos);
    CHECK(error_for(npy("|O", false, "(3,)", "x")).what.find("object") != std::string::npos);
}

TEST_CASE("text is a table too, and what is neither names the line") {
    CHECK(table_in("# x y\n1 2\n3 4\n") == NumberTable{2, 2, {1, 2, 3, 4}});
    CHECK(error_for("1 2 3 4 5 6\n1 2 3 4 5\n").because == "line 2 has 5 numbers where the others have 6");
    CHECK(error_for("").because == "there are no numbers");
}

TEST_CASE("folders, pipes and files that are not there are refused") {
    const ScratchFolder folder;
    CHECK_FALSE(read_table_file(folder / "").has_value());
    CHECK_FALSE(read_table_file("/dev/null").has_value());
    CHECK_FALSE(read_table_file(folder / "missing").has_value());
}
