#include "client/command_line/command_line.hpp"

#include <vector>

int main(int count, char** arguments) {
    return slab::run_command_line(
        std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
}
