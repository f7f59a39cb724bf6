#!/bin/sh
# Two releases side by side: install one, switch to it, and go back by itself when it does not come up well.
#
#   release.sh install NAME SOURCE   make /opt/gatehouse/releases/NAME from an unpacked source tree
#   release.sh switch NAME           point `current` at NAME, restart, wait until it is well, else go back
#   release.sh back                  point `current` at `previous` and restart
#
# This script stands outside both releases. ROOT, UNIT, RESTART and WELL may be set, for tests and for other service
# managers: RESTART starts the unit anew, WELL exits 0 when the gateway is well.
set -eu
ROOT=${ROOT:-/opt/gatehouse}
UNIT=${UNIT:-gatehouse-edge.service}
RESTART=${RESTART:-systemctl restart $UNIT}
WELL=${WELL:-curl -fsS --max-time 3 -o /dev/null http://127.0.0.1:8480/status}
TRIES=${TRIES:-60}
PAUSE=${PAUSE:-5}
STEADY=${STEADY:-3}
NOT_RUN='/(test|tests|idlelib|lib2to3|turtledemo|site-packages|dist-packages)/'

say() { printf 'release: %s\n' "$*" >&2; }

# A link is replaced by renaming a new one over it, so a power cut leaves the old or the new one.
point() {
	ln -s "$ROOT/releases/$2" "$ROOT/.$1.new"
	mv -T "$ROOT/.$1.new" "$ROOT/$1"
	sync "$ROOT" 2>/dev/null || sync
}

named() { [ -L "$ROOT/$1" ] && basename "$(readlink "$ROOT/$1")" || true; }

# Well means well several times in a row: a gateway that restarts over and over answers now and then.
well() {
	left=$TRIES run=0
	while [ "$left" -gt 0 ]; do
		left=$((left - 1))
		if sh -c "$WELL"; then run=$((run + 1)); else run=0; fi
		[ "$run" -ge "$STEADY" ] && return 0
		sleep "$PAUSE"
	done
	return 1
}

# Bytecode of the program, its packages and the standard library for the way the unit runs them (-OO): without it each
# start compiles everything anew. Python looks it up by the path it runs from, and that path leads through `current`.
compile() {
	release="$ROOT/releases/$1"
	library=$("$release/bin/python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
	export PYTHONPYCACHEPREFIX="$release/bytecode" PYTHONNODEBUGRANGES=1
	"$release/bin/python" -OO -m compileall -q -x "$NOT_RUN" "$library" &&
		"$release/bin/python" -OO -m compileall -q "$release/lib" ||
		say "what could not be compiled is compiled at each start"
	mkdir -p "$release/bytecode$ROOT/current"
	mv "$release/bytecode$release/lib" "$release/bytecode$ROOT/current/lib"
}

case "${1:-}" in
install)
	target="$ROOT/releases/$2"
	[ ! -e "$target" ] || { say "$2 is there already; choose another name"; exit 1; }
	python3 -m venv "$target"
	"$target/bin/pip" install -q --require-hashes -r "$3/deploy/locks/edge.txt"
	"$target/bin/pip" install -q --no-deps "$3"
	compile "$2"
	say "$2 is installed; switch to it with: release.sh switch $2"
	;;
switch)
	[ -d "$ROOT/releases/$2" ] || { say "there is no release $2 in $ROOT/releases"; exit 1; }
	before=$(named current)
	[ "$before" != "$2" ] || { say "$2 runs already"; exit 0; }
	[ -z "$before" ] || point previous "$before"
	point current "$2"
	if sh -c "$RESTART" && well; then say "$2 runs and is well"; exit 0; fi
	[ -n "$before" ] || { say "$2 is not well, and there is nothing to go back to"; exit 1; }
	point current "$before"
	sh -c "$RESTART" || true
	say "$2 was not well; $before runs again"
	exit 1
	;;
back)
	before=$(named previous)
	[ -n "$before" ] || { say "there is no previous release"; exit 1; }
	point previous "$(named current)"
	point current "$before"
	sh -c "$RESTART"
	well || { say "$before is not well either"; exit 1; }
	say "$before runs again"
	;;
*)
	sed -n '2,8p' "$0" >&2
	exit 2
	;;
esac
