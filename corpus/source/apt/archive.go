package apt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// An archive is a suite for one architecture, with a folder for its index.
type archive struct {
	entry entry
	arch  string
	dir   string
}

// sources returns the list of archives for apt, which has this archive only.
func (a *archive) sources() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\nArchitectures: %s\nTargets: Packages\n", a.entry.uri, a.entry.suite, a.arch)
	if a.entry.components != "" {
		fmt.Fprintf(&b, "Components: %s\n", a.entry.components)
	}
	for _, f := range a.entry.fields {
		fmt.Fprintf(&b, "%s:%s\n", f.name, f.text)
	}
	return b.String()
}

// key returns a name for the folder of the archive.
func (a *archive) key() string {
	sum := sha256.Sum256([]byte(a.sources()))
	return strings.ReplaceAll(a.entry.suite, "/", "_") + "-" + a.arch + "-" + hex.EncodeToString(sum[:6])
}

// configuration returns the configuration of apt. It is read after that of the system, and replaces what is about folders, the machine's
// packages, and programs to start.
func (a *archive) configuration() string {
	q := func(parts ...string) string { return `"` + filepath.Join(append([]string{a.dir}, parts...)...) + `"` }
	return fmt.Sprintf(`Dir::State %s;
Dir::State::Lists %s;
Dir::State::status %s;
Dir::Cache %s;
Dir::Cache::archives %s;
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts %s;
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "%s";
#clear APT::Architectures;
APT::Architectures:: "%[8]s";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
`, q(), q("lists"), q("status"), q(), q("archives"), q("sources.d"), q(), a.arch)
}

// update writes the configuration and brings the index up to date. Other processes wait.
func (a *archive) update(ctx context.Context) error {
	for _, dir := range []string{"lists/partial", "archives/partial", "sources.d"} {
		if err := os.MkdirAll(filepath.Join(a.dir, filepath.FromSlash(dir)), 0o700); err != nil {
			return fmt.Errorf("%w: set BTFBATCH_CACHE to a folder for downloads", err)
		}
	}
	lock := flock.New(filepath.Join(a.dir, "lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	for name, text := range map[string]string{"status": "", "sources.d/archive.sources": a.sources(), "apt.conf": a.configuration()} {
		if err := os.WriteFile(filepath.Join(a.dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	_, err := a.apt(ctx, "apt-get", "-q", "update")
	return err
}

// architectures returns the architectures that the archive says it has, or nil if that is not known.
func (a *archive) architectures() []string {
	files, _ := filepath.Glob(filepath.Join(a.dir, "lists", "*Release")) // the pattern is valid
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if list, ok := strings.CutPrefix(line, "Architectures:"); ok {
				return slices.DeleteFunc(strings.Fields(list), func(arch string) bool { return arch == "all" })
			}
		}
	}
	return nil
}

// apt runs a program of apt with the configuration of the archive.
func (a *archive) apt(ctx context.Context, name string, args ...string) ([]byte, error) {
	return run(ctx, name, append([]string{"-c", filepath.Join(a.dir, "apt.conf")}, args...)...)
}

// programs returns an error if the programs of apt are missing.
func (f *Finder) programs() error {
	for _, name := range []string{"apt-get", "apt-cache", "apt-config"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not installed: on systems without apt, name the URL of the package with deb", name)
		}
	}
	return nil
}

// run runs a program and returns what it prints. The error has the lines in which apt says what is wrong.
func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil {
		return stdout.Bytes(), nil
	}
	var lines []string
	for line := range strings.Lines(stderr.String()) {
		if text, ok := strings.CutPrefix(strings.TrimSuffix(strings.TrimSpace(line), "."), "E: "); ok && !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
	}
	if len(lines) == 0 {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			lines = append(lines, text)
		} else {
			lines = append(lines, err.Error())
		}
	}
	return nil, fmt.Errorf("%s: %s", name, strings.Join(lines, "; "))
}

// lacksSuite reports whether apt-get found no such suite in an archive.
func lacksSuite(err error) bool {
	return err != nil && strings.Contains(err.Error(), "does not have a Release file")
}

// advised adds to an error of apt-get what to do.
func advised(err error) error {
	switch {
	case err == nil:
		return nil
	case lacksSuite(err):
		return fmt.Errorf("%w; if another archive has the suite, name it with mirror in a manifest, such as %s", err, debianArchive)
	case strings.Contains(err.Error(), "is not signed"):
		return fmt.Errorf("%w; no installed key fits: install the keys of the archive, which for Debian are in the package debian-archive-keyring", err)
	}
	return err
}

// A pkg is a package of an archive.
type pkg struct {
	name, version string
	file, sha256  string
	depends       string
	size          int64
}

// show returns the newest version of a package, or the stated one (NAME=VERSION). The error is errNone if there is none.
func (a *archive) show(ctx context.Context, name string) (*pkg, error) {
	out, err := a.apt(ctx, "apt-cache", "show", "--no-all-versions", name)
	if err != nil {
		if strings.Contains(err.Error(), "No packages found") || strings.Contains(err.Error(), "was not found") {
			return nil, errNone
		}
		return nil, err
	}
	return parsePackage(out)
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// parsePackage reads the first stanza about a package.
func parsePackage(text []byte) (*pkg, error) {
	var p pkg
	var err error
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch name {
		case "Package":
			p.name = value
		case "Version":
			p.version = value
		case "Filename":
			p.file = value
		case "SHA256":
			p.sha256 = value
		case "Depends":
			p.depends = value
		case "Size":
			if p.size, err = strconv.ParseInt(value, 10, 64); err != nil || p.size < 0 {
				return nil, fmt.Errorf("the index says %q of the size of the package", value)
			}
		}
	}
	switch {
	case p.name == "":
		return nil, errNone
	case !digest.MatchString(p.sha256):
		return nil, fmt.Errorf("the index has no SHA-256 of %s", p.name)
	case p.file == "" || p.size == 0 || slices.Contains(strings.Split(p.file, "/"), ".."):
		return nil, errors.New("the index does not say where the package is")
	}
	return &p, nil
}

// kernel returns the package that a package without contents depends on, if it is one of a kernel with debug information, or with boot of a
// kernel as it boots, as NAME=VERSION where the version is stated. Otherwise it returns "".
func (p *pkg) kernel(boot bool) string {
	if p.size > maxMeta {
		return ""
	}
	for one := range strings.SplitSeq(p.depends, ",") {
		name, rest, _ := strings.Cut(strings.TrimSpace(one), " ")
		debug := strings.HasPrefix(name, "linux-image-") && isDebug(name)
		bootable := boot && !isDebug(p.name) && isBoot(name)
		if !debug && !bootable || !packageForm.MatchString(name) {
			continue
		}
		if version, ok := strings.CutPrefix(rest, "(= "); ok {
			if full := name + "=" + strings.TrimSuffix(version, ")"); packageForm.MatchString(full) {
				return full
			}
		}
		return name
	}
	return ""
}

// isDebug reports whether a package has debug information, by its name.
func isDebug(name string) bool {
	return strings.HasSuffix(name, "-dbg") || strings.HasSuffix(name, "-dbgsym")
}

// isBoot reports whether a package has a kernel as it boots, or depends on one that has it, by its name. Since 6.18, Debian's linux-image depends
// on linux-binary.
func isBoot(name string) bool {
	return strings.HasPrefix(name, "linux-image-") || strings.HasPrefix(name, "linux-binary-")
}

// similar names packages that may have been meant, as words that can follow a message.
func (a *archive) similar(ctx context.Context, name string) string {
	name, _, _ = strings.Cut(name, "=")
	out, err := a.apt(ctx, "apt-cache", "pkgnames", "linux-image-")
	if err != nil {
		return ""
	}
	flavour := strings.TrimSuffix(strings.TrimPrefix(name, "linux-image-"), "-dbg")
	var list []string
	for one := range strings.FieldsSeq(string(out)) {
		if strings.HasSuffix(one, "-dbg") && (strings.Contains(one, flavour) || strings.Count(one, ".") == 0) {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(x, y string) int { return len(x) - len(y) })
	if len(list) == 0 {
		return ""
	}
	return "; it has " + strings.Join(list[:min(len(list), 4)], ", ")
}
