# shellcheck shell=bash
# dev_test.sh: the parts of ./dev test, which are what CI runs. Sourced by ./dev.

# Cheap ones first: they say soonest that something is wrong.
all_parts=(format tidy lint release asan tsan fuzz)

# What a sanitizer finds ends the test that found it.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:halt_on_error=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}

# Seconds that each fuzz target gets as a part of ./dev test.
readonly fuzz_smoke_seconds=${SLUICE_FUZZ_SECONDS:-10}

sources() {
  git ls-files --cached --others --exclude-standard -- '*.h' '*.cc' | while read -r file; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done
}

format_sources() {
  sources | xargs -r -P "$(nproc)" -n 20 clang-format-19 "$@"
}

part_format() {
  need_packages lint
  step "format check" format_sources --dry-run -Werror
}

part_tidy() {
  need_packages build
  step "tidy" tests/tidy/tidy
  step "tidy's own tests" tests/tidy/tidy_test
}

part_lint() {
  need_packages build test clang lint
  step "configure clang" cmake --preset clang -DSLUICE_BUILD_TESTS=ON
  step "lint shell" lint_shell
  step "lint python" lint_python
  step "lint c++" tests/tidy/lint --build build/clang
}

# Files that git knows and whose first line names one of these interpreters.
scripts_of() {
  git grep -lI --untracked -E "^#!.*(/| )($1)( |\$)" -- ':!*.md'
}

lint_shell() {
  { scripts_of 'bash|sh'; git ls-files --cached --others --exclude-standard -- '*.sh'; } |
    sort -u | xargs -r shellcheck -x
}

lint_python() {
  { scripts_of '[a-z0-9/]*python3'; git ls-files --cached --others --exclude-standard -- '*.py'; } |
    sort -u | xargs -r pyflakes3
}

# build_and_ctest PRESET CTEST-ARGUMENT...
build_and_ctest() {
  local preset=$1
  shift
  need_packages build test
  step "configure $preset" cmake --preset "$preset" -DSLUICE_BUILD_TESTS=ON
  step "build $preset" cmake --build "build/$preset"
  step "ctest $preset" ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure \
    --no-tests=error --timeout 300 "$@"
}

# Tidy is a part of its own; tests with the label release_only measure or install.
part_release() { build_and_ctest release -LE '^tidy$'; }
part_asan() { build_and_ctest asan -LE '^(tidy|release_only)$'; }
part_tsan() { build_and_ctest tsan -LE '^(tidy|release_only)$'; }

part_fuzz() {
  build_fuzzers
  run_fuzzers "$fuzz_smoke_seconds"
}

build_fuzzers() {
  need_packages build test clang
  step "configure fuzz" cmake --preset fuzz
  step "build fuzz" cmake --build build/fuzz --target fuzzers
}

# run_fuzzers SECONDS: every target, as many at a time as there are cores.
run_fuzzers() {
  local targets
  mapfile -t targets < <(find build/fuzz/bin -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sort)
  ((${#targets[@]} > 0)) || die "no fuzz targets in build/fuzz/bin"
  step "fuzz ${#targets[@]} targets, $1 s each" \
    xargs -P "$(nproc)" -I{} tests/fuzz/run {} "$1" < <(printf '%s\n' "${targets[@]}")
}

# test_part PART: one part, in this process; its first failing step ends ./dev.
test_part() {
  [[ " ${all_parts[*]} " == *" $1 "* ]] || die "no part '$1'; there are: ${all_parts[*]}" 2
  "part_$1"
}

# test_parts PART...: each in a process of its own, all of them whatever fails, then a table.
test_parts() {
  local part start rows=() first_failure='' result
  for part in "$@"; do
    start=$(now_ms)
    result=ok
    ./dev test "$part" || result=FAILED
    [[ $result == ok ]] || first_failure=${first_failure:-$part}
    rows+=("$(printf '%-10s %-8s %8s s' "$part" "$result" "$(seconds_since "$start")")")
  done
  printf '\n%-10s %-8s %10s\n' part result time
  printf '%s\n' "${rows[@]}"
  [[ -z $first_failure ]] || die "the first part that failed: $first_failure"
  say "all parts passed"
}
