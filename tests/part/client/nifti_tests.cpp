#include "client/formats/input_file.hpp"
#include "client/formats/nifti/nifti_affine.hpp"
#include "client/formats/nifti/nifti_reader.hpp"
#include "client/formats/nifti/nifti_result.hpp"
#include "client/formats/nifti/nifti_writer.hpp"

#include "scratch_folder.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace slab;
using slab::test::ScratchFolder;

namespace {

// A file byte by byte, as nifti1.h and nifti2.h of the standard lay it out: a (3, 4, 5) image of int16.
class HandMade {
  public:
    HandMade(int version, ByteOrder order)
        : order_(order), bytes_(version == 1 ? 352 : 544, '\0'), version_(version) {
        if (version == 1) {
            put<std::int32_t>(0, 348);
            bytes_.replace(344, 4, std::string("n+1\0", 4));
            put<float>(108, 352);
        } else {
            put<std::int32_t>(0, 540);
            bytes_.replace(4, 8, std::string("n+2\0\r\n\032\n", 8));
            put<std::int64_t>(168, 544);
        }
        const std::int64_t dim[] = {3, 3, 4, 5, 1, 1, 1, 1};
        for (std::size_t i = 0; i < 8; ++i) {
            set_dim(i, dim[i]);
        }
        put<std::int16_t>(version == 1 ? 70 : 12, 4);
    }

    template <typename T>
    HandMade& put(std::size_t at, T value) {
        std::string raw(sizeof(T), '\0');
        std::memcpy(raw.data(), &value, sizeof(T));
        if (order_ == ByteOrder::big) {
            std::reverse(raw.begin(), raw.end());
        }
        bytes_.replace(at, sizeof(T), raw);
        return *this;
    }
    HandMade& set_dim(std::size_t i, std::int64_t extent) {
        return version_ == 1 ? put<std::int16_t>(40 + 2 * i, static_cast<std::int16_t>(extent))
                             : put<std::int64_t>(16 + 8 * i, extent);
    }
    HandMade& append(const std::string& more) {
        bytes_ += more;
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

    Expected<NiftiHeader> read() const {
        return read_nifti_header(
            [this](std::int64_t offset, std::size_t count) {
                const std::size_t begin = std::min(static_cast<std::size_t>(offset), bytes_.size());
                return Expected<std::string>(bytes_.substr(begin, count));
            },
            "a.nii");
    }

  private:
    ByteOrder order_;
    std::string bytes_;
    int version_;
};

constexpr ByteOrder both_orders[] = {ByteOrder::little, ByteOrder::big};

std::string why_not(const HandMade& file) {
    const auto header = file.read();
    return header ? "" : header.error().what + ": " + header.error().because;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// Element by element to within `tolerance`.
bool are_close(const WorldMatrix& a, const WorldMatrix& b, double tolerance) {
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 4; ++column) {
            if (!(std::abs(a[row][column] - b[row][column]) <= tolerance)) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

TEST_CASE("both versions are read in both byte orders") {
    for (const int version : {1, 2}) {
        for (const ByteOrder order : both_orders) {
            CAPTURE(version);
            const ScratchFolder folder;
            const HandMade file(version, order);
            const auto input = open_input(folder.write("a.nii", file.bytes() + std::string(2 * 60, 'x')), {});

            REQUIRE(input);
            CHECK(input->array == ArrayDescription{DType::int16, Shape{3, 4, 5}, MemoryOrder::fortran});
            CHECK(input->byte_order == order);
            CHECK(input->offset == (version == 1 ? 352 : 544));
            CHECK(input->nifti->version == version);
            CHECK_FALSE(
                open_input(folder.write("short.nii", file.bytes() + std::string(2 * 60 - 1, 'x')), {}));
        }
    }
}

TEST_CASE("a file of another name is known by its beginning") {
    const ScratchFolder folder;
    const HandMade file(1, ByteOrder::big);
    CHECK(open_input(folder.write("scan", file.bytes() + std::string(120, 'x')), {}));
    CHECK_FALSE(open_input(folder.write("other", std::string(500, 'x')), {}));
}

TEST_CASE("a slope of 0 or none, or 1 and 0, scales nothing") {
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    for (const float slope : {0.0F, none, std::numeric_limits<float>::infinity()}) {
        CHECK_FALSE(scaling_of(*HandMade(1, ByteOrder::big).put(112, slope).put(116, 7.0F).read()));
    }
    CHECK_FALSE(scaling_of(*HandMade(1, ByteOrder::big).put(112, 1.0F).read()));
    CHECK(scaling_of(*HandMade(1, ByteOrder::big).put(112, 0.5F).put(116, 7.0F).read()) ==
          NiftiScaling{0.5, 7.0});
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).put(112, 0.5F).put(116, none)), "scl_inter nan"));
}

TEST_CASE("offsets that are no places behind the header are refused") {
    for (const float offset : {-1.0F, 100.0F, 351.0F, 352.5F, 1e30F, std::numeric_limits<float>::quiet_NaN(),
                               std::numeric_limits<float>::infinity()}) {
        CAPTURE(offset);
        CHECK(contains(why_not(HandMade(1, ByteOrder::little).put(108, offset)), "vox_offset"));
    }
    for (const std::int64_t offset :
         {std::int64_t{-1}, std::int64_t{543}, std::int64_t{INT64_MAX}, std::int64_t{INT64_MIN}}) {
        CAPTURE(offset);
        CHECK(contains(why_not(HandMade(2, ByteOrder::big).put(168, offset)), "vox_offset"));
    }
    CHECK(HandMade(1, ByteOrder::little).put(108, 353.0F).read()->vox_offset == 353);
    CHECK(HandMade(1, ByteOrder::little).put(108, 0.0F).read()->vox_offset == 352);
}

TEST_CASE("shapes that cannot be are refused, and axes of one element fall away where there are too many") {
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).set_dim(0, 0)), "dim[0] is 0"));
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).set_dim(0, 8)), "dim[0] is 8"));
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).set_dim(2, -4)), "dim[2] is -4"));
    const auto six = HandMade(1, ByteOrder::big).set_dim(0, 6).set_dim(6, 7);
    CHECK(array_of(*six.read()).shape == Shape{3, 4, 5, 1, 7});
    const auto all = HandMade(2, ByteOrder::big).set_dim(0, 6).set_dim(4, 2).set_dim(5, 2).set_dim(6, 7);
    CHECK(contains(why_not(all), "images of 6 dimensions are not supported"));
    const auto large = HandMade(2, ByteOrder::big).set_dim(1, std::int64_t{1} << 62);
    CHECK(contains(why_not(large), "larger than 2^63 bytes"));
}

TEST_CASE("a long vector in FreeSurfer's way") {
    const auto file = HandMade(1, ByteOrder::big).set_dim(1, -1).set_dim(2, 1).set_dim(3, 1).put(144, 163842);
    CHECK(array_of(*file.read()).shape == Shape{163842, 1, 1});
}

TEST_CASE("what is none is told from what is damaged") {
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).put(0, std::int32_t{349})), "first number"));
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).put(344, std::int32_t{0})), "ANALYZE"));
    CHECK(contains(why_not(HandMade(2, ByteOrder::big).put(8, std::int32_t{0})), "line ends"));
    CHECK(contains(why_not(HandMade(1, ByteOrder::big).put(70, std::int16_t{128})), "RGB"));
}

TEST_CASE("the quaternion, with and without a flip") {
    // A quarter turn about z; nifti1.h: x' = -y, y' = x.
    const double half = std::sqrt(0.5);
    NiftiHeader header;
    header.qform_code = 1;
    header.quatern = {0.0, 0.0, half};
    header.qoffset = {1.0, 2.0, 3.0};
    header.pixdim = {1, 2, 3, 4, 1, 1, 1, 1};
    CHECK(are_close(world_of(header), {{{0, -3, 0, 1}, {2, 0, 0, 2}, {0, 0, 4, 3}}}, 1e-12));
    header.pixdim[0] = -1;
    CHECK(are_close(world_of(header), {{{0, -3, 0, 1}, {2, 0, 0, 2}, {0, 0, -4, 3}}}, 1e-12));
    header.pixdim[0] = 0;  // counts as 1
    CHECK(are_close(world_of(header), {{{0, -3, 0, 1}, {2, 0, 0, 2}, {0, 0, 4, 3}}}, 1e-12));
    header.sform_code = 1;
    header.srow = {{{5, 0, 0, 0}, {0, 6, 0, 0}, {0, 0, 7, 0}}};
    CHECK(world_of(header) == header.srow);
}

TEST_CASE("turns come back from their matrix, in whatever direction") {
    for (const double b : {0.0, 0.3, -0.7, 1.0}) {
        for (const double c : {0.0, -0.2, 0.6}) {
            for (const double d : {0.0, 0.1, -0.35}) {
                for (const double qfac : {1.0, -1.0}) {
                    NiftiHeader header;
                    header.qform_code = 1;
                    header.quatern = {b, c, d};
                    header.pixdim = {qfac, 0.5, 2, 3.25, 1, 1, 1, 1};
                    const WorldMatrix world = world_of(header);
                    const auto rigid = rigid_world(world);
                    REQUIRE(rigid);
                    header.quatern = rigid->quatern;
                    header.pixdim = {
                        rigid->qfac, rigid->sizes[0], rigid->sizes[1], rigid->sizes[2], 1, 1, 1, 1};
                    CHECK(are_close(world_of(header), world, 1e-12));
                }
            }
        }
    }
    CHECK_FALSE(rigid_world({{{1, 0.1, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}));
    CHECK_FALSE(rigid_world({{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}}}));
}

TEST_CASE("extensions are read to the last whole one, and written so that readers find the voxels") {
    HandMade file(1, ByteOrder::big);
    file.put<std::uint8_t>(348, 1).put(108, 352.0F + 48 + 16);
    file.append(std::string(64, '\0'));
    file.put(352, std::int32_t{16}).put(356, std::int32_t{6}).put<std::uint8_t>(360, 'a');
    file.put(368, std::int32_t{32}).put(372, std::int32_t{4}).put<std::uint8_t>(376, 'b');
    file.put(400, std::int32_t{1000}).put(404, std::int32_t{4});  // beyond the voxels' begin

    const auto header = file.read();

    REQUIRE(header);
    REQUIRE(header->extensions.size() == 2);
    CHECK(header->extensions[0] == NiftiExtension{6, std::string("a\0\0\0\0\0\0\0", 8)});
    CHECK(header->extensions[1].data.size() == 24);
    const std::string written = make_nifti_header(*header);
    CHECK(written.size() == 4096);
    std::size_t at = 352;
    int count = 0;
    while (at < written.size()) {
        std::int32_t size = 0;
        std::memcpy(&size, written.data() + at, 4);
        REQUIRE(size >= 16);
        at += static_cast<std::size_t>(size);
        ++count;
    }
    CHECK(count == 2);
    CHECK(at == written.size());
}

TEST_CASE("a header is written as it was read") {
    for (const int version : {1, 2}) {
        NiftiHeader header = *HandMade(version, native_byte_order).read();
        header.sform_code = 3;
        header.srow = {{{5, 1, 0, -4}, {0, 6, 0.5, 0}, {0, 0, 7, 9}}};
        header.toffset = 2.5;
        header.dim_info = 0x39;
        header.intent_code = 1002;
        header.slice_end = 4;
        const std::string once = make_nifti_header(header);
        const auto source = [&once](std::int64_t offset, std::size_t count) {
            return Expected<std::string>(once.substr(static_cast<std::size_t>(offset), count));
        };
        const auto again = read_nifti_header(source, "again");
        REQUIRE(again);
        CHECK(make_nifti_header(*again) == once);
        CHECK(again->srow == header.srow);
        CHECK(again->slice_end == 4);
    }
}

TEST_CASE("a result takes the larger version where an extent needs it, and the order of axes only one way") {
    const NiftiHeader input = *HandMade(1, ByteOrder::big).read();
    const auto long_one =
        header_of_result({DType::uint8, Shape{32768, 2}, MemoryOrder::fortran}, {.header = input}, "out.nii");
    REQUIRE(long_one);
    CHECK(long_one->version == 2);
    CHECK(
        header_of_result({DType::uint8, Shape{32767, 2}, MemoryOrder::fortran}, {.header = input}, "out.nii")
            ->version == 1);
    CHECK_FALSE(header_of_result({DType::uint8, Shape{3, 2}, MemoryOrder::c}, {}, "out.nii"));
    CHECK(header_of_result({DType::uint8, Shape{3, 1}, MemoryOrder::c}, {}, "out.nii"));
}
