package pm2_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/check/checktest"
	checks "healthaudit/audit/check/pm2"
	"healthaudit/snapshot"
)

var trendNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A measured app is one whose metrics of earlier snapshots are known.
type measuredApp struct {
	history checktest.History
	item    snapshot.Item
	limits  map[string]float64
}

func (m *measuredApp) measure(ago time.Duration, name string, v float64, life string) {
	metric := snapshot.Metric{Name: name, Value: v, Incarnation: life}
	if ago == 0 {
		m.item.Metrics = append(m.item.Metrics, metric)
	} else {
		m.history.Add(trendNow, ago, m.item.Key, metric)
	}
}

func (m *measuredApp) judge(t *testing.T, c *audit.Check) audit.Judgement {
	t.Helper()
	m.item.Sort()
	now := &snapshot.Snapshot{At: trendNow, Items: []*snapshot.Item{&m.item}, Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK}}}
	return audit.Judge([]*audit.Check{c}, &audit.World{Now: now, Before: snapshot.Nothing, History: &m.history, Limits: m.limits})
}

func newMeasuredApp() *measuredApp {
	return &measuredApp{item: snapshot.Item{Key: "pm2/api", Name: "api", Kind: "app", State: "online"}}
}

// leaking is an app that grows by 4 MB an hour, seen every quarter of an hour of
// its life; before that ran another process, which did not.
func leaking(hours float64) *measuredApp {
	m := newMeasuredApp()
	for i := 4 * 40; i >= 0; i-- {
		ago := time.Duration(i) * 15 * time.Minute
		if up := hours - ago.Hours(); up > 0 {
			m.measure(ago, "memory", (200+4*up)*(1<<20), "new")
		} else {
			m.measure(ago, "memory", 900*(1<<20), "old")
		}
	}
	m.item.Metrics = append(m.item.Metrics, snapshot.Metric{Name: "uptime", Value: hours * 3600})
	return m
}

func TestMemoryGrowing(t *testing.T) {
	t.Run("says_how_fast_and_until_when", func(t *testing.T) {
		m := leaking(38)
		m.item.Add(snapshot.Semantic, "max_memory_restart", snapshot.Number(400<<20))
		j := m.judge(t, checks.MemoryGrowing)
		if len(j.Findings) != 1 {
			t.Fatalf("%d findings", len(j.Findings))
		}
		const want = "api has grown from 256 MB to 352 MB in 24 hours without a restart, by 4.0 MB an hour; its limit of 400 MB is 12 hours away."
		if got := j.Findings[0].Message; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
	t.Run("without_a_limit", func(t *testing.T) {
		j := leaking(38).judge(t, checks.MemoryGrowing)
		if len(j.Findings) != 1 || !strings.HasSuffix(j.Findings[0].Message, "; no max_memory_restart ends that.") {
			t.Errorf("%+v", j.Findings)
		}
	})
	t.Run("a_process_of_fourteen_hours_is_seen_whole", func(t *testing.T) {
		if j := leaking(14).judge(t, checks.MemoryGrowing); len(j.Findings) != 1 {
			t.Errorf("%d findings", len(j.Findings))
		}
	})
	t.Run("seen_once_a_day", func(t *testing.T) {
		m := newMeasuredApp()
		for day := range 40 {
			up := 12 - float64(day)
			life, mb := "new", 200+10*up
			if up < 0 {
				life, mb = "old", 900
			}
			m.measure(time.Duration(day)*24*time.Hour, "memory", mb*(1<<20), life)
		}
		m.item.Metrics = append(m.item.Metrics, snapshot.Metric{Name: "uptime", Value: 12.5 * 86400})
		if j := m.judge(t, checks.MemoryGrowing); len(j.Findings) != 1 || !strings.Contains(j.Findings[0].Message, "in 12 days") {
			t.Errorf("%+v", j.Findings)
		}
	})
	t.Run("one_that_filled_its_caches_is_none", func(t *testing.T) {
		m := newMeasuredApp()
		for h := range 24 {
			up := 23 - float64(h)
			m.measure(time.Duration(h)*time.Hour, "memory", (200+20*min(up, 12)+up/100)*(1<<20), "1")
		}
		m.item.Metrics = append(m.item.Metrics, snapshot.Metric{Name: "uptime", Value: 23.5 * 3600})
		if j := m.judge(t, checks.MemoryGrowing); len(j.Findings) != 0 {
			t.Errorf("%+v", j.Findings)
		}
	})
	t.Run("one_of_eleven_is_too_young", func(t *testing.T) {
		if j := leaking(11).judge(t, checks.MemoryGrowing); len(j.Findings) != 0 {
			t.Errorf("%+v", j.Findings)
		}
	})
	t.Run("a_slow_drift_when_it_is_asked_for", func(t *testing.T) {
		m := newMeasuredApp()
		values := []float64{60, 61, 59, 60, 62, 58, 60, 61, 63, 64, 63, 65, 64, 64, 65}
		for i, v := range values {
			m.measure(time.Duration(len(values)-1-i)*time.Hour, "memory", v*(1<<20), "1")
		}
		m.item.Metrics = append(m.item.Metrics, snapshot.Metric{Name: "uptime", Value: 16 * 3600})
		if j := m.judge(t, checks.MemoryGrowing); len(j.Findings) != 0 {
			t.Errorf("unasked: %+v", j.Findings)
		}
		m.limits = map[string]float64{"pm2-memory-growing.drift": 5}
		if j := m.judge(t, checks.MemoryGrowing); len(j.Findings) != 1 || j.Findings[0].Title != "memory drifts upwards" {
			t.Errorf("asked: %+v", j.Findings)
		}
		m.limits["pm2-memory-growing.drift"] = 7
		if j := m.judge(t, checks.MemoryGrowing); len(j.Findings) != 0 {
			t.Errorf("asked for more: %+v", j.Findings)
		}
	})
}

// crashing is an app that crashed so often in each of the last days, today last.
func crashing(days ...int) *measuredApp {
	m := newMeasuredApp()
	n := 0.0
	for i, crashes := range days {
		for h := range 8 {
			if h > 0 && h <= crashes {
				n++
			}
			ago := time.Duration(len(days)-1-i)*24*time.Hour + time.Duration(7-h)*3*time.Hour
			m.measure(ago, "restarts", n, "1")
			m.measure(ago, "created", 5, "1")
		}
	}
	return m
}

func TestRestartRate(t *testing.T) {
	for _, c := range []struct {
		days   []int
		fires  bool
		doubts bool // it stays when it was found before
	}{
		{[]int{0, 1, 0, 0, 1, 0, 0, 6}, true, false},
		{[]int{0, 1, 0, 0, 1, 0, 0, 2}, false, false},
		{[]int{6, 6, 6, 6, 6, 6, 6, 6}, false, true},
		{[]int{0, 6}, false, true},
		{[]int{0, 0, 0, 6}, true, false},
	} {
		t.Run(fmt.Sprint(c.days), func(t *testing.T) {
			j := crashing(c.days...).judge(t, checks.RestartRate)
			if (len(j.Findings) == 1) != c.fires || (len(j.Doubts) == 1) != c.doubts {
				t.Errorf("%d findings, %d doubts", len(j.Findings), len(j.Doubts))
			}
			const want = "api crashed and was started again 6 times in the last 24 hours; 0 a day is usual."
			if c.fires && j.Findings[0].Message != want {
				t.Error(j.Findings[0].Message)
			}
		})
	}
	t.Run("without_a_history", func(t *testing.T) {
		m := crashing(6)
		m.history = checktest.History{}
		if j := m.judge(t, checks.RestartRate); len(j.Findings)+len(j.Doubts) != 0 {
			t.Errorf("%+v", j)
		}
	})
}

// counted counts what is asked of a history.
type counted struct {
	*checktest.History
	n atomic.Int64 // checks run side by side
}

func (c *counted) Metric(seq uint64, k snapshot.Key, name string) (snapshot.Metric, bool) {
	c.n.Add(1)
	return c.History.Metric(seq, k, name)
}

// What is as large as it was and does not crash costs a few looks back, not a hundred.
func TestTrendsAreCheap(t *testing.T) {
	m := newMeasuredApp()
	for i := range 4 * 24 * 9 {
		ago := time.Duration(i) * 15 * time.Minute
		m.measure(ago, "memory", (200+float64(i%7))*(1<<20), "1")
		m.measure(ago, "restarts", 12, "1")
		m.measure(ago, "created", 5, "1")
	}
	m.item.Metrics = append(m.item.Metrics, snapshot.Metric{Name: "uptime", Value: 9 * 86400})
	m.item.Sort()
	h := &counted{History: &m.history}
	now := &snapshot.Snapshot{At: trendNow, Items: []*snapshot.Item{&m.item}, Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK}}}
	j := audit.Judge([]*audit.Check{checks.MemoryGrowing, checks.RestartRate}, &audit.World{Now: now, Before: snapshot.Nothing, History: h})
	if len(j.Findings) != 0 || h.n.Load() > 10 {
		t.Errorf("%d findings, %d readings asked for", len(j.Findings), h.n.Load())
	}
}
