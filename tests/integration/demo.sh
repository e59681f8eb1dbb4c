#!/usr/bin/env bash
# demo.sh: Sluice at work on real input, in half a minute. What ./dev demo runs after building.
#
# A broker with its default configuration; the machine's own Debian package index through
# `sluice pub`; five `sluice sub`: one takes everything, one a wildcard, two share the messages, one
# is too slow. Then: what became of every message.
#
#   SLUICE_BIN_DIR    where sluiced and sluice are (build/release/bin)
#   SLUICE_DEMO_DIR   keep the outputs of all programs there (a test reads them)
#   SLUICE_DEMO_RECORDS  publish only so many packages
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${SLUICE_BIN_DIR:-$root/build/release/bin}
demo=$root/tests/integration/demo
python=/usr/bin/python3
work=${SLUICE_DEMO_DIR:-}
# By default a connection may have 65 536 topics open, and each package is a topic.
records_max=${SLUICE_DEMO_RECORDS:-65000}
pids=()

die() {
  printf 'demo: %s\n' "$1" >&2
  exit 1
}

heading() {
  printf '\n\033[1m%s\033[0m\n' "$1"
}
[[ -t 1 ]] || heading() { printf '\n%s\n' "$1"; }

clean_up() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  wait
  [[ -n ${SLUICE_DEMO_DIR:-} ]] || rm -rf "$work"
}

prepare_input() {
  if command -v apt-cache >/dev/null; then
    [[ -n $(apt-cache dumpavail 2>/dev/null | head -c 1) ]] || update_index
    apt-cache dumpavail 2>/dev/null | "$python" "$demo/records.py" >"$work/lines"
  fi
  if [[ ! -s $work/lines ]]; then
    echo "This machine has no package index: 60 000 invented packages take its place."
    "$python" "$demo/records.py" --generate 60000 >"$work/lines"
  fi
  if (($(wc -l <"$work/lines") > records_max)); then
    echo "Of the index the first $records_max packages are published."
    head -n "$records_max" "$work/lines" >"$work/some"
    mv "$work/some" "$work/lines"
  fi
}

update_index() {
  [[ $(id -u) -eq 0 ]] || return 0
  echo "The package index is empty; apt-get update …"
  timeout 120 apt-get -qq update >/dev/null 2>&1 || true
}

start_broker() {
  : >"$work/sluiced.out"
  "$bin/sluiced" --listen 127.0.0.1:0 --http 127.0.0.1:0 --data-dir "$work/data" \
    >"$work/sluiced.out" 2>"$work/sluiced.log" &
  broker=$!
  pids+=("$broker")
  local i
  for ((i = 0; i < 200; ++i)); do
    read -r ready <"$work/sluiced.out" && break
    kill -0 "$broker" 2>/dev/null || die "sluiced ended: $(tail -n 3 "$work/sluiced.log")"
    sleep 0.05
  done
  [[ ${ready:-} =~ native=([^ ]+)\ http=([^ ]+) ]] || die "sluiced did not get ready"
  export SLUICE_SERVER=${BASH_REMATCH[1]}
  http=${BASH_REMATCH[2]}
  echo "sluiced: $ready"
}

# subscribe NAME ARGUMENT...: each message becomes a line "SEQUENCE TOPIC" of $work/NAME.out
subscribers=()
subscribe() {
  local name=$1
  shift
  printf '  %-12s sluice sub %s\n' "$name" "$*"
  "$bin/sluice" sub "$@" --name "$name" --format '%s %t\n' \
    >"$work/$name.out" 2>"$work/$name.err" &
  subscribers+=($!)
  pids+=($!)
}

# ask EXPRESSION: prints a Python expression over s, the broker's status.
ask() {
  "$bin/sluice" -o json status |
    "$python" -c "import json, sys; s = json.load(sys.stdin); print($1)"
}

# until_says VALUE EXPRESSION
until_says() {
  local i
  for ((i = 0; i < 150; ++i)); do
    [[ $(ask "$2") != "$1" ]] || return 0
    sleep 0.1
  done
  die "waited in vain for $2 to be $1"
}

start_subscribers() {
  heading "Five subscribers"
  subscribe everything 'debian.>' --overflow block
  subscribe libraries 'debian.libs.*'
  subscribe shared-1 'debian.>' --share team --overflow block
  subscribe shared-2 'debian.>' --share team --overflow block
  subscribe slow 'debian.>' --slow 1ms --credit 32 --queue-messages 500 --overflow drop_oldest
  until_says 5 "sum(max(1, row['members']) for row in s['subscription_list'])"
}

publish() {
  heading "Publish: one message per package, debian.<section>.<package>"
  printf "  sluice pub --lines --topic-from-line \$'\\\\t' <%s lines\n" "$(wc -l <"$work/lines")"
  "$bin/sluice" -o json pub --lines --topic-from-line $'\t' <"$work/lines" 2>"$work/pub.json" ||
    [[ $? -eq 4 ]] || die "pub failed: $(cat "$work/pub.json")"
  until_says 0 "sum(r['ledger']['queued'] + r['ledger']['waiting'] for r in s['subscription_list'])"
  "$python" "$demo/report.py" published "$work/pub.json"
}

show_ledger() {
  heading "The ledger of each subscription: sluice status"
  "$bin/sluice" -o json status >"$work/status.json"
  "$bin/sluice" status
  heading "A few lines of http://$http/metrics"
  "$python" -c "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())" \
    "http://$http/metrics" >"$work/metrics"
  local shown='published_messages_total|copies_(matched|delivered|dropped)_total|gaps_total'
  grep -E "^sluice_($shown|ledger_imbalance|queued_bytes)" "$work/metrics" |
    grep -v ' 0$' | sed 's/^/  /' || true
  grep '^sluice_ledger_imbalance' "$work/metrics" | sed 's/^/  /'
}

stop_subscribers() {
  heading "Ctrl-C to the subscribers: what each saw"
  kill -INT "${subscribers[@]}"
  local pid status
  for pid in "${subscribers[@]}"; do
    status=0
    wait "$pid" || status=$?
    [[ $status -eq 130 ]] || die "a subscriber ended with $status: $(cat "$work"/*.err)"
  done
  local name
  for name in everything libraries shared-1 shared-2 slow; do
    printf '  %-12s %s\n' "$name" "$(tail -n 1 "$work/$name.err")"
  done
  heading "The slow one was told what it missed, in its place"
  "$python" "$demo/report.py" gaps "$work/slow.err"
}

drain() {
  heading "SIGTERM to the broker: it drains"
  kill -TERM "$broker"
  local status=0
  wait "$broker" || status=$?
  printf '  %s (exit %s)\n' "$(tail -n 1 "$work/sluiced.out")" "$status"
  [[ $status -eq 0 ]] || die "sluiced ended with $status"
}

[[ -x $bin/sluiced && -x $bin/sluice ]] || die "no programs in $bin; run ./dev build"
[[ -n $work ]] || work=$(mktemp -d)
mkdir -p "$work"
trap clean_up EXIT
prepare_input
start_broker
start_subscribers
publish
show_ledger
stop_subscribers
heading "Do the sums add up?"
"$python" "$demo/report.py" check "$work"
drain
