package columns

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	head := []string{"IMAGE", "ARCH", "BASE", "PATH"}
	long := "linux-image-6.12-cloud-amd64-dbg_6.12.117-1_amd64.deb"
	rows := [][]string{{"a", "amd64", "-", long}, {"long-name", "amd64", "-", "vmlinux"}}
	for _, tt := range []struct {
		name  string
		rows  [][]string
		width int
		want  string
	}{
		{"unbounded", rows, 0, "IMAGE      ARCH   BASE  PATH\na          amd64  -     " + long + "\nlong-name  amd64  -     vmlinux\n"},
		{"wide enough", rows, 100, "IMAGE      ARCH   BASE  PATH\na          amd64  -     " + long + "\nlong-name  amd64  -     vmlinux\n"},
		{"equal columns above it", rows, 64, "all: ARCH amd64, BASE -\n\nIMAGE      PATH\na          " + long + "\nlong-name  vmlinux\n"},
		{"equal columns in two lines", rows, 20, "all: ARCH amd64\n     BASE -\n\nIMAGE      PATH\na          linu….deb\nlong-name  vmlinux\n"},
		{"shortened", rows, 40, "all: ARCH amd64, BASE -\n\nIMAGE      PATH\na          linux-image-6.…17-1_amd64.deb\nlong-name  vmlinux\n"},
		{"one row", rows[:1], 40, "IMAGE  ARCH   BASE  PATH\na      amd64  -     linux-imag…amd64.deb\n"},
		{"no rows", nil, 10, "IMAGE  ARCH  BASE  PATH\n"},
		{"nothing can be shortened", rows[1:], 10, "IMAGE     ARCH   BASE  PATH\nlong…ame  amd64  -     vmlinux\n"},
		{"East Asian names", [][]string{{"内核", "b", "c", "d"}}, 0, "IMAGE  ARCH  BASE  PATH\n内核   b     c     d\n"},
	} {
		got := Table(head, tt.rows, tt.width)
		if got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		for line := range strings.Lines(got) {
			if n := Of(strings.TrimSuffix(line, "\n")); tt.width >= 40 && n > tt.width {
				t.Errorf("%s: a line has %d columns", tt.name, n)
			}
		}
	}
}

// TestTableNames: names are shortened last, since names that differ in the middle would look equal.
func TestTableNames(t *testing.T) {
	rows := [][]string{{"debian-amd64-dbg", "out/of/a/long/path/1"}, {"debian-arm64-dbg", "out/of/a/long/path/2"}}
	const want = "IMAGE             PATH\ndebian-amd64-dbg  out/of…ath/1\ndebian-arm64-dbg  out/of…ath/2\n"
	if got := Table([]string{"IMAGE", "PATH"}, rows, 30); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
