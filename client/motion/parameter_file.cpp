#include "client/motion/parameter_file.hpp"

#include "common/geometry/motion_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace slab {
namespace {

struct Known {
    std::string_view name;
    std::string_view ending;
};
constexpr std::array<Known, 5> known{{{"spm", "_spm.txt"},
                                      {"fsl", "_fsl.par"},
                                      {"afni", "_afni.1D"},
                                      {"itk", "_itk.txt"},
                                      {"matrix", "_matrix.txt"}}};

// The affine of a NIfTI file is in float32: it shears by 1e-7.
constexpr double most_strain = 1e-4;

std::string numbers(const auto& values) {
    std::vector<double> plain(values.begin(), values.end());
    for (double& value : plain) {
        value += 0.0;  // no minus before a zero
    }
    return fmt::format("{}", fmt::join(plain, " "));
}

AffineMatrix scaled_grid(const MotionGrid& grid) {
    return scaled_mm(grid.to_mm, grid.handedness, grid.extents[0]);
}

AffineMatrix exact_world_to_scaled(const MotionGrid& grid) {
    return scaled_grid(grid) * inverse(grid.to_mm);
}

// From mm of the world to FSL's, which take the voxels' axes to be at right angles: what rounding to float32 bent is put
// straight, the volume's middle staying where it is. Six numbers then tell a rigid motion exactly.
AffineMatrix world_to_scaled(const MotionGrid& grid) {
    AffineMatrix map = nearest_rotation(exact_world_to_scaled(grid));
    const Point middle = applied(map, centre_of(grid));
    const Point there = fsl_centre(grid);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        map.rows[axis][3] = there[axis] - middle[axis];
    }
    return map;
}

std::string six_numbers(MotionConvention convention, const std::vector<FrameMotion>& motion,
                        const MotionGrid& grid) {
    const bool is_fsl = convention == MotionConvention::fsl;
    const AffineMatrix there = is_fsl ? world_to_scaled(grid) : AffineMatrix{};
    const AffineMatrix back = inverse(there);
    const Point centre = is_fsl ? fsl_centre(grid) : centre_of(grid);
    std::string text;
    for (const FrameMotion& frame : motion) {
        const AffineMatrix matrix = is_fsl ? there * frame.to_reference * back : frame.to_reference;
        text += numbers(motion_parameters(convention, matrix, centre)) + '\n';
    }
    return text;
}

std::string matrices(const std::vector<FrameMotion>& motion) {
    std::string text;
    for (const FrameMotion& frame : motion) {
        for (const auto& row : frame.to_reference.rows) {
            text += numbers(row) + ' ';
        }
        text += "0 0 0 1\n";
    }
    return text;
}

// ITK resamples by the map from the fixed image's points to the moving one's, the reference's to the frame's; its x runs
// to the left and its y to the back.
std::string transforms(const std::vector<FrameMotion>& motion) {
    const AffineMatrix flip = diagonal({-1.0, -1.0, 1.0});
    std::string text = "#Insight Transform File V1.0\n";
    for (std::size_t frame = 0; frame < motion.size(); ++frame) {
        const AffineMatrix matrix = flip * inverse(motion[frame].to_reference) * flip;
        std::vector<double> parameters;
        for (const auto& row : matrix.rows) {
            parameters.insert(parameters.end(), row.begin(), row.begin() + 3);
        }
        for (const auto& row : matrix.rows) {
            parameters.push_back(row[3]);
        }
        text += fmt::format("#Transform {}\nTransform: AffineTransform_double_3_3\nParameters: {}\n"
                            "FixedParameters: 0 0 0\n",
                            frame, numbers(parameters));
    }
    return text;
}

}  // namespace

Expected<std::vector<ParameterFile>> parameter_files_named(std::string_view list) {
    std::vector<ParameterFile> files;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        const std::string_view name = list.substr(begin, end - begin);
        const auto* found = std::ranges::find(known, name, &Known::name);
        if (found == known.end()) {
            return std::unexpected(Error{ErrorKind::usage, fmt::format("there is no convention '{}'", name),
                                         "known are spm, fsl, afni, itk and matrix",
                                         "Give some of them with commas: --write-params spm,fsl."});
        }
        const auto file = static_cast<ParameterFile>(found - known.begin());
        if (std::ranges::find(files, file) == files.end()) {
            files.push_back(file);
        }
        begin = end + 1;
    }
    return files;
}

std::string_view ending_of(ParameterFile file) {
    return known[static_cast<std::size_t>(file)].ending;
}

Expected<void> check_parameters(ParameterFile file, const MotionGrid& grid) {
    const double bent = file == ParameterFile::fsl ? strain(exact_world_to_scaled(grid)) : 0.0;
    if (bent > most_strain) {
        return std::unexpected(Error{
            ErrorKind::usage, "FSL's parameters cannot tell motion in this grid",
            fmt::format("they are in mm along the voxels' axes, which are not at right angles (by {:.2g})",
                        bent),
            "Write matrix, spm or itk instead."});
    }
    return {};
}

Point fsl_centre(const MotionGrid& grid) {
    return middle_of(scaled_grid(grid), grid.extents);
}

std::string parameter_text(ParameterFile file, const std::vector<FrameMotion>& motion,
                           const MotionGrid& grid) {
    switch (file) {
    case ParameterFile::spm: return six_numbers(MotionConvention::spm, motion, grid);
    case ParameterFile::fsl: return six_numbers(MotionConvention::fsl, motion, grid);
    case ParameterFile::afni: return six_numbers(MotionConvention::afni, motion, grid);
    case ParameterFile::itk: return transforms(motion);
    case ParameterFile::matrix: break;
    }
    return matrices(motion);
}

}  // namespace slab
