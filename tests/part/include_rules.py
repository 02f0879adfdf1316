"""The floors of the house: which folder may include which. Fails with the line that breaks a rule."""

import pathlib
import re
import sys

# A folder may include itself, the system, and what is listed. The longest prefix that fits decides.
MAY_INCLUDE = {
    "common": ["common"],
    "client": ["client", "common"],
    "daemon/kernels": ["daemon/kernels", "common/array", "common/errors", "common/geometry", "common/plugin"],
    "daemon/settings": ["daemon/settings", "common"],
    "daemon/process": ["daemon/process", "common"],
    "daemon/channel": ["daemon/channel", "common"],
    "daemon/files": ["daemon/files", "common"],
    "daemon/volume": ["daemon/volume", "common"],
    "daemon/plugins": ["daemon/plugins", "daemon/kernels", "common"],
    "daemon/scheduling": ["daemon/scheduling", "daemon/kernels", "daemon/volume", "common"],
    "daemon/journal": ["daemon/journal", "daemon/process", "daemon/volume", "common"],
    "daemon/mover": ["daemon/mover", "daemon/process", "daemon/volume", "common"],
    "daemon/worker": ["daemon/worker", "daemon/process", "daemon/kernels", "daemon/scheduling", "daemon/volume", "common"],
    "daemon/admission": ["daemon/admission", "daemon/scheduling", "daemon/kernels", "daemon/mover/mover_messages.hpp",
                         "daemon/volume", "daemon/settings", "common"],
    "daemon/session": ["daemon/session", "daemon/channel", "daemon/admission", "daemon/mover/mover_messages.hpp",
                       "daemon/settings", "common"],
    "daemon/supervisor": ["daemon", "common"],
    "daemon/main.cpp": ["daemon", "common"],
}
HEAVY = ("boost/asio", "nlohmann/", "spdlog/", "socket", "sys/mman")  # not in kernels


def rule_for(path):
    fitting = [prefix for prefix in MAY_INCLUDE if path == prefix or path.startswith(prefix + "/")]
    return max(fitting, key=len) if fitting else None


def broken_rules(root):
    for top in ("common", "client", "daemon"):
        for file in sorted((root / top).rglob("*.[ch]pp")):
            path = file.relative_to(root).as_posix()
            rule = rule_for(path)
            for number, line in enumerate(file.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
                if not found:
                    continue
                target = found.group(2)
                if found.group(1) == '"' and not any(
                        target == allowed or target.startswith(allowed + "/") for allowed in MAY_INCLUDE[rule]):
                    yield f"{path}:{number}: {rule} may not include {target}"
                if rule == "daemon/kernels" and any(heavy in target for heavy in HEAVY):
                    yield f"{path}:{number}: a kernel includes {target}"


if __name__ == "__main__":
    problems = list(broken_rules(pathlib.Path(sys.argv[1])))
    print("\n".join(problems) or "every include keeps the rules")
    sys.exit(1 if problems else 0)
