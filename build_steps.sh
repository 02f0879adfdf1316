# What ./demo and ./check share: which packages, how they are installed, how things are built. Sourced, not run.

build_packages=(g++ cmake ninja-build pkg-config libboost1.74-dev libspdlog-dev libfmt-dev libtomlplusplus-dev
                libcli11-dev nlohmann-json3-dev liburing-dev libisal-dev libhwy-dev
                libsystemd-dev zlib1g-dev libpng-dev libopenblas-serial-dev)
python_packages=(python3 python3-numpy)
test_packages=(doctest-dev python3-scipy python3-nibabel python3-numba python3-pytest systemd-container systemd dbus
               libpam-systemd dbus-user-session util-linux procps passwd mount e2fsprogs)

# Only what is missing, and nothing (not even the question) when all is there.
install_packages() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "== installing from Debian's packages: ${missing[*]} =="
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
        command -v sudo >/dev/null || { echo "error: these packages are missing and you are not root
try: as root, apt-get install ${missing[*]}" >&2; exit 2; }
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# configure PRESET TESTS: with the tests they need packages of their own; once configured with them it stays so.
configure() {
    local folder=build
    [ "$1" = sanitize ] && folder=build-sanitize
    grep -qs '^SLABD_TESTS:BOOL=ON' "$folder/CMakeCache.txt" && set -- "$1" ON
    cmake --preset "$1" -DSLABD_TESTS="$2" >/dev/null
}

# build PRESET [TARGET...]: with no targets everything.
build() {
    local preset=$1
    shift
    cmake --build --preset "$preset" ${*:+--target "$@"} -- --quiet
}
