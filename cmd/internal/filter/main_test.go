package filter

import (
	"os"
	"testing"

	"svinit/cmd/internal/difftest"
)

func TestMain(m *testing.M) { os.Exit(difftest.Main(m)) }
