package vaultcmd

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// sealStatus is what sys/seal-status answers, with what sys/leader adds, in the order in which it is printed as JSON.
type sealStatus struct {
	Type             string   `json:"type"`
	Initialized      bool     `json:"initialized"`
	Sealed           bool     `json:"sealed"`
	T                int      `json:"t"`
	N                int      `json:"n"`
	Progress         int      `json:"progress"`
	Nonce            string   `json:"nonce"`
	Version          string   `json:"version"`
	BuildDate        string   `json:"build_date"`
	Migration        bool     `json:"migration"`
	ClusterName      string   `json:"cluster_name,omitempty"`
	ClusterID        string   `json:"cluster_id,omitempty"`
	RecoverySeal     bool     `json:"recovery_seal"`
	RecoverySealType string   `json:"recovery_seal_type,omitempty"`
	StorageType      string   `json:"storage_type,omitempty"`
	Warnings         []string `json:"warnings,omitempty"`
	leader
}

type leader struct {
	HAEnabled            bool      `json:"ha_enabled"`
	IsSelf               bool      `json:"is_self,omitempty"`
	ActiveTime           time.Time `json:"active_time"`
	LeaderAddress        string    `json:"leader_address,omitempty"`
	LeaderClusterAddress string    `json:"leader_cluster_address,omitempty"`
}

func statusSpec() spec {
	return spec{
		use: "status", short: "Show whether a server is sealed", format: true,
		long: "whether it is initialized and sealed. Its exit status is 0 if unsealed, 2 if sealed and 1 if there is no answer.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return broken(err, "Error checking seal status")
			}
			client.SetNamespace("")
			var st sealStatus
			if err := client.JSON(c.ctx, vaultclient.Request{Method: http.MethodGet, Path: "sys/seal-status"}, &st); err != nil {
				return onThisSide(refused(err, "Error checking seal status"))
			}
			if err := c.sealStatus(client, st); err != nil {
				return onThisSide(err)
			}
			if st.Sealed {
				return &Exit{Status: exitServer}
			}
			return nil
		},
	}
}

// onThisSide makes the status of an error 1, where 2 has another meaning.
func onThisSide(err error) error {
	if exit, ok := err.(*Exit); ok { //nolint:errorlint // just made
		return &Exit{Status: exitUsage, text: exit.text, cause: exit.cause}
	}
	return err
}

// sealStatus adds who leads, and prints.
func (c *call) sealStatus(client *vaultclient.Client, st sealStatus) error {
	err := client.Live().JSON(c.ctx, vaultclient.Request{Method: http.MethodGet, Path: "sys/leader"}, &st.leader)
	switch {
	case err != nil && strings.Contains(err.Error(), "Vault is sealed"):
		st.leader = leader{HAEnabled: true}
	case err != nil:
		return broken(err, "Error checking leader status")
	}
	if c.format != asTable {
		return c.document(st)
	}
	return c.table(keyValue(), st.rows())
}

func (st sealStatus) rows() [][]string {
	var rows [][]string
	add := func(key string, value any) { rows = append(rows, []string{key, fmt.Sprint(value)}) }
	shares := "Total Shares"
	add("Seal Type", st.Type)
	if st.RecoverySeal {
		shares = "Total Recovery Shares"
		add("Recovery Seal Type", st.RecoverySealType)
	}
	add("Initialized", st.Initialized)
	add("Sealed", st.Sealed)
	add(shares, st.N)
	add("Threshold", st.T)
	if st.Sealed {
		add("Unseal Progress", strconv.Itoa(st.Progress)+"/"+strconv.Itoa(st.T))
		add("Unseal Nonce", st.Nonce)
	}
	if st.Migration {
		add("Seal Migration in Progress", true)
	}
	add("Version", st.Version)
	add("Build Date", st.BuildDate)
	add("Storage Type", st.StorageType)
	if st.ClusterName != "" && st.ClusterID != "" {
		add("Cluster Name", st.ClusterName)
		add("Cluster ID", st.ClusterID)
	}
	add("HA Enabled", st.HAEnabled)
	rows = append(rows, st.leaderRows()...)
	if len(st.Warnings) > 0 {
		add("Warnings", st.Warnings)
	}
	return rows
}

func (st sealStatus) leaderRows() [][]string {
	switch {
	case !st.HAEnabled || st.Sealed:
		return nil
	case !st.IsSelf:
		return [][]string{{"HA Cluster", st.LeaderClusterAddress}, {"HA Mode", "standby"}, {"Active Node Address", first(st.LeaderAddress, "<none>")}}
	}
	rows := [][]string{{"HA Cluster", st.LeaderClusterAddress}, {"HA Mode", "active"}}
	if !st.ActiveTime.IsZero() {
		rows = append(rows, []string{"Active Since", st.ActiveTime.Format(time.RFC3339Nano)})
	}
	return rows
}
