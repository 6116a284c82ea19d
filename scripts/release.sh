#!/usr/bin/env bash
# Builds a release: static binaries, archives, packages for Debian, Fedora and Alpine, a list of the modules (SBOM), digests.
#
#   scripts/release.sh v1.2.3 [FOLDER]        into dist/v1.2.3, or FOLDER, which must not exist
#
# The same source and the same version give the same bytes, in any folder and on any machine with this toolchain.
#
# Environment:
#   RELEASE_TARGETS     the systems and processors, in the words of Go (default: those of the table in README.md)
#   RELEASE_PACKAGES    the processors for which packages are built (default: amd64 arm64, as far as they are among the targets)
#   SOURCE_DATE_EPOCH   the date of everything (default: that of the commit)
#   RELEASE_COMMIT      the commit (default: that of the checkout; needed in a source archive)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
usage() { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[[ ${1-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || usage
version=$1
out=${2:-dist/$version}
[ ! -e "$out" ] || { echo "$out exists" >&2; exit 2; }
read -ra targets <<< "${RELEASE_TARGETS:-linux/amd64 linux/arm64 linux/riscv64 linux/ppc64le linux/s390x darwin/arm64 windows/amd64}"
read -ra packages <<< "${RELEASE_PACKAGES:-amd64 arm64}"
commit=${RELEASE_COMMIT:-$(git rev-parse HEAD)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} TZ=UTC LC_ALL=C
day=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the user's settings could change is fixed.
export CGO_ENABLED=0 GOFLAGS='' GOEXPERIMENT='' GOWORK=off GOAMD64=v1 GOARM64=v8.0 GOPPC64=power8 GORISCV64=rva20u64
GOTOOLCHAIN=$(awk '$1 == "toolchain" { print $2 }' go.mod)
export GOTOOLCHAIN

# build FILE OS ARCH
build() {
	GOOS=$2 GOARCH=$3 go build -trimpath -buildvcs=false -o "$1" \
		-ldflags "-s -w -buildid= -X main.version=$version -X main.commit=$commit -X main.date=$day" ./cmd/btfbatch
}

# archive FOLDER FILE: a reproducible archive of a folder below $work.
archive() {
	case $2 in
	*.zip) "$work/release" zip "$2" "$work/$1" ;;
	*) tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=ustar -cf - "$1" | gzip -9n > "$2" ;;
	esac
}

go build -o "$work/release" ./scripts/release
build "$work/btfbatch" "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)"
mkdir -p "$out" "$work/share/man" "$work/share/completions"
"$work/btfbatch" man "$work/share/man" --date "$day"
for shell in bash zsh fish powershell; do
	"$work/btfbatch" completion $shell > "$work/share/completions/btfbatch.$shell"
done
cp README.md LICENSE NOTICE "$work/share"
cp -r docs "$work/share/docs"
mkdir -p "$work/share/config"
"$work/btfbatch" schema > "$work/share/config/manifest.schema.json"

for target in "${targets[@]}"; do
	os=${target%/*} arch=${target#*/}
	name=btfbatch-$version-$os-$arch
	echo "$name"
	mkdir "$work/$name"
	if [ "$os" = windows ]; then
		build "$work/$name/btfbatch.exe" "$os" "$arch"
		ending=zip
	else
		build "$work/$name/btfbatch" "$os" "$arch"
		ending=tar.gz
	fi
	cp -r "$work/share/." "$work/$name"
	chmod -R u=rwX,go=rX "$work/$name"
	archive "$name" "$out/$name.$ending"
done

# Packages. nfpm takes the names of processors from Go.
if [ ${#packages[@]} -gt 0 ]; then
	export VERSION=${version#v} STAGE=$work/stage
	mkdir -p "$STAGE/man1" "$STAGE/man5"
	for page in "$work"/share/man/*; do gzip -9n < "$page" > "$STAGE/man${page##*.}/${page##*/}.gz"; done
	cp -r "$work"/share/{completions,docs,config,README.md,LICENSE,NOTICE} scripts/packaging/debian/copyright "$STAGE"
	printf 'btfbatch (%s) unstable; urgency=medium\n\n  * Release %s: https://github.com/btfbatch/btfbatch/releases/tag/%s\n\n -- The btfbatch authors <btfbatch@users.noreply.github.com>  %s\n' \
		"$VERSION" "$version" "$version" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n > "$STAGE/changelog.Debian.gz"
	GOBIN=$work go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
	for arch in "${packages[@]}"; do
		binary=$work/btfbatch-$version-linux-$arch/btfbatch
		[ -f "$binary" ] || continue
		cp "$binary" "$STAGE/btfbatch"
		chmod -R u=rwX,go=rX "$STAGE"
		find "$STAGE" -exec touch -d "@$SOURCE_DATE_EPOCH" {} + # apk packages have the times of the files
		for format in deb rpm apk; do
			echo "btfbatch $VERSION $arch $format"
			ARCH=$arch "$work/nfpm" package --config scripts/packaging/nfpm.yaml --packager $format --target "$out/" > /dev/null
		done
	done
fi

binaries=()
for target in "${targets[@]}"; do
	binaries+=("$work/btfbatch-$version-${target%/*}-${target#*/}/btfbatch"*)
done
"$work/release" sbom "$version" "$SOURCE_DATE_EPOCH" "${binaries[@]}" > "$out/btfbatch-$version.cdx.json"
{
	sed -n '/^#/p' .github/action/digests.txt 2>/dev/null || true
	echo "release $version"
	echo "source $(.github/action/source.sh .)"
	(cd "$out" && sha256sum -- *) | awk '$2 ~ /\.(tar\.gz|zip)$/'
} > "$work/digests.txt"
cp "$work/digests.txt" "$out"
(cd "$out" && sha256sum -- *) > "$work/SHA256SUMS"
cp "$work/SHA256SUMS" "$out"
echo "$out: $(find "$out" -type f | wc -l) files"
