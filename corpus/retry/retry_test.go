package retry

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// TestPasses: these and no other answers are about a moment.
func TestPasses(t *testing.T) {
	want := map[int]bool{408: true, 425: true, 429: true, 500: true, 502: true, 503: true, 504: true}
	for status := 100; status < 600; status++ {
		if got := Passes(status); got != want[status] {
			t.Errorf("%d: got %v", status, got)
		}
	}
}

// TestAsked: both forms of Retry-After are read. What is neither asks for nothing.
func TestAsked(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		name, text, date string
		want             time.Duration
	}{
		{"absent", "", "", 0},
		{"seconds", "120", "", 2 * time.Minute},
		{"zero", "0", "", 0},
		{"leading zero", "007", "", 7 * time.Second},
		{"more than any number", "99999999999999999999999999", "", longest},
		{"a date", at(90 * time.Second), "", 90 * time.Second},
		{"a date in the past", at(-time.Hour), "", 0},
		{"a date in another century", "Fri, 31 Dec 2199 23:59:59 GMT", "", longest},
		{"a date of RFC 850", now.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), "", time.Minute},
		{"a date of C", now.Add(time.Minute).Format(time.ANSIC), "", time.Minute},
		{"a clock that is an hour fast", at(time.Hour + 30*time.Second), at(time.Hour), 30 * time.Second},
		{"a clock that is an hour slow", at(-time.Hour + 30*time.Second), at(-time.Hour), 30 * time.Second},
		{"a date, and a damaged clock", at(30 * time.Second), "today", 30 * time.Second},
		{"negative", "-5", "", 0},
		{"a fraction", "1.5", "", 0},
		{"an exponent", "1e3", "", 0},
		{"a word", "soon", "", 0},
		{"infinity", "Inf", "", 0},
		{"not a number", "NaN", "", 0},
		{"hexadecimal", "0x10", "", 0},
	} {
		h := http.Header{}
		for name, value := range map[string]string{"Retry-After": tt.text, "Date": tt.date} {
			if value != "" {
				h.Set(name, value)
			}
		}
		if got := Asked(h, now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestPause: the pause doubles up to the longest one, or is what the server asks for. It is never shorter, and not the same for all clients.
func TestPause(t *testing.T) {
	p := Policy{Backoff: time.Second, MaxWait: time.Minute}
	for _, tt := range []struct {
		failures     int
		asked, least time.Duration
		more         time.Duration // that may be added
	}{
		{1, 0, time.Second, 500 * time.Millisecond},
		{2, 0, 2 * time.Second, time.Second},
		{4, 0, 8 * time.Second, 4 * time.Second},
		{7, 0, time.Minute, 30 * time.Second},
		{40, 0, time.Minute, 30 * time.Second},
		{1000, 0, time.Minute, 30 * time.Second},
		{1, 30 * time.Second, 30 * time.Second, 500 * time.Millisecond},
		{1, time.Minute, time.Minute, 500 * time.Millisecond},
		{4, 3 * time.Second, 8 * time.Second, 4 * time.Second},
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			got, err := p.Pause(tt.failures, tt.asked)
			if err != nil || got < tt.least || got > tt.least+tt.more {
				t.Fatalf("after %d failures, asked for %v: got %v, %v, want %v and at most %v more", tt.failures, tt.asked, got, err, tt.least, tt.more)
			}
			seen[got] = true
		}
		if len(seen) < 50 {
			t.Errorf("after %d failures: 100 clients have %d different pauses", tt.failures, len(seen))
		}
	}
	_, err := p.Pause(1, time.Minute+1)
	if long, ok := errors.AsType[*LongError](err); !ok || long.Asked != time.Minute+1 || long.Most != time.Minute {
		t.Errorf("more than the longest pause: got %v", err)
	}
}

// TestOr: values that are not set are those of the other policy.
func TestOr(t *testing.T) {
	if got := (Policy{}).Or(Default); got != Default {
		t.Errorf("got %v", got)
	}
	own := Policy{Attempts: 1, Backoff: 2, MaxWait: 3}
	if got := own.Or(Default); got != own {
		t.Errorf("got %v", got)
	}
}
