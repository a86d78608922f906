# shellcheck shell=bash
# What the scripts need of the machine, installed only where it is missing. To be sourced; Debian and Ubuntu.

# Ends the script with a message.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# apt-get as root, without questions.
as_root_apt() {
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "there is no sudo; as root run: apt-get $*"
        sudo=(sudo)
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null >/dev/null
}

# Installs packages. $1 says for what.
need_packages() {
    local purpose=$1
    shift
    command -v apt-get >/dev/null || fail "$purpose is missing; install $* (or what your system calls it) and start again"
    printf '==> installing %s (%s)\n' "$*" "$purpose"
    as_root_apt update || printf 'apt-get update failed; trying with the lists that are there\n' >&2
    as_root_apt install -y --no-install-recommends "$@" || fail "$purpose could not be installed: apt-get install $* failed"
}

need_cargo() {
    command -v cargo >/dev/null || fail "a Rust toolchain is needed: install rustup (https://rustup.rs) and start again"
}

# SQLite, zstd and the TLS library are built from C.
need_c_compiler() {
    command -v cc >/dev/null || need_packages "a C compiler" gcc libc6-dev
}
