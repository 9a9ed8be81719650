package weft_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
)

func TestServer_HandsOutWhatTheEngineDid(t *testing.T) {
	m := open(t, weft.Options{})
	url := listen(t, m)
	stream(t, url, "hello")
	records := flight(t, url)
	// A step is recorded once its tokens are out.
	for end := time.Now().Add(time.Minute); len(records) < 24 && time.Now().Before(end); records = flight(t, url) {
		time.Sleep(time.Millisecond)
	}
	if len(records) != 24 {
		t.Fatalf("%d records, want the 24 steps of 24 tokens", len(records))
	}
	for i, s := range records[1:] {
		if !s.Decode() || s.Device() <= 0 || s.DeviceBegan < records[i].DeviceEnded {
			t.Errorf("step %d behind %+v is %+v, want a decode on the device after it", s.Step, records[i], s)
		}
	}
}

// flight returns the steps that the server at url tells of.
func flight(t *testing.T, url string) (records []engine.StepRecord) {
	t.Helper()
	r, err := http.Get(url + "/debug/flight?format=json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
		t.Fatalf("status %d: %v", r.StatusCode, err)
	}
	return records
}
