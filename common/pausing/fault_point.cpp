#include "common/pausing/fault_point.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

namespace slab {

int fault_point(std::string_view name) {
    static const char* const directory = std::getenv("SLABD_FAULT_DIR");
    if (directory == nullptr) [[likely]] {
        return 0;
    }
    std::ifstream file(std::string(directory) + "/" + std::string(name));
    int error_number = 0;
    file >> error_number;
    return error_number;
}

}  // namespace slab
