package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/manual"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config"
)

// newMan returns the command that packagers call to build the manual pages. Others do not see it.
func newMan() *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages into a folder",
		Long:   "Write the manual pages into a folder, for packages. Existing files are not overwritten.",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if day == "" {
				day = thisBuild().date
			}
			day, _, _ = strings.Cut(day, "T")
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				return usage(errors.New("the date of the build is not known: give --date YYYY-MM-DD"))
			}
			b, err := newBook(cmd.Root())
			if err != nil {
				return failed(err)
			}
			b.Date, b.Version = day, "btfbatch "+thisBuild().version
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return failed(err)
			}
			for _, p := range b.Pages() {
				if err := publish.New(filepath.Join(args[0], p.Name), p.Text); err != nil {
					return failed(err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&day, "date", "", "`DATE` of the pages, YYYY-MM-DD (default: that of the build)")
	return cmd
}

// newBook gathers what the reference is made of.
func newBook(root *cobra.Command) (*manual.Book, error) {
	keys, err := manifestSections()
	if err != nil {
		return nil, err
	}
	return &manual.Book{
		Root: root, Manifest: keys, Site: "https://github.com/btfbatch/btfbatch", Exits: exitCodes, Environment: envTerms,
		Files: []manual.Term{
			{Name: defaultManifest, About: "The manifest of commands that are called without one."},
			{Name: "/usr/libexec/btfbatch/pahole", About: "The program under the name pahole, for kernel builds (make PAHOLE=...), if it was installed from a package."},
		},
	}, nil
}

var exitCodes = []manual.Term{
	{Name: "0", About: "Success."},
	{Name: "1", About: "An image failed: it is missing, unreadable, without DWARF, without types, or refused by a kernel that it is for. " +
		"verify: the BTF is refused. Also: an output cannot be written."},
	{Name: "2", About: "Wrong usage, or an error in the manifest. No image was touched. verify: there is no BTF to check."},
	{Name: "3", About: "Every image was encoded, but at least one differs from its golden. diff: the two inputs differ."},
	{Name: "64", About: "pahole: the options are wrong, or ask for something that btfbatch does not do."},
	{Name: "75", About: "run --shard: an image failed because a server, the network or a full disk did not let it finish, or the run was interrupted. Run the shard again. run --no-wait: another run writes the same files."},
	{Name: "130", About: "Interrupted."},
}

// envTerms lists the environment variables that the program reads.
var envTerms = []manual.Term{
	{Name: "BTFBATCH_SHARDS", About: "Number of shards, for run --shard auto on schedulers that do not tell it to a task."},
	{Name: "BTFBATCH_CACHE", About: "Folder of downloads and of the results that run keeps. Default: btfbatch in the user's cache folder. " +
		"Or the address of a store of results, as for run --cache."},
	{Name: "AWS_ACCESS_KEY_ID", About: "With AWS_SECRET_ACCESS_KEY: credentials for buckets."},
	{Name: "AWS_SECRET_ACCESS_KEY", About: "See AWS_ACCESS_KEY_ID."},
	{Name: "AWS_SESSION_TOKEN", About: "Third part of temporary credentials for buckets."},
	{Name: "AWS_PROFILE", About: "Profile in files with credentials, region and endpoint for buckets. Default: default."},
	{Name: "AWS_SHARED_CREDENTIALS_FILE", About: "Such a file. Default: ~/.aws/credentials."},
	{Name: "AWS_CONFIG_FILE", About: "Such a file. Default: ~/.aws/config."},
	{Name: "AWS_ENDPOINT_URL", About: "URL of an S3-compatible service. Default: Amazon's."},
	{Name: "AWS_ENDPOINT_URL_S3", About: "The same, and goes before it."},
	{Name: "AWS_REGION", About: "Region of buckets. Default: us-east-1."},
	{Name: "AWS_DEFAULT_REGION", About: "The same, if AWS_REGION is not set."},
	{Name: "DOCKER_CONFIG", About: "Folder of Docker's config.json with logins for registries. Default: ~/.docker."},
	{Name: "REGISTRY_AUTH_FILE", About: "File with logins for registries, in the same form."},
	{Name: "XDG_RUNTIME_DIR", About: "Folder of containers/auth.json, which has the logins of podman."},
	{Name: "DEBUGINFOD_URLS", About: "URLs of debuginfod servers, separated by blanks."},
	{Name: "BTFBATCH_VERIFY", About: "Kernels that must accept the BTF that btfbatch writes under the name pahole, such as 6.12,newest."},
	{Name: "CI", About: "If it is set to anything that does not mean false, goldens are not changed and no progress is drawn."},
	{Name: "COLUMNS", About: "The width of lines, in place of that of the terminal."},
	{Name: "GITHUB_ACTIONS", About: "If it is true, run prints annotations."},
	{Name: "GITHUB_OUTPUT", About: "File to which run appends the outputs of the step."},
	{Name: "GITHUB_STEP_SUMMARY", About: "File to which run appends the report."},
	{Name: "GITHUB_WORKSPACE", About: "Folder of the checkout, to which the paths of annotations are relative."},
	{Name: "GOGC", About: "If it is set, the garbage collector is left as it says."},
	{Name: "GOMEMLIMIT", About: "Soft limit of memory, for the memory manager of Go, such as 1GiB."},
	{Name: "NO_COLOR", About: "If it is set, output on a terminal has no colours."},
	{Name: "PAHOLE_LANG_EXCLUDE", About: "Languages that pahole leaves out if no option says so."},
	{Name: "TERM", About: "If it is dumb, output on a terminal has no colours, and no progress is drawn."},
}

// manifestSections lists the keys of manifests, as their schema has them.
func manifestSections() ([]manual.Section, error) {
	text, err := config.Schema()
	if err != nil {
		return nil, err
	}
	var root jsonschema.Schema
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("schema of the manifest: %w", err)
	}
	image := root.Properties["images"].Items
	list := []manual.Section{keysOf("Manifest", &root), keysOf("List of images", mappingIn(root.Properties["images_from"])), keysOf("Image", image)}
	for _, k := range keysOf("", image).Keys {
		if s := mappingIn(image.Properties[k.Name]); s != nil && k.Name != "matrix" {
			list = append(list, keysOf(strings.ToUpper(k.Name[:1])+k.Name[1:], s))
		}
	}
	return list, nil
}

// mappingIn finds the mapping among the forms of a value.
func mappingIn(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Properties != nil {
		return s
	}
	if s.Items != nil {
		return mappingIn(s.Items)
	}
	for _, form := range s.AnyOf {
		if m := mappingIn(form); m != nil {
			return m
		}
	}
	return nil
}

// keysOf lists the keys of a mapping in the order of the schema's text, with the words that they take.
func keysOf(title string, s *jsonschema.Schema) manual.Section {
	section := manual.Section{Title: title}
	for _, name := range keyOrder(s) {
		about := s.Properties[name].Description
		if words := wordsOf(s.Properties[name]); len(words) > 1 && len(words) < 60 {
			about += " Words: " + strings.Join(words, ", ") + "."
		}
		if slices.Contains(s.Required, name) {
			about += " Required."
		}
		section.Keys = append(section.Keys, manual.Term{Name: name, About: about})
	}
	return section
}

// keyOrder lists the names of properties. Reading a schema loses their order, so it is that of the alphabet, required ones first.
func keyOrder(s *jsonschema.Schema) []string {
	var names []string
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if x, y := slices.Contains(s.Required, a), slices.Contains(s.Required, b); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

// wordsOf lists the words that a value can be.
func wordsOf(s *jsonschema.Schema) (words []string) {
	for _, w := range s.Enum {
		if text, ok := w.(string); ok {
			words = append(words, text)
		}
	}
	if s.Items != nil && s.Items.Properties == nil {
		words = append(words, wordsOf(s.Items)...)
	}
	for _, form := range s.AnyOf {
		if form.Properties == nil && words == nil {
			words = append(words, wordsOf(form)...)
		}
	}
	return words
}
