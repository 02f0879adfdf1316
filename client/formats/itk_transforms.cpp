#include "client/formats/itk_transforms.hpp"

#include "common/array/table_text.hpp"
#include "common/geometry/affine_matrix.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace slab {
namespace {

constexpr std::string_view kind_word = "Transform:";
constexpr std::string_view parameters_word = "Parameters:";
constexpr std::string_view fixed_word = "FixedParameters:";

std::unexpected<Error> refuse(const std::string& path, std::string because, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, path + ": the ITK transforms cannot be read",
                                 std::move(because), std::move(remedy)});
}

// The numbers of a line; empty where it is none.
std::vector<double> numbers_of(std::string_view line) {
    const auto table = table_from_text(std::string(line), TableText::file);
    return table && table->rows == 1 ? table->values : std::vector<double>();
}

// Rotation and scaling about a centre, then the translation.
AffineMatrix matrix_of(const std::vector<double>& parameters, const std::vector<double>& centre) {
    AffineMatrix matrix;
    for (std::size_t row = 0; row < 3; ++row) {
        matrix.rows[row][3] = parameters[9 + row] + centre[row];
        for (std::size_t column = 0; column < 3; ++column) {
            const double number = parameters[3 * row + column];
            matrix.rows[row][column] = number;
            matrix.rows[row][3] -= number * centre[column];
        }
    }
    return matrix;
}

}  // namespace

Expected<NumberTable> itk_transforms(std::string_view text, const std::string& path) {
    const AffineMatrix flip = diagonal({-1.0, -1.0, 1.0});
    NumberTable table{0, 16, {}};
    std::string kind;
    std::vector<double> parameters;
    int number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        ++number;
        if (line.starts_with(kind_word)) {
            if (!kind.empty()) {
                return refuse(path,
                              fmt::format("line {}: the transform before has no FixedParameters", number),
                              "Write or copy the file again.");
            }
            kind = line.substr(kind_word.size());
        } else if (line.starts_with(parameters_word)) {
            parameters = numbers_of(line.substr(parameters_word.size()));
            if (parameters.size() != 12) {
                return refuse(path,
                              fmt::format("line {}: a transform of the kind{} has {} numbers, not 12", number,
                                          kind, parameters.size()),
                              "Convert it to an AffineTransform first.");
            }
        } else if (line.starts_with(fixed_word)) {
            const std::vector<double> centre = numbers_of(line.substr(fixed_word.size()));
            if (kind.empty() || parameters.empty() || centre.size() != 3) {
                return refuse(path,
                              fmt::format("line {}: FixedParameters are 3 numbers behind a Transform and its "
                                          "Parameters",
                                          number),
                              "Write or copy the file again.");
            }
            const AffineMatrix to_frame = flip * matrix_of(parameters, centre) * flip;
            if (!std::isfinite(determinant(to_frame)) || is_singular(to_frame)) {
                return refuse(path, fmt::format("the transform that ends in line {} has no inverse", number),
                              "Look whether this is the file that you mean.");
            }
            const AffineMatrix to_reference = inverse(to_frame);
            for (const auto& row : to_reference.rows) {
                table.values.insert(table.values.end(), row.begin(), row.end());
            }
            table.values.insert(table.values.end(), {0.0, 0.0, 0.0, 1.0});
            ++table.rows;
            kind.clear();
            parameters.clear();
        } else if (!line.empty() && !line.starts_with('#')) {
            return refuse(path, fmt::format("line {} is nothing that ITK writes", number),
                          "Give an Insight Transform File in text.");
        }
    }
    if (table.rows == 0 || !kind.empty()) {
        return refuse(path, table.rows == 0 ? "it holds no transform" : "its last transform is cut short",
                      "Write or copy the file again.");
    }
    return table;
}

}  // namespace slab
