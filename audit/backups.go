package audit

import "time"

// Backups is what checks see of the archives of a project.
type Backups struct {
	Configured bool          // the configuration says something of archives
	At         Location      // where it does
	Failed     string        // why the archive of this run could not be made; empty when it could, or none was wanted
	Hint       string        // what to do about that
	Tried      bool          // whether Failed says anything: an archive was wanted, or every one that is wanted is there
	First      time.Time     // when the first archive was made; zero: there is none
	Drilled    time.Time     // when a drill last brought one back; zero: never
	Every      time.Duration // how often one should; 0: nobody asks
}
