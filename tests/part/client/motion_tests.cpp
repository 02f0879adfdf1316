#include "client/command_line/motion_outputs.hpp"
#include "client/motion/confounds.hpp"
#include "client/motion/confounds_file.hpp"
#include "client/motion/motion_summary.hpp"
#include "client/motion/parameter_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

namespace {

using namespace slab;

FrameMotion moved(const AffineMatrix& by) {
    return {.to_reference = by};
}

std::vector<double> numbers_in(const std::string& line) {
    std::istringstream stream(line);
    std::vector<double> numbers;
    for (double number = 0; stream >> number;) {
        numbers.push_back(number);
    }
    return numbers;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

}  // namespace

TEST_CASE("a shift of 3, 4 and 12 mm is a framewise displacement of 19 mm and a deviation of 13 mm") {
    const auto rows = confounds_of({moved(shift({1, 1, 1})), moved(shift({4, -3, 13}))}, {10, 20, 30});

    REQUIRE(rows.size() == 2);
    CHECK_FALSE(rows[0].framewise_displacement);
    CHECK_FALSE(rows[0].rmsd);
    CHECK_FALSE(rows[0].dvars);
    CHECK(rows[1].framewise_displacement.value() == doctest::Approx(19));
    CHECK(rows[1].rmsd.value() == doctest::Approx(13));
}

// Points of a sphere of radius R are R sqrt(2/5) from an axis through its middle, root of the mean square; a turn by the
// angle a moves a point at the distance d by 2 d sin(a/2).
TEST_CASE("a turn about the centre displaces by its arc at 50 mm and deviates as the sphere's points do") {
    const Point centre{-4, 60, 7};
    const auto rows = confounds_of({moved({}), moved(about(centre, turn_back(1, 0.02)))}, centre);

    CHECK(rows[1].framewise_displacement.value() == doctest::Approx(50 * 0.02));
    CHECK(rows[1].rmsd.value() == doctest::Approx(80 * std::sqrt(0.4) * 2 * std::sin(0.01)));
    for (std::size_t axis = 0; axis < 3; ++axis) {
        CHECK(std::abs(rows[1].motion[axis]) < 1e-12);
    }
}

TEST_CASE("the confounds' first row has n/a where there is no frame before, and -0 is 0") {
    const auto lines = lines_of(
        confounds_tsv(confounds_of({moved(shift({-0.0, 0, 0})), moved(shift({0.5, 0, 0}))}, {0, 0, 0})));

    CHECK(lines[0] ==
          "trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\tframewise_displacement\trmsd\tdvars\tstd_dvars");
    CHECK(lines[1] == "0\t0\t0\t0\t0\t0\tn/a\tn/a\tn/a\tn/a");
    CHECK(lines[2] == "0.5\t0\t0\t0\t0\t0\t0.5\t0.5\t0\t0");
}

TEST_CASE("frames that did not converge are named in the summary and in the sidecar") {
    std::vector<FrameMotion> motion(5);
    motion[1].has_converged = motion[4].has_converged = false;

    CHECK(motion_summary(motion, confounds_of(motion, {})).contains("NOT converged: 2 of 5 frames: 1, 4\n"));
    const std::string json =
        confounds_json({.centre = {}, .fsl_centre = {}, .not_converged = frames_not_converged(motion)});
    CHECK(json.contains("\"FramesNotConverged\": [\n    1,\n    4\n  ]"));
    CHECK_FALSE(motion_summary(motion, confounds_of(motion, {})).contains("the mask"));
}

TEST_CASE("where no frame converged the summary says what to look at") {
    std::vector<FrameMotion> motion(3);
    for (FrameMotion& frame : motion) {
        frame.has_converged = false;
    }

    const std::string summary = motion_summary(motion, confounds_of(motion, {}));

    CHECK(summary.contains("NOT converged: 3 of 3 frames: 0, 1, 2\n"));
    CHECK(summary.contains("the reference and the mask"));
}

TEST_CASE("the table of a job's result is read, and one that is none is an error") {
    const auto motion =
        motion_in(R"({"motion":[[1,0,0,5, 0,1,0,6, 0,0,1,7, 0.99,8,0,"nan",2.5,1.25]],"other":[[1]]})");

    REQUIRE(motion);
    CHECK(motion->at(0).to_reference.rows[2][3] == 7);
    CHECK(motion->at(0).steps == 8);
    CHECK_FALSE(motion->at(0).has_converged);
    CHECK(std::isnan(motion->at(0).noise));
    CHECK(motion->at(0).dvars == 2.5);
    CHECK(motion->at(0).std_dvars == 1.25);
    CHECK_FALSE(motion_in("[1,2]"));
    CHECK_FALSE(motion_in(R"({"motion":[[1,2,3]]})"));
    CHECK_FALSE(motion_in(""));
}

// Frame to reference moves 2 mm to the right; ITK asks where the frame has what the reference has at a point: 2 mm to the
// left of it, which is ITK's +x.
TEST_CASE(
    "ITK's transform leads from the reference's points to the frame's, x to the left and y to the back") {
    const MotionGrid grid{.to_mm = {}, .extents = {10, 10, 10}};
    const auto lines =
        lines_of(parameter_text(ParameterFile::itk, {moved({}), moved(shift({2, 3, 4}))}, grid));

    REQUIRE(lines.size() == 9);
    CHECK(lines[0] == "#Insight Transform File V1.0");
    CHECK(lines[5] == "#Transform 1");
    CHECK(lines[6] == "Transform: AffineTransform_double_3_3");
    CHECK(lines[7] == "Parameters: 1 0 0 0 1 0 0 0 1 2 3 -4");
    CHECK(lines[8] == "FixedParameters: 0 0 0");
}

TEST_CASE("FSL's parameters are about the volume's middle in scaled mm") {
    // Flipped in x: the determinant is below 0, so scaled mm are counted as the voxels are.
    const MotionGrid grid{.to_mm = shift({90, -126, -72}) * diagonal({-2, 2, 2}),
                          .extents = {91, 109, 91},
                          .handedness = Handedness::of_world};
    const Point middle_of_world = centre_of(grid);

    const auto row = numbers_in(
        parameter_text(ParameterFile::fsl, {moved(about(middle_of_world, turn_back(2, 0.1)))}, grid));

    CHECK(fsl_centre(grid) == Point{90, 108, 90});
    const std::array<double, 6> expected{0, 0, -0.1, 0, 0, 0};  // x is mirrored
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(row[i] == doctest::Approx(expected[i]).epsilon(1e-12));
    }
}

TEST_CASE("FSL's parameters are refused for a sheared grid, the others are not") {
    MotionGrid grid{
        .to_mm = diagonal({3, 3, 3}), .extents = {10, 10, 10}, .handedness = Handedness::of_world};
    CHECK(check_parameters(ParameterFile::fsl, grid));
    grid.to_mm.rows[0][1] = 0.3;

    CHECK(check_parameters(ParameterFile::fsl, grid).error().kind == ErrorKind::usage);
    CHECK(check_parameters(ParameterFile::spm, grid));
}

TEST_CASE("conventions are a list of known names") {
    CHECK(parameter_files_named("itk,spm,itk").value() ==
          std::vector{ParameterFile::itk, ParameterFile::spm});
    CHECK_FALSE(parameter_files_named("spm,ants"));
    CHECK_FALSE(parameter_files_named("spm,"));
}

TEST_CASE("a prefix is the output's name without the endings of its format") {
    CHECK(without_endings("a/sub-01_bold.nii.gz") == "a/sub-01_bold");
    CHECK(without_endings("moco.v2.npy") == "moco.v2");
    CHECK(without_endings("run.1") == "run.1");
    CHECK(without_endings("a/.nii") == "a/.nii");
}
