// An application in Go with database/sql on lib/pq or pgx, or with pgxpool.
//
// go_app pq|pgx|pgxpool MODE CALLERS SECONDS [SETTING=VALUE...]
// callers.py says how it is called. The settings of pgxpool are those of client_config('pgx'). Those of
// database/sql are methods, so the test writes a function configure(); a number of connections replaces it. Modes: work; transfer (two rows of the table entry that must both be
// there, or none); burst.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	_ "github.com/jackc/pgx/v4/stdlib"
	"github.com/lib/pq"
)

const burst = 3 * time.Second

// What a call does; both kinds of pool have it.
type pool interface {
	work(ctx context.Context) error
	transfer(ctx context.Context) error
}

var (
	seconds float64
	counts  = struct {
		sync.Mutex
		Done     []int          `json:"done"`
		Errors   map[string]int `json:"errors"`
		paused   bool
		deadline time.Duration
	}{Errors: map[string]int{}}
)

const (
	sleeping = "SELECT pg_sleep($1)"
	entry    = "INSERT INTO entry (amount) VALUES ($1)"
)

type sqlPool struct{ db *sql.DB }

func (p sqlPool) work(ctx context.Context) error {
	_, err := p.db.ExecContext(ctx, sleeping, seconds)
	return err
}

func (p sqlPool) transfer(ctx context.Context) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err = tx.ExecContext(ctx, entry, -1); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, sleeping, seconds); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, entry, 1); err != nil {
		return err
	}
	return tx.Commit()
}

type pgxPool struct{ pool *pgxpool.Pool }

func (p pgxPool) work(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, sleeping, seconds)
	return err
}

func (p pgxPool) transfer(ctx context.Context) error {
	return p.pool.BeginFunc(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, entry, -1); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sleeping, seconds); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, entry, 1)
		return err
	})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(driver string, settings []string) pool {
	if driver == "pgxpool" {
		opened, err := pgxpool.Connect(context.Background(), strings.Join(settings, " "))
		check(err)
		return pgxPool{opened}
	}
	source := ""
	if driver == "pq" {
		driver = "postgres"
		source = "sslmode=disable"
	}
	db, err := sql.Open(driver, source)
	check(err)
	if len(settings) == 0 {
		configure(db)
	} else {
		most, err := strconv.Atoi(settings[0])
		check(err)
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
	}
	return sqlPool{db}
}

// The kind, and the SQLSTATE or what it says.
func nameOf(err error) string {
	var ofPq *pq.Error
	var ofPgx *pgconn.PgError
	if errors.As(err, &ofPq) {
		return "pq.Error " + string(ofPq.Code)
	}
	if errors.As(err, &ofPgx) {
		return "pgconn.PgError " + ofPgx.Code
	}
	return fmt.Sprintf("%T %v", err, err)
}

func repeat(call func(context.Context) error, caller int, bursts bool) {
	started := time.Now()
	for {
		if bursts && caller > 0 && time.Since(started) > burst {
			return
		}
		counts.Lock()
		paused, deadline := counts.paused, counts.deadline
		counts.Unlock()
		if paused {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		if deadline > 0 {
			ctx, cancel = context.WithTimeout(context.Background(), deadline)
		}
		err := call(ctx)
		cancel()
		counts.Lock()
		if err == nil {
			counts.Done[caller]++
			counts.Unlock()
			continue
		}
		name := nameOf(err)
		if counts.Errors[name] == 0 {
			fmt.Fprintln(os.Stderr, name)
		}
		counts.Errors[name]++
		counts.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}

func main() {
	driver, mode := os.Args[1], os.Args[2]
	callers, err := strconv.Atoi(os.Args[3])
	check(err)
	seconds, err = strconv.ParseFloat(os.Args[4], 64)
	check(err)
	opened := open(driver, os.Args[5:])
	call := opened.work
	if mode == "transfer" {
		call = opened.transfer
	}
	counts.Done = make([]int, callers)
	for caller := 0; caller < callers; caller++ {
		go repeat(call, caller, mode == "burst")
	}

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command := strings.Fields(lines.Text())
		counts.Lock()
		switch command[0] {
		case "pause":
			counts.paused = true
		case "resume":
			counts.paused = false
		case "deadline":
			given, err := strconv.ParseFloat(command[1], 64)
			check(err)
			counts.deadline = time.Duration(given * float64(time.Second))
		}
		line, err := json.Marshal(&counts)
		counts.Unlock()
		check(err)
		fmt.Println(string(line))
	}
}
