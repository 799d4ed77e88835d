//go:build unix

package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot"
)

const childEnv = "STORE_TEST_CHILD"

// TestMain lets the test binary play the processes that the tests kill.
func TestMain(m *testing.M) {
	job, path, _ := strings.Cut(os.Getenv(childEnv), " ")
	switch job {
	case "":
		os.Exit(m.Run())
	case "write":
		childWrite(path)
	case "fill":
		childFill(path)
	case "lock":
		childLock(path)
	case "shrinkblob":
		childShrinkBlob(path)
	case "shrink":
		childShrink(path)
	case "wait":
		fmt.Println("waiting")
		os.Stdin.Read(make([]byte, 1))
	}
}

// child starts the test binary on a job and returns its output, line by line.
func child(t *testing.T, job, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), childEnv+"="+job+" "+path)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c, bufio.NewScanner(out)
}

// childWrite commits snapshots for ever and says each one's number when it is safe.
func childWrite(path string) {
	s, err := Open(path, Options{Create: true, Now: noon})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	r := mrand.New(mrand.NewPCG(1, uint64(os.Getpid())))
	for {
		var seq uint64
		err := s.Update(func(tx *Tx) error {
			seq, err = tx.AppendSnapshot(Header{ID: fmt.Sprintf("01KILL%d-%d", os.Getpid(), tx.Seq()), At: noon})
			for range 40 {
				id := fmt.Sprint("id", r.IntN(500))
				err = errors.Join(err, tx.Table("item").Put(seq, id, bytes.Repeat([]byte(id), r.IntN(300))))
			}
			b := []byte(fmt.Sprint("blob", r.Uint64()))
			_, jerr := tx.AppendJournal(b, 0)
			return errors.Join(err, jerr, tx.PutBlob(snapshot.Sum(b), b, ""), tx.PutObs(seq, "x", b))
		})
		if err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println(seq)
	}
}

func TestKill(t *testing.T) {
	r := random(t)
	path, acked := "", uint64(0)
	for trial := range 20 {
		if trial%5 == 0 { // also while the store is being made
			path, acked = newPath(t), 0
		}
		c, out := child(t, "write", path)
		for range r.IntN(12) {
			out.Scan()
			n, err := strconv.ParseUint(out.Text(), 10, 64)
			if err != nil {
				t.Fatalf("child: %s", out.Text())
			}
			acked = n
		}
		time.Sleep(time.Duration(r.IntN(8000)) * time.Microsecond)
		c.Process.Kill()
		for out.Scan() { // what it reported before it died counts
			if n, err := strconv.ParseUint(out.Text(), 10, 64); err == nil {
				acked = n
			}
		}
		c.Wait()
		s, err := Open(path, Options{})
		if acked == 0 && errors.Is(err, ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		verified(t, s)
		view(t, s, func(tx *Tx) error {
			if tx.Seq() < acked || tx.Seq() > acked+1 {
				t.Errorf("trial %d: snapshot %d was reported, the newest is %d", trial, acked, tx.Seq())
			}
			acked = tx.Seq()
			return nil
		})
		if acked > 5 && restsIn(t, s) == 0 {
			t.Error("no version is kept as a difference")
		}
		s.Close()
	}
}

// childFill writes until the file may grow no more, and looks whether it still reads.
func childFill(path string) {
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		fmt.Println("setrlimit:", err)
		return
	}
	s, err := Open(path, Options{})
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	var seq uint64
	for err == nil {
		err = s.Update(func(tx *Tx) error {
			seq, err = tx.AppendSnapshot(Header{ID: fmt.Sprint("01FULL", tx.Seq()), At: noon})
			b := make([]byte, 50000)
			mrand.NewChaCha8([32]byte{byte(seq)}).Read(b)
			return errors.Join(err, tx.PutBlob(snapshot.Sum(b), b, ""))
		})
	}
	fmt.Println("full:", err)
	err = s.View(func(tx *Tx) error {
		if tx.Seq() != seq-1 {
			return fmt.Errorf("newest is %d, %d was not kept", tx.Seq(), seq)
		}
		return nil
	})
	small := s.Update(func(tx *Tx) error { return tx.PutMeta("m", []byte("small")) })
	fmt.Println("then:", err, small, s.Close())
}

func TestFullDisk(t *testing.T) {
	s := create(t)
	s.Close()
	c, out := child(t, "fill", s.Path())
	var lines []string
	for out.Scan() {
		lines = append(lines, out.Text())
	}
	c.Wait()
	want := "full: write store " + s.Path() + ": "
	if len(lines) != 2 || !strings.HasPrefix(lines[0], want) || !strings.HasSuffix(lines[0], "file too large") || lines[1] != "then: <nil> <nil> <nil>" {
		t.Fatalf("child said %q", lines)
	}
	s = mustOpen(t, s.Path(), Options{})
	verified(t, s)
	view(t, s, func(tx *Tx) error {
		if tx.Seq() < 5 || string(tx.Meta("m")) != "small" {
			t.Errorf("%d snapshots, meta %q", tx.Seq(), tx.Meta("m"))
		}
		return nil
	})
}

// childShrink reads a store that another program cut off while it was mapped:
// first amid a value, then amid the pages.
func childShrink(path string) {
	b, _ := os.ReadFile(path)
	s, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	tx, _ := s.Begin()
	var c *CorruptError
	for i := 2; i < len(b)/pageSize; i++ {
		if p := parsePage(b[i*pageSize:]); p.flags == flagLeaf && p.id == uint64(i) && p.overflow > 5 {
			os.Truncate(path, int64(i+2)*pageSize)
		}
	}
	_, err = tx.Obs(1, "big")
	fmt.Println(errors.As(err, &c))
	os.Truncate(path, 2*pageSize)
	_, _, _, err = tx.Table("item").At(1, "id")
	fmt.Println(errors.As(err, &c))
	fmt.Println(errors.As(s.View(func(tx *Tx) error { _, _, err := tx.Header(1); return err }), &c))
}

// childShrinkBlob does so amid a blob, of which its row checks the head alone, and reads
// it in a goroutine of its own, which no View guards.
func childShrinkBlob(path string) {
	s, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	tx, _ := s.Begin()
	b, _ := os.ReadFile(path)
	for i := 2; i < len(b)/pageSize; i++ {
		if p := parsePage(b[i*pageSize:]); p.flags == flagLeaf && p.id == uint64(i) && p.overflow > 5 {
			os.Truncate(path, int64(i+2)*pageSize)
			break
		}
	}
	var c *CorruptError
	done := make(chan error)
	go func() {
		_, err := tx.Blob(snapshot.Sum(noise()))
		done <- err
	}()
	fmt.Println(errors.As(<-done, &c))
}

func TestFaultInABlobIsAnError(t *testing.T) {
	s := create(t)
	update(t, s, func(tx *Tx) error { return tx.PutBlob(snapshot.Sum(noise()), noise(), "") })
	s.Close()
	_, out := child(t, "shrinkblob", s.Path())
	if out.Scan(); out.Text() != "true" {
		t.Errorf("child said %q", out.Text())
	}
}

// noise is what no compression makes shorter.
func noise() []byte {
	b := make([]byte, 100000)
	mrand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func TestFaultInTheMapIsAnError(t *testing.T) {
	s := create(t)
	bigTable(t, s)
	update(t, s, func(tx *Tx) error { return tx.PutObs(1, "big", noise()) })
	s.Close()
	_, out := child(t, "shrink", s.Path())
	for range 3 {
		if out.Scan(); out.Text() != "true" {
			t.Errorf("child said %q", out.Text())
		}
	}
}

// childLock takes the run lock, starts a process of its own and waits to be killed.
func childLock(path string) {
	l, err := Lock(path, LockOptions{Now: noon, Host: "ada", Command: "audit run"})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	defer l.Unlock()
	exe, _ := os.Executable()
	c := exec.Command(exe)
	c.Env = append(os.Environ(), childEnv+"=wait")
	in, _ := c.StdinPipe()
	out, _ := c.StdoutPipe()
	if err := c.Start(); err != nil {
		fmt.Println("error", err)
		return
	}
	bufio.NewScanner(out).Scan()
	fmt.Println(c.Process.Pid)
	os.Stdin.Read(make([]byte, 1))
	time.Sleep(time.Minute)
	in.Close()
}

func TestLock(t *testing.T) {
	t.Run("names its holder", func(t *testing.T) {
		path := newPath(t)
		o := LockOptions{Now: noon, Host: "ada", Command: "audit run"}
		l, err := Lock(path, o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Lock(path, o)
		var b *BusyError
		want := Holder{os.Getpid(), "ada", noon, "audit run"}
		if !errors.As(err, &b) || b.Holder != want || b.Path != filepath.Join(filepath.Dir(path), "audit.lock") {
			t.Fatalf("got %v (%+v)", err, b)
		}
		if fi, _ := os.Stat(b.Path); fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", fi.Mode())
		}
		if err := errors.Join(l.Unlock(), l.Unlock()); err != nil {
			t.Fatal(err)
		}
		l, err = Lock(path, o)
		if err != nil {
			t.Fatal(err)
		}
		l.Unlock()
	})
	t.Run("waits for its turn", func(t *testing.T) {
		path := newPath(t)
		l, err := Lock(path, LockOptions{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := Lock(path, LockOptions{Wait: 50 * time.Millisecond}); err == nil || time.Since(start) < 50*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		got := make(chan error, 1)
		go func() {
			l, err := Lock(path, LockOptions{Wait: 10 * time.Second})
			if err == nil {
				err = l.Unlock()
			}
			got <- err
		}()
		l.Unlock()
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
	t.Run("dies with its process and is not inherited", func(t *testing.T) {
		path := newPath(t)
		c, out := child(t, "lock", path)
		out.Scan()
		grandchild, err := strconv.Atoi(out.Text())
		if err != nil {
			t.Fatalf("child said %q", out.Text())
		}
		t.Cleanup(func() { syscall.Kill(grandchild, syscall.SIGKILL) })
		var b *BusyError
		if _, err := Lock(path, LockOptions{}); !errors.As(err, &b) || b.Holder.PID != c.Process.Pid {
			t.Fatalf("held by the child: %v", err)
		}
		c.Process.Kill()
		c.Wait()
		if err := syscall.Kill(grandchild, 0); err != nil {
			t.Fatalf("the grandchild is gone: %v", err)
		}
		l, err := Lock(path, LockOptions{Wait: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		l.Unlock()
	})
	t.Run("refuses a link", func(t *testing.T) {
		path := newPath(t)
		os.Mkdir(filepath.Dir(path), 0o700)
		os.Symlink(filepath.Join(t.TempDir(), "x"), LockPath(path))
		if _, err := Lock(path, LockOptions{}); err == nil {
			t.Error("no error")
		}
	})
}
