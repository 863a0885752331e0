package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// write leaves raw rounds, picture and page in a folder.
func write(dir string, r *Results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"load.json": string(raw) + "\n", "load.md": page(r), "load.svg": plot(r)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
