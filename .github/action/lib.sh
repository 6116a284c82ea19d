# Functions of the scripts in this folder.
# shellcheck shell=bash

# output NAME VALUE: sets an output of the step. The delimiter is random, so that no value can end early and set another output.
output() {
	local delimiter
	delimiter=btfbatch-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >> "$GITHUB_OUTPUT"
}

# escaped TEXT: the text of a workflow command.
escaped() {
	local text=$1
	text=${text//'%'/%25} text=${text//$'\r'/%0D} text=${text//$'\n'/%0A}
	printf '%s' "$text"
}

# problem TEXT: an annotation.
problem() { printf '::error title=btfbatch::%s\n' "$(escaped "$1")"; }

# fail TEXT: an annotation, and the end of the script.
fail() {
	problem "$1"
	exit 1
}

# sha256 FILE: its digest, on Linux, macOS and Windows.
sha256() {
	if command -v sha256sum > /dev/null; then
		sha256sum "$1"
	else
		shasum -a 256 "$1"
	fi | sed -E 's/^\\?([0-9a-f]{64}).*/\1/'
}

# system: the operating system and processor by the names of Go, such as linux-amd64.
system() {
	local os arch
	case ${RUNNER_OS:-} in
	Linux) os=linux ;;
	macOS) os=darwin ;;
	Windows) os=windows ;;
	*) fail "unknown system '${RUNNER_OS:-}' (RUNNER_OS)" ;;
	esac
	case ${RUNNER_ARCH:-} in
	X64) arch=amd64 ;;
	ARM64) arch=arm64 ;;
	*) fail "unknown processor '${RUNNER_ARCH:-}' (RUNNER_ARCH)" ;;
	esac
	echo "$os-$arch"
}
