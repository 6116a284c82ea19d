// Package exitcode lists the codes with which the program ends. The README and docs/drop-in.md explain them to users.
package exitcode

// The codes of both programs, btfbatch and its stand-in for pahole.
const (
	OK      = 0
	Failed  = 1 // an image failed, or there was none; an output could not be written
	Usage   = 2 // flags, arguments or the manifest are wrong; nothing was done
	Differs = 3 // nothing failed, and something differs from what was expected

	TryAgain = 75 // only with --shard or --no-wait: EX_TEMPFAIL, as schedulers know it; the same call can succeed later

	PaholeUsage = 64 // Usage in the place of pahole: EX_USAGE, as argp has it

	Interrupted = 130 // by a signal, before everything was done
)
