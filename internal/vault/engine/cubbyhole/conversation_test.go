package cubbyhole_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/cubbyhole"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/conversation"
)

func TestConversations(t *testing.T) { conversation.Run(t, cubbyhole.New) }
