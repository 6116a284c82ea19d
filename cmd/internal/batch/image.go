package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/embed"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

// errSplitBase is the error of a base that has a base itself.
var errSplitBase = errors.New("it is split BTF itself, which cannot be a base; use the BTF of the kernel")

// image encodes one image and returns its row.
func (b *batch) image(ctx context.Context, i, workers int) report.Row {
	j, start := &b.jobs[i], time.Now()
	defer b.turns[i].end()
	a := b.begun(ctx, i)
	row := a.row
	wire, err := b.guarded(ctx, workers, a, &row)
	switch {
	case err == nil:
	case errors.Is(err, errStopped):
		row = j.row()
		row.SkipReason = errStopped.Error()
	case ctx.Err() != nil:
		row = j.row()
		row.Interrupted = true
	default:
		row.Error, row.Failure, row.Transient = oneLine(err), kindOf(err), Transient(err)
		if b.opt.Events.Error != nil {
			b.opt.Events.Error(row.Name, err)
		}
	}
	if own := b.own[i]; own != nil {
		if err == nil && b.bases[i] != nil {
			err = errSplitBase
		}
		own.provide(j.File.AsBase(), wire, row.InputSHA256, err)
	}
	row.Seconds = (time.Since(start) + a.took).Seconds()
	if b.waiting[i] == nil {
		b.ended(&row)
	}
	return row
}

// ended tells that an image is done.
func (b *batch) ended(row *report.Row) {
	if b.opt.Events.Done != nil && !row.Interrupted {
		b.opt.Events.Done(row.Name, row.Error == "" && (row.Golden == nil || row.Golden.Verdict.OK()))
	}
}

// baseName names the image or the file that is the base of a job, or "".
func (b *batch) baseName(j *Job) string {
	if j.Base >= 0 {
		return b.jobs[j.Base].Name
	}
	return j.BaseFile
}

// guarded turns a panic, which is a bug in btfbatch, into an error of the image.
func (b *batch) guarded(ctx context.Context, workers int, a *arrival, row *report.Row) (wire []byte, err error) {
	defer caught(&err)
	defer a.close()
	if s := b.bases[a.job]; s != nil {
		defer s.release()
	}
	return b.encode(ctx, workers, a, row)
}

// caught turns a panic into an error. It must be deferred.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = as(report.Internal, fmt.Errorf("internal error: %v\n%s", r, debug.Stack()))
	}
}

// encode runs the steps for an image that follow the opening of its file, up to publishing its outputs. It returns the raw BTF.
func (b *batch) encode(ctx context.Context, workers int, a *arrival, row *report.Row) ([]byte, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case b.stopped():
		return nil, errStopped
	case a.err != nil:
		return nil, a.err
	}
	i, t := a.job, a.t
	t.clock.Start()
	if a.image != nil && !b.take(ctx, &t, row) { // all steps use this open file
		err := b.make(ctx, workers, &t, row, a.image.Input)
		b.keepAbsent(&t, err)
		if err != nil {
			return nil, err
		}
	}
	outputs := b.write(&t, workers)
	defer func() {
		if b.waiting[i] == nil {
			outputs.discard()
		}
	}()
	if err := b.judge(ctx, &t, row); err != nil {
		return nil, err
	}
	if t.compared() { // before anything is published: a golden that cannot be read fails the image
		if err := b.checkGolden(ctx, i, &t, row); err != nil {
			return nil, err
		}
	}
	err := ctx.Err()
	if err != nil { // the report may have been written already
		return nil, err
	}
	if err := b.place(i, &t, row, outputs); err != nil {
		return nil, err
	}
	t.clock.Stop("output", uint64(len(t.raw.BTF)), uint64(row.Types), "types")
	row.Details.SetPhases(phases(t.clock.Phases))
	if b.opt.Events.Phases != nil {
		b.opt.Events.Phases(row.Name, t.clock.Phases)
	}
	wire := t.raw.BTF
	if b.waiting[i] != nil && !b.opt.Goldens.Update && b.opt.Goldens.New == "" { // what waits needs only its files
		t = target{Job: t.Job, key: t.key}
	}
	return wire, nil
}

// place publishes the outputs of an image, and replaces its golden or writes a new one if that is wanted. In a series, all of it is prepared and waits.
func (b *batch) place(i int, t *target, row *report.Row, outputs *writing) (err error) {
	j := t.Job
	compared := row.Golden
	mine := j.Golden != "" && b.turns[i] == nil // a shared golden is replaced after its last image
	rewritten := b.opt.Goldens.Update && mine && compared != nil && !compared.Verdict.OK()
	if rewritten && j.Check.Policy != config.Digest { // the golden and the outputs are published together
		if compared, err = b.rewrite(t, compared, outputs); err != nil {
			return as(report.Write, err)
		}
	}
	b.step(j.Name, StepWriting)
	if err := b.prepare(t, outputs, row); err != nil {
		return as(report.Write, err)
	}
	finish := func(row *report.Row) (err error) {
		if row.Outputs, err = b.publish(t, outputs); err != nil {
			return as(report.Write, err)
		}
		if rewritten && j.Check.Policy == config.Digest {
			if compared, err = b.rewriteSum(t, compared); err != nil {
				return as(report.Write, err)
			}
		}
		if b.opt.Goldens.New != "" && mine {
			if err := b.propose(t, compared); err != nil {
				return as(report.GoldenBad, err)
			}
		}
		row.Golden = compared
		return nil
	}
	if b.series[i] == nil {
		return finish(row)
	}
	b.waiting[i] = &waiting{finish, outputs.discard}
	return nil
}

// firstStep returns the step that an image begins with.
func firstStep(f *corpus.File) Step {
	switch {
	case f.Path != "":
		return StepOpening
	case f.Origin.Network:
		return StepFetching
	}
	return StepReading
}

// hashes reports whether the digests of an image and its outputs are needed.
func (b *batch) hashes(j *Job) bool { return b.opt.Hash || j.Outputs.Evidence != "" || b.publishes(j) }

// open opens the file of an image, and hashes it if the report, a pin or the cache needs its digest.
func (b *batch) open(ctx context.Context, t *target, row *report.Row) (_ *corpus.Image, err error) {
	f := &t.File
	path := stored(f)
	before := cache.State{}
	if path != "" && b.kept(t.Job) {
		before = cache.StateOf(path)
	}
	compared := func() {}
	if f.Origin.Network && b.kept(t.Job) {
		_, compared = b.opt.Cache.Compared(f.Origin.Ref, f.Origin.Facts, f.Origin.SHA256)
	}
	b.step(t.Name, firstStep(f))
	if reading := b.opt.Events.Reading; reading != nil {
		ctx = source.WithReading(ctx, func(at, size int64) { reading(t.Name, at, size) })
	}
	image, err := f.Open(ctx)
	row.Arch, row.BuildID, row.Kind, row.Release = cmp.Or(f.Arch, f.Pins.Arch), f.BuildID, string(f.Identity.Kind), f.Identity.Release
	row.Compiler, row.Source = f.Identity.Compiler, sourceOf(f)
	if err != nil {
		return nil, causedBy(report.Unreadable, err)
	}
	compared()
	_, row.InputBytes = image.Input.Raw()
	recalled := t.inputSum
	t.image, t.inputSum, t.inputState = image.File, "", ""
	wanted := b.hashes(t.Job) || f.Pins.SHA256 != ""
	if !wanted && !b.kept(t.Job) {
		return image, nil
	}
	version, ok := image.Input.Version()
	if ok && recalled == "" {
		if key := b.stateKey(t); key == stateKey+version.String() { // it is the open file that has this state
			t.inputState = key
			return image, nil
		}
	}
	if ok && recalled != "" && version.String() == before.ID && (f.Pins.SHA256 == "" || f.Pins.SHA256 == recalled) {
		t.inputSum = recalled
	} else if t.inputSum, err = b.hash.Pin(ctx, f, image.Input); err != nil {
		image.Close()
		return nil, causedBy(report.Unreadable, err)
	}
	if wanted {
		row.InputSHA256 = t.inputSum
	}
	t.clock.Stop("sums", uint64(f.Size), 1, "files")
	if b.kept(t.Job) {
		b.remember(t, before)
	} else {
		t.inputSum = ""
	}
	return image, nil
}

// make encodes an image.
func (b *batch) make(ctx context.Context, workers int, t *target, row *report.Row, in *input.File) error {
	if err := b.translate(ctx, workers, t, row); err != nil {
		return err
	}
	if sum := cmp.Or(row.InputSHA256, t.inputSum); sum != "" {
		if err := sameSum(ctx, in, sum); err != nil {
			return as(report.Unreadable, err)
		}
	}
	if row.InputSHA256 != "" || t.inputKey() != "" {
		if err := in.Unchanged(); err != nil {
			return as(report.Unreadable, err)
		}
	}
	// Below this line the image is read only to copy it, or to locate a type that a kernel refuses.
	if b.hashes(t.Job) {
		row.OutputSHA256 = t.sum()
	}
	row.Bytes, row.BaseBytes, row.Types, row.Split = len(t.raw.BTF), len(t.inside.Base), t.object.Len(), t.base != nil
	row.PerCPU = perCPU(t.object)
	row.Details = t.details(b.start)
	return nil
}

// checkGolden compares with the golden, when it is the image's turn. A golden that is to be replaced must suit all images that share it.
func (b *batch) checkGolden(ctx context.Context, i int, t *target, row *report.Row) (err error) {
	if err := b.turns[i].wait(ctx); err != nil {
		return err
	}
	b.step(t.Name, StepComparing)
	if row.Golden, err = b.compare(ctx, t, row); err != nil {
		return as(report.GoldenBad, err)
	}
	if err := b.join(i, t, row.Golden); err != nil {
		return as(report.GoldenBad, err)
	}
	t.clock.Stop("golden", 0, uint64(row.Types), "types")
	return nil
}

// judge verifies the BTF for its kernels and, if asked, collects warnings about it.
func (b *batch) judge(ctx context.Context, t *target, row *report.Row) (err error) {
	if !t.cached {
		b.step(t.Name, StepVerifying)
		if row.Verify, err = t.verify(); err != nil {
			return as(report.Refused, errors.Join(t.located(ctx, err), b.reject(t)))
		}
		t.clock.Stop("verification", uint64(len(t.raw.BTF)), uint64(len(row.Verify)), "kernels")
		if b.opt.Lint.On {
			found, err := b.lint(t)
			row.Warnings = append(row.Warnings, found...)
			if err != nil {
				return causedBy(report.Unreadable, err)
			}
			t.clock.Stop("warnings", uint64(len(t.raw.BTF)), uint64(len(found)), "rules")
		}
		b.keep(ctx, t, row)
		if !b.opt.Details {
			row.Details = nil
		}
	}
	if b.opt.Lint.Strict && len(row.Warnings) > 0 {
		return as(report.Warned, errLint)
	}
	row.Warnings = append(row.Warnings, b.noEarlier(t.Name)...)
	return nil
}

// translate encodes the image.
func (b *batch) translate(ctx context.Context, workers int, t *target, row *report.Row) error {
	f := t.image
	enc := b.opt.encoder(&t.Settings, workers)
	enc.Release = t.File.Identity.Release
	if err := b.base(ctx, t, &enc, row); err != nil {
		return as(report.BaseFailed, err)
	}
	if err := identity(t, row); err != nil {
		return as(report.Mismatch, err)
	}
	t.doubts = len(row.Warnings)
	b.step(t.Name, StepEncoding)
	progress := meter{b: b, size: t.File.Size}
	defer progress.fill()
	enc.OnProgress = progress.show
	t.recordDecisions(&enc)
	t.left.hook(&enc)
	t.encoder = enc
	res, err := enc.Encode(ctx, f)
	if err != nil {
		return causedBy(report.Unreadable, err)
	}
	t.clock.Add(res.Phases)
	t.beside = res.Beside
	row.Funcs, row.Vars = res.Stats.Funcs.Emitted, res.Stats.Vars.Emitted
	row.Dropped = dropped(&res.Stats)
	row.Warnings = append(row.Warnings, Warnings(res.Warnings)...)
	if t.Outputs.ELF != "" {
		if text := embed.Fewer(f, res.Object.Len(), enc.Base.Object()); text != "" {
			row.Warnings = append(row.Warnings, report.Warning{Rule: embed.RuleFewer, Count: 1, Examples: []string{text}})
		}
	}
	return causedBy(report.Settings, t.setResult(res, f))
}

// base gets the base of an image, and checks that the image can have it.
func (b *batch) base(ctx context.Context, t *target, enc *encoder.Encoder, row *report.Row) (err error) {
	if t.base == nil {
		return nil
	}
	b.step(t.Name, StepWaiting)
	if enc.Base, err = t.base.get(ctx, &b.hash); err != nil {
		return err
	}
	if row.BaseSHA256 = t.base.sum; t.base.file != "" {
		if err := corpus.CheckBase(row.BaseSHA256, t.BaseSHA256, t.File.Pins.Lock != nil); err != nil {
			return err
		}
	}
	if err := t.File.Continues(&t.base.is); err != nil {
		return t.base.named(err)
	}
	if err := embed.SameMachine(enc.Base.Object(), t.image); err != nil {
		return fmt.Errorf("base %s: %w", t.base.name, err)
	}
	return nil
}

// identity compares what an image says of itself with its name, its base and its source. It warns, or fails.
func identity(t *target, row *report.Row) error {
	use := corpus.Use{Name: t.Name, Manifest: t.Line > 0, Embedded: t.Outputs.ELF != ""}
	if t.base != nil {
		use.Base = &t.base.is
	}
	row.Warnings = slices.Concat(identityWarnings(t.File.Doubts(use)), unpinned(&t.File), unlocked(&t.File))
	return t.File.Mistaken(use)
}

// sourceOf says where an image comes from that is not a file of its own.
func sourceOf(f *corpus.File) *report.Source {
	o := &f.Origin
	if !o.Network && o.Member == "" {
		return nil
	}
	return &report.Source{URL: o.URL, Package: o.Package, Version: o.Version, Member: o.Member, Unpinned: o.Network && !o.Pinned()}
}

// RuleUnpinned is the rule of the warning that an image came from a network, and nobody has said which bytes it must have.
const RuleUnpinned = "unpinned"

func unpinned(f *corpus.File) []report.Warning {
	o := &f.Origin
	if !o.Network || o.Pinned() {
		return nil
	}
	what := cmp.Or(o.URL, "a network")
	if o.Package != "" {
		what = fmt.Sprintf("%s %s, %s", o.Package, o.Version, what)
	}
	advice := "pin its sha256 to accept no other bytes"
	if o.SHA256 != "" {
		advice = "with sha256: " + o.SHA256 + " no other bytes are accepted"
	}
	return []report.Warning{{Rule: RuleUnpinned, Count: 1, Examples: []string{fmt.Sprintf("it came from %s without a pin; %s", what, advice)}}}
}

// RuleLock is the rule of the warning that an image is not the one that a lock has, and that the lock is not in force.
const RuleLock = "lock"

func unlocked(f *corpus.File) []report.Warning {
	if f.Was == nil {
		return nil
	}
	list := f.Departures(f.Was)
	if len(list) == 0 {
		return nil
	}
	texts := make([]string, len(list))
	for i, err := range list {
		texts[i] = err.Error()
	}
	return []report.Warning{{Rule: RuleLock, Count: len(list), Examples: texts}}
}

func identityWarnings(doubts []string) []report.Warning {
	if len(doubts) == 0 {
		return nil
	}
	return []report.Warning{{Rule: embed.RuleIdentity, Count: len(doubts), Examples: doubts}}
}

// Warnings converts the encoder's warnings to warnings of a report.
func Warnings(list []encoder.Warning) (warnings []report.Warning) {
	for _, w := range list {
		warnings = append(warnings, report.Warning(w))
	}
	return warnings
}

// dropped lists how many functions and variables were left out, by reason.
func dropped(s *encoder.Stats) []report.Drop {
	var list []report.Drop
	for r, n := range s.Funcs.Dropped {
		if n > 0 {
			list = append(list, report.Drop{What: "func", Reason: encoder.FuncReason(r).String(), Count: n})
		}
	}
	for r, n := range s.Vars.Dropped {
		if n > 0 {
			list = append(list, report.Drop{What: "var", Reason: encoder.VarReason(r).String(), Count: n})
		}
	}
	return list
}

// A meter converts the progress of one image from bytes of DWARF to bytes of its file.
type meter struct {
	b           *batch
	size, shown int64
}

func (m *meter) show(done, total uint64) {
	if total > 0 {
		m.advance(int64(float64(m.size) * min(1, float64(done)/float64(total))))
	}
}

func (m *meter) fill() { m.advance(m.size) }

func (m *meter) advance(at int64) {
	if at > m.shown && m.b.opt.Events.Bytes != nil {
		m.b.opt.Events.Bytes(at - m.shown)
		m.shown = at
	}
}

// oneLine returns the text of an error for a row: on one line, without the stack of an internal error and the name of a system call.
func oneLine(err error) string {
	if f, ok := err.(*failure); ok { //nolint:errorlint // a wrapped one has text before it
		err = f.error
	}
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // a wrapped one has text before it
		return fmt.Sprintf("%s: %v", p.Path, p.Err)
	}
	text, _, _ := strings.Cut(err.Error(), "\ngoroutine ")
	if p, ok := errors.AsType[*fs.PathError](err); ok && (p.Op == "stat" || p.Op == "lstat") {
		text = strings.Replace(text, p.Op+" "+p.Path+": ", p.Path+": ", 1)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", "; ")), " ")
}
