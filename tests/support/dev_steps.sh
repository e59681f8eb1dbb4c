# shellcheck shell=bash
# dev_steps.sh: what ./dev says while it works. Sourced by ./dev.

# Compiler caches are shared between clones of the project, whatever folder they stand in.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD}
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
export NINJA_STATUS=${NINJA_STATUS:-"[%f/%t %es] "}

say() {
  printf '%s\n' "-- $*"
}

die() {
  printf '%s\n' "dev: $1" >&2
  exit "${2:-1}"
}

now_ms() {
  local now=${EPOCHREALTIME/[.,]/}
  printf '%s' "$((now / 1000))"
}

seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d' "$((ms / 1000))" "$((ms % 1000 / 100))"
}

# step NAME COMMAND...: runs it and says how long it took. A failure ends ./dev.
step() {
  local name=$1 start status=0
  shift
  start=$(now_ms)
  say "$name"
  "$@" || status=$?
  ((status == 0)) || die "$name: failed after $(seconds_since "$start") s" "$status"
  say "$name: done in $(seconds_since "$start") s"
}
