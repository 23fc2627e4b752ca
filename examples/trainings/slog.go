// A descent that logs with log/slog, as text; with an argument, as JSON.
package main

import (
	"log/slog"
	"os"
)

func main() {
	var handler slog.Handler = slog.NewTextHandler(os.Stdout, nil)
	if len(os.Args) > 1 {
		handler = slog.NewJSONHandler(os.Stdout, nil)
	}
	log := slog.New(handler)
	weight := 4.0
	for epoch := 1; epoch <= 10; epoch++ {
		weight -= 0.1 * 2 * weight
		log.Info("epoch done", "epoch", epoch, "loss", weight*weight, "weight", weight)
	}
}
