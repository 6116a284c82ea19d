package report

// A Failure is the kind of reason why an image is not ok. Programs can count by it and decide by it; the error is for people.
type Failure string

// The kinds of failure. Failures lists all of them with their meaning.
const (
	Missing    Failure = "missing"
	Unreadable Failure = "unreadable"
	Fetch      Failure = "fetch"
	Mismatch   Failure = "mismatch"
	Settings   Failure = "settings"
	NoDWARF    Failure = "no-dwarf"
	NoTypes    Failure = "no-types"
	BaseFailed Failure = "base"
	Refused    Failure = "refused"
	Warned     Failure = "warnings"
	Different  Failure = "differs"
	NoGolden   Failure = "no-golden"
	GoldenBad  Failure = "golden"
	SelfCheck  Failure = "verify"
	Write      Failure = "write"
	InSeries   Failure = "series"

	Unpublished Failure = "unpublished"
	Changed     Failure = "changed"

	Internal  Failure = "internal"
	NoResult  Failure = "no-result"
	Conflict  Failure = "conflict"
	Unplanned Failure = "unplanned"
	LeftOut   Failure = "skipped"
	Cancelled Failure = "cancelled"
	Other     Failure = "other"
)

// Failures lists the kinds of failure and what they mean.
var Failures = []struct {
	Kind    Failure
	Meaning string
}{
	{Missing, "A file does not exist: the image, its base, or a debug file that the image names."},
	{Unreadable, "A file cannot be read, or its content is damaged."},
	{Fetch, "A source other than a file could not be fetched."},
	{Mismatch, "The image is not the one that the manifest describes: digest, build id, architecture, kind or release."},
	{Settings, "The settings of the image cannot be applied to it."},
	{NoDWARF, "The image has no DWARF, and its debug file was not found."},
	{NoTypes, "There is nothing to encode: every compile unit is empty or left out."},
	{BaseFailed, "The base of the image failed, or does not belong to the image."},
	{Refused, "A kernel that must accept the BTF refuses it."},
	{Warned, "There are warnings, and `--strict-lint` was given."},
	{Different, "The BTF differs from its golden."},
	{NoGolden, "The golden does not exist."},
	{GoldenBad, "The golden cannot be read, or cannot be the golden of this image."},
	{SelfCheck, "A check of btfbatch itself failed: `--verify-dedup` or `--paranoid`."},
	{Write, "An output cannot be written."},
	{InSeries, "The image lost functions, types or per-CPU variables against the one before it in its series, or the two could not be compared."},
	{Unpublished, "The outputs could not be published in a store. The next run tries again."},
	{Changed, "A store has other contents under the name of the image, and what is published must not change."},
	{Internal, "A bug in btfbatch."},
	{NoResult, "The image was planned, and there is no result."},
	{Conflict, "There are two results for the image, and they differ."},
	{Unplanned, "There is a result, and the image was not planned."},
	{LeftOut, "The image was skipped; `skip_reason` says why."},
	{Cancelled, "The run was interrupted before the image was done."},
	{Other, "None of the above."},
}

// known reports whether a kind of failure is in the list.
func (f Failure) known() bool {
	for i := range Failures {
		if Failures[i].Kind == f {
			return true
		}
	}
	return false
}

// of reports whether an image with this status can have this kind of failure.
func (f Failure) of(s Status) bool {
	switch s {
	case OK:
		return f == ""
	case Differs:
		return f == Different || f == NoGolden
	case Skipped:
		return f == LeftOut
	case Interrupted:
		return f == Cancelled
	}
	return f.known() && !f.of(Differs) && !f.of(Skipped) && !f.of(Interrupted)
}
