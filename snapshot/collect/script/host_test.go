package script

import (
	"io/fs"

	"healthaudit/snapshot/host"
)

// noPython is a machine on which no program is found.
type noPython struct{ host.Host }

func (noPython) Look(string) (string, error) { return "", fs.ErrNotExist }
