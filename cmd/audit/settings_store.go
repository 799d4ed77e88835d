package main

import (
	"fmt"

	"healthaudit/snapshot/store"
)

// local refuses a store on a network file system, unless audit.yaml asks for it.
func (s *settings) local(a *App) error {
	name := store.Network(a.Store)
	if name == "" || s.file.Store.Network {
		return nil
	}
	return &usageError{fmt.Sprintf("the store %s would lie on a network file system (%s), where locks and mapped files cannot be relied on", a.Store, name),
		"name a store on a local disk: --store FILE\nor, where one machine alone uses it: store: {network: true} in audit.yaml"}
}
