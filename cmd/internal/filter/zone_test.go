package filter

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

// labelsBetween returns lines with labels: random times, and those around changes
// to and from summer time.
func labelsBetween(from, to int64) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range 300 {
		b.WriteString(label(from+r.Int64N(to-from), r.Uint32N(1e9)) + " x\n")
	}
	// The summer time of 2018 in Berlin, in New York, on Lord Howe Island.
	for _, at := range []int64{1521939600, 1540688400, 1520751600, 1541311200, 1522508400, 1538839800, 0, 1, 86399} {
		if at >= from {
			b.WriteString(label(at-1, 0) + " x\n" + label(at, 0) + " x\n")
		}
	}
	return b.String()
}

const (
	year             = 31556952
	afterEpoch       = 2 * 86400 // 1970 in all time zones
	farYear          = 5_000_000
	diffMalformedTZ  = "tai64nlocal-tz-malformed"
	diffBefore1970TZ = "tai64nlocal-tz-1970"
	diffFarFutureTZ  = "tai64nlocal-tz-far"
	diffPlainTZ      = "tai64nlocal-tz-plain"
)

// zoneCases are values of TZ, the labels to convert (see TestZones), and the row of
// doc/differences.md where we differ. "-" means that TZ is not set.
var zoneCases = []struct{ tz, labels, differs string }{
	{"-", "all", ""},
	{"", "all", ""},
	{":", "all", ""},
	{"UTC", "all", ""},
	{":UTC", "all", ""},
	{"UTC", "far", ""},
	{"Etc/GMT+5", "far", ""},
	{"Europe/Berlin", "all", ""},
	{":Europe/Berlin", "all", ""},
	{"Europe/Berlin", "far", diffFarFutureTZ},
	{"Europe/Dublin", "all", ""},
	{"Europe/Amsterdam", "all", ""},
	{"Europe/Moscow", "all", ""},
	{"America/New_York", "all", ""},
	{"America/New_York", "far", diffFarFutureTZ},
	{"America/Sao_Paulo", "all", ""},
	{"America/Nuuk", "all", ""},
	{"America/St_Johns", "all", ""},
	{"Asia/Kathmandu", "all", ""},
	{"Asia/Kolkata", "all", ""},
	{"Asia/Gaza", "all", ""},
	{"Asia/Tehran", "all", ""},
	{"Australia/Lord_Howe", "all", ""},
	{"Pacific/Apia", "all", ""},
	{"Pacific/Kiritimati", "all", ""},
	{"Pacific/Chatham", "all", ""},
	{"Africa/Casablanca", "all", ""},
	{"Africa/Monrovia", "all", ""}, // an offset in seconds until 1972
	{"Antarctica/Troll", "all", ""},
	{"EST5EDT", "all", ""}, // a file
	{"EST", "all", ""},
	{"Factory", "all", ""},
	{"/usr/share/zoneinfo/Asia/Tokyo", "all", ""},
	{":/usr/share/zoneinfo/Asia/Tokyo", "all", ""},
	{"../zoneinfo/Asia/Tokyo", "all", ""},
	{"/etc/localtime", "all", ""},
	{"/nonexistent", "all", ""},
	{"/etc/passwd", "all", ""},
	{"/usr/share/zoneinfo", "all", ""},
	{"/dev/null", "all", ""},
	{"Europe", "all", ""},
	{"Europe/", "all", ""},
	{"europe/berlin", "all", ""},
	{"Europe/Berlin ", "all", ""},
	{"Nowhere/Land", "all", ""},
	{"nonsense", "all", ""},
	{"x", "all", ""},
	{"AB3", "all", ""},
	{"FOO", "all", ""},
	{"\n", "all", ""},
	{"\xff", "all", ""},
	{strings.Repeat("x", 5000), "all", ""},
	{"ABC5", "all", ""},
	{":ABC5", "all", ""},
	{"ABC+5", "all", ""},
	{"ABC-14", "all", ""},
	{"FOO12:34:56", "all", ""},
	{"ABC24:59:59", "all", ""},
	{"<+0330>-3:30", "all", ""},
	{"<-03>3", "all", ""},
	{"ABC5", "far", ""},
	{"CET-1CEST,M3.5.0,M10.5.0/3", "since1970", ""},
	{":CET-1CEST,M3.5.0,M10.5.0/3", "since1970", ""},
	{"EST5EDT,M3.2.0,M11.1.0", "since1970", ""},
	{"NZST-12NZDT,M9.5.0,M4.1.0/3", "since1970", ""},
	{"IST-1GMT0,M10.5.0,M3.5.0/1", "since1970", ""},
	{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "since1970", ""},
	{"LHST-10:30LHDT-11,M10.1.0,M4.1.0", "since1970", ""},
	{"CET-1CEST,J60,J300", "since1970", ""},
	{"CET-1CEST,59,299", "since1970", ""},
	{"CET-1CEST,J60/25,J300/-25", "since1970", ""},
	{"CET-1CEST,M3.4.4/50,M10.4.4/50", "since1970", ""},
	{"AAA3BBB,M1.1.1,M12.5.6/2:30:15", "since1970", ""},
	{"XXX3EDT4,0/0,J365/23", "since1970", ""},
	{"CET-1CEST-3,M3.5.0,M10.5.0/3", "since1970", ""},
	{"CET-1CEST,M3.5.0,M10.5.0/3", "before1970", diffBefore1970TZ},
	{"EST5EDT,M3.2.0,M11.1.0", "before1970", diffBefore1970TZ},
	{"CET-1CEST,M3.5.0,M10.5.0/3", "far", diffFarFutureTZ},
	{"CET-1CEST", "since1970", diffPlainTZ},
	{"CET-1CESTfoo", "since1970", diffPlainTZ},
	{"ABC25", "since1970", diffMalformedTZ},
	{"ABC5:60", "since1970", diffMalformedTZ},
	{" EST5", "since1970", diffMalformedTZ},
	{"<A>5", "since1970", diffMalformedTZ},
	{"CET-1CEST,", "since1970", diffMalformedTZ},
	{"CET-1CEST,foo", "since1970", diffMalformedTZ},
	{"CET-1CEST,M3.5.0", "since1970", diffMalformedTZ},
	{"CET-1CEST,M13.5.0,M10.5.0", "since1970", diffMalformedTZ},
	{"CET-1CEST,J0,J366", "since1970", diffMalformedTZ},
	{"CET-1CEST,M3.5.0,M10.5.0,", "since1970", diffMalformedTZ},
}

// TestZones compares local times in many zones.
func TestZones(t *testing.T) {
	labels := map[string]string{
		"all":        labelsBetween(-3000*year, farYear*year) + labelsBetween(-200*year, 200*year),
		"since1970":  labelsBetween(afterEpoch, farYear*year) + labelsBetween(afterEpoch, 130*year),
		"before1970": labelsBetween(-200*year, 0),
		"far":        labelsBetween(6_000_000*year, 2_000_000_000*year),
	}
	for _, c := range zoneCases {
		name := c.tz
		if len(name) > 50 {
			name = name[:50]
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var env []string
			if c.tz != "-" {
				env = []string{"TZ=" + c.tz}
			}
			difftest.Compare(t, difftest.Case{Tool: "tai64nlocal", Stdin: labels[c.labels], Env: env, Differs: c.differs}, "daemontools")
		})
	}
}

// TestZoneFiles compares what both make of other zone files, in TZDIR.
func TestZoneFiles(t *testing.T) {
	berlin, err := os.ReadFile("/usr/share/zoneinfo/Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	since1970 := labelsBetween(afterEpoch, 130*year)
	for name, c := range map[string]difftest.Case{
		"TZDIR":           {Files: map[string]string{"Here": string(berlin)}, Env: []string{"TZDIR=.", "TZ=Here"}},
		"not in TZDIR":    {Env: []string{"TZDIR=.", "TZ=Europe/Berlin"}},
		"no TZDIR":        {Env: []string{"TZDIR=nowhere", "TZ=Europe/Berlin"}},
		"empty TZDIR":     {Env: []string{"TZDIR=", "TZ=Europe/Berlin"}},
		"two TZ":          {Env: []string{"TZ=Europe/Berlin", "TZ=Asia/Tokyo"}},
		"garbage":         {Files: map[string]string{"Here": "garbage"}, Env: []string{"TZDIR=.", "TZ=Here"}},
		"cut":             {Files: map[string]string{"Here": string(berlin[:len(berlin)/2])}, Env: []string{"TZDIR=.", "TZ=Here"}},
		"cut in its head": {Files: map[string]string{"Here": string(berlin[:30])}, Env: []string{"TZDIR=.", "TZ=Here"}},
		"empty":           {Files: map[string]string{"Here": ""}, Env: []string{"TZDIR=.", "TZ=Here"}},
		"a directory":     {Files: map[string]string{"Here/": ""}, Env: []string{"TZDIR=.", "TZ=Here"}},
		"a link":          {Files: map[string]string{"Here@": "There", "There": string(berlin)}, Env: []string{"TZDIR=.", "TZ=Here"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Tool, c.Stdin = "tai64nlocal", since1970
			difftest.Compare(t, c, "daemontools")
		})
	}
}
