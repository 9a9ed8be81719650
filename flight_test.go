package weft_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
)

func TestServer_HandsOutWhatTheEngineDid(t *testing.T) {
	m := open(t, weft.Options{})
	url := listen(t, m)
	stream(t, url, "hello")
	r, err := http.Get(url + "/debug/flight?format=json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var records []engine.StepRecord
	if err := json.NewDecoder(r.Body).Decode(&records); err != nil || len(records) != 24 {
		t.Fatalf("status %d, %d records, %v, want the 24 steps of 24 tokens", r.StatusCode, len(records), err)
	}
	for i, s := range records[1:] {
		if !s.Decode() || s.Device() <= 0 || s.DeviceBegan < records[i].DeviceEnded {
			t.Errorf("step %d behind %+v is %+v, want a decode on the device after it", s.Step, records[i], s)
		}
	}
}
