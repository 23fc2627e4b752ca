// Pushes metrics with Go's standard library.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	for step := 1; step <= 3; step++ {
		body := fmt.Sprintf(`{"loss": %g, "step": %d}`, 1/float64(step), step)
		response, err := http.Post(os.Getenv("TRIALWATCH_METRICS_URL"), "application/json", strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			log.Fatal(string(answer))
		}
	}
}
