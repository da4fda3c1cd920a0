package services

import (
	"encoding/json"
	"reflect"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"svinit/services/machine"
	"svinit/services/spec"
)

// A record can be written down and read back, and stays small.
func TestRecordIsPlain(t *testing.T) {
	if size := unsafe.Sizeof(record{}); size >= 1024 {
		t.Errorf("%d bytes", size)
	}
	var r record
	r.PIDs[machine.RoleRun], r.Since, r.Starts, r.Exits, r.LastExit = 7, time.Unix(1e9, 1).UTC(), 2, 1, 9
	r.Source = spec.Source{Name: "web", Dir: "/etc/service/web"}
	r.Step(machine.Up.At(r.Since))
	r.Step(machine.Started.At(r.Since))
	r.Step(machine.Event{Kind: machine.Signal, Time: r.Since, Signal: syscall.SIGTERM})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back record
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, back) {
		t.Errorf("%+v\nbecame\n%+v\nthrough %s", r, back, text)
	}
}
