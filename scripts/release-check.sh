#!/usr/bin/env bash
# Checks the release script: builds a release twice, in different folders, and compares the bytes; installs the Debian package into an empty
# root, and runs the quick start with the installed program there. Needs root (chroot), dpkg and rpm; 2 minutes.
#
#   scripts/release-check.sh
#
# Environment: RELEASE_TARGETS as for scripts/release.sh (default: linux/amd64, linux/arm64 and windows/amd64)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repo=$PWD
host=$(go env GOHOSTARCH)
export RELEASE_TARGETS=${RELEASE_TARGETS:-linux/amd64 linux/arm64 windows/amd64}
export SOURCE_DATE_EPOCH=1735689600 RELEASE_COMMIT=0123456789012345678901234567890123456789
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }

# Twice in different folders.
first=$work/first
scripts/release.sh v0.0.1 "$first"
mkdir "$work/elsewhere"
git ls-files -z | tar --null -T - -cf - | tar -C "$work/elsewhere" -xf -
(umask 077 && cd "$work/elsewhere" && GOFLAGS=-pgo=off TZ=Asia/Tokyo scripts/release.sh v0.0.1 "$work/second") > /dev/null
diff -r "$first" "$work/second" || fail "the same source gave different bytes"
(cd "$first" && sha256sum --quiet -c SHA256SUMS)
for file in "$first"/*; do # what is published is what is attested
	[ "${file##*/}" = SHA256SUMS ] || grep -q "  ${file##*/}\$" "$first/SHA256SUMS" || fail "SHA256SUMS has no ${file##*/}"
done
echo "twice the same bytes: $(find "$first" -type f | wc -l) files"

# The Debian package in an empty root: the program is static, so it runs there.
deb=$(echo "$first"/btfbatch_*_"$host".deb)
root=$work/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/corpus"
: > "$root/var/lib/dpkg/status"
dpkg --root="$root" --force-script-chrootless --log="$work/dpkg.log" -i "$deb" > /dev/null
cp -r corpus/images corpus/quickstart.yaml "$root/corpus"
[[ $(chroot "$root" /usr/bin/btfbatch version) == "btfbatch v0.0.1"* ]] || fail "the installed program has another version"
chroot "$root" /usr/bin/btfbatch run /corpus/quickstart.yaml | tail -n 1
[ "$(chroot "$root" /usr/libexec/btfbatch/pahole --version)" = v1.32 ] || fail "/usr/libexec/btfbatch/pahole is not pahole"
for file in usr/share/man/man1/btfbatch-run.1.gz usr/share/man/man5/btfbatch.yaml.5.gz usr/share/doc/btfbatch/copyright \
	usr/share/bash-completion/completions/btfbatch usr/share/zsh/vendor-completions/_btfbatch usr/share/fish/vendor_completions.d/btfbatch.fish; do
	[ -s "$root/$file" ] || fail "the package has no /$file"
done
dpkg --root="$root" --force-script-chrootless --log="$work/dpkg.log" -r btfbatch > /dev/null
[ ! -e "$root/usr/bin/btfbatch" ] || fail "the package leaves files behind"
if command -v lintian > /dev/null; then
	lintian --fail-on error --suppress-tags statically-linked-binary,embedded-library "$deb"
fi

# The same program is in the other packages and in the archive.
for file in "$first"/btfbatch-*."$(uname -m)".rpm; do
	[[ $(rpm -qlp "$file" 2> /dev/null) == */usr/libexec/btfbatch/pahole* ]] || fail "$file is not complete"
done
for file in "$first"/btfbatch_*_"$(uname -m)".apk; do
	[[ $(tar -tzf "$file" 2> /dev/null) == *usr/libexec/btfbatch/pahole* ]] || fail "$file is not complete"
done
mkdir "$work/archive"
tar -C "$work/archive" -xzf "$first/btfbatch-v0.0.1-linux-$host.tar.gz"
"$work/archive/btfbatch-v0.0.1-linux-$host/btfbatch" version > /dev/null
dpkg --fsys-tarfile "$deb" | tar -xOf - ./usr/bin/btfbatch | cmp - "$work/archive/btfbatch-v0.0.1-linux-$host/btfbatch"
echo "installed and run: $(basename "$deb")"
