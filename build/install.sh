#!/bin/sh
# Installs bpfink, or takes it away again. It fetches bpfink, bpfink.service and SHA256SUMS from where you say:
#
#   curl -fsSL URL/install.sh | sudo sh -s -- --from URL [--sha256 HEX]
#   sudo sh install.sh --from DIRECTORY
#   sudo sh install.sh --uninstall
#
# Again with another version it upgrades, also while bpfink runs. Nothing is put in place before all of it is there,
# has its digest, and runs.

set -eu
umask 022

usage() {
	cat <<'TEXT'
sh install.sh --from URL|DIRECTORY   install or upgrade bpfink and its systemd unit, and start it
sh install.sh --uninstall            take both away; what bpfink knows and its configuration stay

  --from URL|DIRECTORY  where bpfink, bpfink.service and SHA256SUMS are (or BPFINK_FROM)
  --sha256 HEX          digest of SHA256SUMS (or BPFINK_SHA256); URL must be https without it
  --prefix DIR          bpfink goes to DIR/bin (/usr/local)
  --destdir DIR         put everything below DIR, for an image; nothing is started
  --no-start            do not start, restart or enable it
  --help                print this text
TEXT
}

say() { printf 'bpfink: %s\n' "$*" >&2; }

# what failed and what to do about it, in one line
fail() {
	say "error: $1; $2"
	exit "${3:-1}"
}

has() { command -v "$1" >/dev/null 2>&1; }

# fetch NAME FILE
fetch() {
	case $from in
	/*)
		cp -- "$from/$1" "$2" || fail "$from/$1 cannot be read" "name a directory that has it with --from"
		;;
	*)
		if has curl; then
			curl -fsSL --proto "=$schemes" --connect-timeout 30 -o "$2" -- "$from/$1" </dev/null
		else
			wget -q -T 30 -O "$2" -- "$from/$1" </dev/null
		fi || fail "$from/$1 cannot be fetched whole" "see above, and try again"
		;;
	esac
}

digest() { sha256sum <"$1" | cut -d ' ' -f 1; }

# check NAME: a file in $work against SHA256SUMS
check() {
	wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$1\$/\1/p" "$work/SHA256SUMS")
	[ "$(digest "$work/$1")" = "$wanted" ] ||
		fail "$1 has another digest than SHA256SUMS says" "fetch it again; nothing was installed"
}

# put FILE MODE PLACE: in one step, so that what is there is the old one or the new one. Returns 1 if it was there.
put() {
	if [ ! -L "$3" ] && cmp -s "$1" "$3"; then return 1; fi
	chmod "$2" "$1" && mv -f -- "$1" "$3" || fail "$3 cannot be written" "see above"
	if has restorecon; then restorecon "$3" 2>/dev/null || :; fi
}

parse() {
	from=${BPFINK_FROM-} sum=${BPFINK_SHA256-} prefix=/usr/local destdir='' start=yes task=install
	while [ $# -gt 0 ]; do
		case $1 in
		--from | --sha256 | --prefix | --destdir)
			[ $# -gt 1 ] && [ -n "$2" ] || fail "$1 needs a value" "see --help" 2
			;;
		esac
		case $1 in
		--from) from=${2%/} && shift ;;
		--sha256) sum=$2 && shift ;;
		--prefix) prefix=${2%/} && shift ;;
		--destdir) destdir=${2%/} && shift ;;
		--no-start) start=no ;;
		--uninstall) task=uninstall ;;
		--help | -h) usage && exit 0 ;;
		*) fail "no such option: $1" "see --help" 2 ;;
		esac
		shift
	done
	# they are written into the unit, and put before names
	for path in "$prefix" "$destdir"; do
		case $path in
		'') ;;
		*[!A-Za-z0-9/._+-]*) fail "$path cannot be used" "name a path of letters, digits and / . _ + -" 2 ;;
		/*) ;;
		*) fail "$path is a relative path" "write it in full" 2 ;;
		esac
	done
	[ -z "$destdir" ] || start=no
	has systemctl && [ -d /run/systemd/system ] || start=no
	bin=$destdir$prefix/bin units=$destdir/etc/systemd/system
}

source_is_safe() {
	schemes=https
	case $from in
	'') fail "nobody said where bpfink is" "give --from URL, or a directory" 2 ;;
	/* | https://?*) ;;
	http://?*)
		[ -n "$sum" ] || fail "what comes by http can be anybody's" "give --sha256 HEX of SHA256SUMS, or an https URL" 2
		schemes=http,https
		;;
	*) fail "$from is no URL" "write https://… or the full path of a directory" 2 ;;
	esac
	case $from in /*) ;; *) has curl || has wget || fail "neither curl nor wget is there" "install one" ;; esac
	has sha256sum || fail "sha256sum is missing" "install coreutils"
}

install_it() {
	source_is_safe
	[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
		fail "this is $(uname -s) on $(uname -m)" "bpfink runs on Linux on x86-64"
	mkdir -p -- "$bin" "$units"
	work=$(mktemp -d "$bin/.bpfink.XXXXXX") # on the file system that it is moved within
	trap 'rm -rf -- "$work"' EXIT
	trap 'exit 1' HUP INT TERM

	fetch SHA256SUMS "$work/SHA256SUMS"
	[ -z "$sum" ] || [ "$(digest "$work/SHA256SUMS")" = "$sum" ] ||
		fail "SHA256SUMS has another digest than --sha256 says" "make sure of both; nothing was installed"
	for name in bpfink bpfink.service; do
		fetch "$name" "$work/$name"
		check "$name"
	done
	chmod 755 "$work/bpfink"
	version=$("$work/bpfink" --version </dev/null 2>/dev/null | sed -n '1s/^bpfink //p') || version=''
	[ -n "$version" ] || fail "bpfink does not run here" "it needs glibc 2.28 or later; nothing was installed"

	sed "s|^ExecStart=/usr/bin/bpfink|ExecStart=$prefix/bin/bpfink|" "$work/bpfink.service" >"$work/unit"
	cp -- "$work/unit" "$units/.bpfink.service.new" # on that file system, by a name that systemd does not read
	changed=no
	put "$work/bpfink" 755 "$bin/bpfink" && changed=yes
	put "$units/.bpfink.service.new" 644 "$units/bpfink.service" && changed=yes
	rm -f -- "$units/.bpfink.service.new"

	if [ $changed = no ]; then say "$version is there already"; else say "$version is in $bin"; fi
	if [ $start = no ]; then
		say "not started: systemctl enable --now bpfink, or $prefix/bin/bpfink"
		return
	fi
	systemctl daemon-reload
	systemctl --quiet enable bpfink
	if [ $changed = yes ]; then systemctl restart bpfink; else systemctl start bpfink; fi
	say "it runs: journalctl -u bpfink; bpfink doctor says whether it sees"
}

uninstall() {
	if [ $start = yes ] && [ -e "$units/bpfink.service" ]; then systemctl --quiet disable --now bpfink || :; fi
	rm -f -- "$bin/bpfink" "$units/bpfink.service"
	if [ $start = yes ]; then systemctl daemon-reload; fi
	say "it is gone; what stays: $destdir/var/lib/bpfink and $destdir/etc/bpfink.toml"
}

main() {
	parse "$@"
	[ "$(id -u)" -eq 0 ] || [ -n "$destdir" ] || fail "not root" "run it with sudo"
	if [ $task = uninstall ]; then uninstall; else install_it; fi
}

# the last line: of a download that was cut nothing runs
main "$@"
