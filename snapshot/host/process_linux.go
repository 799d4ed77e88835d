package host

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Processes reads /proc. Processes that end meanwhile are left out.
func (o *OS) Processes(titled func(pid int, name string) bool) ([]Process, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	names, err := proc.Readdirnames(-1)
	proc.Close()
	if err != nil {
		return nil, err
	}
	boot := bootTime()
	page := int64(os.Getpagesize())
	buf := make([]byte, 4096)
	var out []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		dir := "/proc/" + name
		stat := slurp(dir+"/stat", &buf)
		p, kernel, ok := parseStat(stat, page)
		if !ok {
			continue
		}
		p.PID = pid
		if !boot.IsZero() {
			p.StartTime = boot.Add(time.Duration(p.Start) * ClockTick)
		}
		if !kernel && titled != nil && titled(pid, commandName(stat)) {
			title := slurp(dir+"/cmdline", &buf)
			p.Title = strings.TrimRight(string(bytes.ReplaceAll(title, []byte{0}, []byte{' '})), " ")
		}
		out = append(out, p)
	}
	return out, nil
}

// commandName returns what stands in parentheses in /proc/PID/stat.
func commandName(stat []byte) string {
	_, rest, _ := bytes.Cut(stat, []byte("("))
	return string(rest[:max(bytes.LastIndexByte(rest, ')'), 0)])
}

// Program reads a link of /proc.
func (o *OS) Program(pid int) string {
	exe, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return exe
}

// maxSlurp bounds what is read of one file of /proc: a command line may have
// megabytes.
const maxSlurp = 256 << 10

// slurp reads a file of /proc into a buffer that it may make larger; the result
// is valid until the next call. Of what cannot be read it returns nothing. An
// os.File would cost twice the system calls, of which an audit of a few apps
// mostly consists, and so would asking for the end: the kernel fills the buffer
// as far as there is anything (fs/proc/base.c proc_pid_cmdline_read, fs/seq_file.c).
func slurp(path string, buf *[]byte) []byte {
	fd, err := again(func() (int, error) { return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) })
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	for n := 0; ; {
		if n == len(*buf) {
			if n >= maxSlurp {
				return (*buf)[:n]
			}
			*buf = append(*buf, make([]byte, n)...)
		}
		got, err := again(func() (int, error) { return syscall.Read(fd, (*buf)[n:]) })
		if n += max(got, 0); err != nil || n < len(*buf) {
			return (*buf)[:n]
		}
	}
}

// again repeats a system call that a signal interrupted.
func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); err != syscall.EINTR {
			return n, err
		}
	}
}

// kernelThread is PF_KTHREAD of linux/sched.h: such a process has neither a
// command line nor a program.
const kernelThread = 0x00200000

// parseStat reads the fields of /proc/PID/stat that follow the command's name,
// which may itself hold spaces and parentheses (proc_pid_stat(5)).
func parseStat(b []byte, page int64) (p Process, kernel, ok bool) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return Process{}, false, false
	}
	var f [25]uint64 // by their numbers, of which 3 is the first; signs are of no concern
	n := 2
	space := true
	for _, c := range b[i+1:] {
		blank := c == ' ' || c == '\n'
		if space && !blank {
			n++
		}
		if space = blank; n == len(f) {
			break
		}
		if c >= '0' && c <= '9' {
			f[n] = f[n]*10 + uint64(c-'0')
		}
	}
	if n < len(f)-1 {
		return Process{}, false, false
	}
	return Process{
		PPID:   int(f[4]),
		CPU:    f[14] + f[15],
		Reaped: f[16] + f[17],
		Start:  f[22],
		RSS:    int64(f[24]) * page,
	}, f[9]&kernelThread != 0, true
}

func bootTime() time.Time {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}
	}
	_, rest, ok := bytes.Cut(b, []byte("\nbtime "))
	if !ok {
		return time.Time{}
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	sec, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
