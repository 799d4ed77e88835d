package pipeline

import "time"

// A Watcher is told how far a run is. Steps are its stages and, within the stage
// "collect", the systems that are read, several at once: its methods are called
// side by side, and the run waits for them.
type Watcher interface {
	// Begin is told that a step begins. Read says how many files have been looked
	// at so far; it may be called at any time until the run ends.
	Begin(step string, read func() int)
	// End is told that a step ended, and how long it took.
	End(step string, took time.Duration)
}

// stageOf runs one stage, before the eyes of the watcher.
func (s *session) stageOf(name string, run func() error) error {
	start := s.Host.Now()
	s.begin(name)
	err := run()
	s.end(name, s.Host.Now().Sub(start))
	return err
}

func (s *session) begin(step string) {
	if s.Watch == nil {
		return
	}
	read := func() int { return 0 }
	if c := s.capture; c != nil {
		read = c.Count
	}
	s.Watch.Begin(step, read)
}

func (s *session) end(step string, took time.Duration) {
	if s.Watch != nil {
		s.Watch.End(step, took)
	}
}
