# shellcheck shell=bash
# dev_packages.sh: which Debian packages each command of ./dev needs, and how they get here.
# Sourced by ./dev.

declare -A packages=(
  # What builds the two programs and the client library.
  [build]="git ca-certificates build-essential g++-12 cmake ninja-build ccache mold python3
    libuv1-dev libexpected-dev libxxhash-dev libzstd-dev liblz4-dev libssl-dev libtoml11-dev
    libfmt-dev libspdlog-dev nlohmann-json3-dev libcpp-httplib-dev prometheus-cpp-dev libcli11-dev"
  # What the tests need beside it: promtool is in the package prometheus.
  [test]="libgtest-dev libgmock-dev libbenchmark-dev python3-xxhash prometheus"
  [clang]="clang-19 libclang-rt-19-dev"
  [lint]="clang-format-19 clang-tidy-19 shellcheck pyflakes3"
  [bench]="nats-server python3 libbenchmark-dev libgtest-dev libgmock-dev"
  [overload]="nats-server mosquitto redis-server"
  [demo]="python3"
)

# Packages of ours that come with a service of their own, which must not be left running.
readonly packages_with_service=(prometheus nats-server mosquitto redis-server)

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages needs root: run it as root, or install sudo"
  fi
}

missing_packages() {
  local package known
  known=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $known == *" installed:$package "* ]] || printf '%s\n' "$package"
  done
}

# apt_install PACKAGE...: quietly, asking nothing, starting no services.
apt_install() {
  local policy=/usr/sbin/policy-rc.d ours=no package
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600)
  if [[ ! -e $policy ]]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  local status=0
  { as_root "${apt[@]}" update && as_root "${apt[@]}" install --no-install-recommends "$@"; } \
    >build/apt.log 2>&1 || status=$?
  if [[ $ours == yes ]]; then as_root rm -f "$policy"; fi
  if ((status != 0)); then
    tail -n 20 build/apt.log >&2
    return "$status"
  fi
  for package in "${packages_with_service[@]}"; do
    if [[ " $* " == *" $package "* ]] && command -v systemctl >/dev/null; then
      as_root systemctl --quiet disable "$package.service" 2>/dev/null
    fi
  done
}

# need_packages GROUP...: installs what is missing of these groups.
need_packages() {
  local group names wanted=() missing
  for group in "$@"; do
    read -r -d '' -a names <<<"${packages[$group]}" || true
    wanted+=("${names[@]}")
  done
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]} > 0)) || return 0
  mkdir -p build
  step "install Debian packages: ${missing[*]}" apt_install "${missing[@]}"
}
