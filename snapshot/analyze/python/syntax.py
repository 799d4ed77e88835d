import json, sys, warnings
try:
    from _signal import setitimer, ITIMER_PROF  # its signal ends the process, also within compile
except ImportError:
    setitimer = None
warnings.simplefilter("ignore")
limit = float(sys.argv[1])
source, out = sys.stdin.buffer, sys.stdout
out.write("%d.%d.%d\n" % sys.version_info[:3])
out.flush()
while True:
    head = source.readline()
    if not head:
        break
    text = source.read(int(head))
    found = None
    if setitimer:
        setitimer(ITIMER_PROF, limit)
    try:
        compile(text, "script", "exec", dont_inherit=True)  # never executed
    except SyntaxError as e:
        found = [e.lineno or 1, e.offset or 1, (e.msg or "invalid syntax").split("\n")[0]]
    except ValueError as e:
        found = [1, 1, str(e).split("\n")[0]]
    except (RecursionError, MemoryError):
        found = [1, 1, "nested too deeply to be read"]
    out.write(json.dumps(found) + "\n")
    out.flush()
