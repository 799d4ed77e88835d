// The world of a process file: what Node offers, as far as it can be told
// without looking at the machine. Everything else is refused by name.
// In the other world (see varies.go) nothing that depends on the machine is the same.
(function (host, root, global, other) {
  'use strict';
  const quiet = () => undefined;
  const known = { NODE_ENV: 'production', HOME: '', USER: '', USERNAME: '', LOGNAME: '', PATH: '', PWD: '', SHELL: '', TMPDIR: '' };
  const env = new Proxy(Object.assign(Object.create(null), known), {
    get(t, k) { if (typeof k !== 'string') return undefined; host.read(k); return other ? 'other-' + k : t[k]; },
    has(t, k) { if (typeof k === 'string') host.read(k); return other || k in t; },
    ownKeys(t) { host.read('*'); return Reflect.ownKeys(t); },
  });
  const process = {
    env, argv: ['node', 'pm2'], execArgv: [], execPath: 'node', platform: 'linux', arch: 'x64', pid: 1, ppid: 0,
    version: 'v20.0.0', versions: { node: '20.0.0' }, release: { name: 'node' }, exitCode: undefined, title: 'pm2',
    cwd: () => root, uptime: () => 0, hrtime: () => [0, 0], memoryUsage: () => ({ rss: 0, heapUsed: 0, heapTotal: 0 }),
    getuid: () => 0, getgid: () => 0, umask: () => 18, nextTick: quiet, emitWarning: quiet,
    stdout: { write: () => true, isTTY: false }, stderr: { write: () => true, isTTY: false },
    exit: () => host.refuse('calls process.exit'), abort: () => host.refuse('calls process.abort'),
    kill: () => host.refuse('calls process.kill'), chdir: () => host.refuse('calls process.chdir'),
    binding: () => host.refuse('calls process.binding'), dlopen: () => host.refuse('calls process.dlopen'),
  };
  for (const k of ['on', 'once', 'off', 'emit', 'addListener', 'removeListener', 'removeAllListeners']) process[k] = () => process;

  const normalize = (p) => {
    p = String(p);
    if (p === '') return '.';
    const abs = p[0] === '/', tail = p.endsWith('/'), out = [];
    for (const s of p.split('/')) {
      if (s === '' || s === '.') continue;
      if (s === '..' && out.length && out[out.length - 1] !== '..') out.pop();
      else if (s !== '..' || !abs) out.push(s);
    }
    let r = out.join('/');
    if (!r && !abs) r = '.';
    if (r && tail) r += '/';
    return (abs ? '/' : '') + r;
  };
  const strip = (p) => (p.length > 1 && p.endsWith('/') ? p.slice(0, -1) : p);
  const text = (p) => { if (typeof p !== 'string') throw new TypeError('The "path" argument must be of type string'); return p; };
  const path = {
    sep: '/', delimiter: ':', normalize,
    join: (...a) => { const p = a.map(text).filter((x) => x !== '').join('/'); return p === '' ? '.' : normalize(p); },
    resolve: (...a) => {
      let r = '';
      for (let i = a.length - 1; i >= 0 && r[0] !== '/'; i--) if (text(a[i]) !== '') r = a[i] + (r === '' ? '' : '/' + r);
      if (r[0] !== '/') r = root + (r === '' ? '' : '/' + r);
      return strip(normalize(r));
    },
    isAbsolute: (p) => text(p)[0] === '/',
    dirname: (p) => { p = strip(text(p)); const i = p.lastIndexOf('/'); return i < 0 ? '.' : i === 0 ? '/' : strip(p.slice(0, i)); },
    basename: (p, ext) => { p = strip(text(p)); p = p.slice(p.lastIndexOf('/') + 1); return ext && p !== ext && p.endsWith(ext) ? p.slice(0, -ext.length) : p; },
    extname: (p) => { const b = path.basename(p), i = b.lastIndexOf('.'); return i <= 0 ? '' : b.slice(i); },
    relative: (a, b) => {
      const f = path.resolve(a).split('/').filter(Boolean), t = path.resolve(b).split('/').filter(Boolean);
      let i = 0;
      while (i < f.length && i < t.length && f[i] === t[i]) i++;
      return [...f.slice(i).map(() => '..'), ...t.slice(i)].join('/');
    },
    parse: (p) => { const base = path.basename(p), ext = path.extname(p); return { root: p[0] === '/' ? '/' : '', dir: path.dirname(p), base, ext, name: ext ? base.slice(0, -ext.length) : base }; },
    format: (o) => (o.dir ? o.dir + '/' : o.root || '') + (o.base || (o.name || '') + (o.ext || '')),
  };
  path.posix = path;
  path.default = path;

  const machine = (name, value) => () => {
    host.read('os.' + name);
    if (!other) return value;
    return typeof value === 'number' ? value + 1 : typeof value === 'string' ? 'other-' + name : Array.isArray(value) ? value.concat(value[0]) : new Proxy(value, { get: (t, k) => (typeof t[k] === 'string' ? 'other-' + String(k) : t[k]) });
  };
  const os = {
    EOL: '\n', constants: { signals: {} }, devNull: '/dev/null', platform: () => 'linux', type: () => 'Linux', arch: () => 'x64', tmpdir: () => '/tmp',
    cpus: machine('cpus', [{ model: '', speed: 0, times: {} }, { model: '', speed: 0, times: {} }]), availableParallelism: machine('cpus', 2),
    hostname: machine('hostname', 'localhost'), homedir: machine('homedir', ''), release: machine('release', ''), totalmem: machine('totalmem', 1 << 30),
    freemem: machine('freemem', 1 << 30), loadavg: machine('loadavg', [0, 0, 0]), uptime: machine('uptime', 0), networkInterfaces: machine('networkInterfaces', {}),
    userInfo: machine('userInfo', { username: '', uid: 0, gid: 0, shell: '', homedir: '' }),
  };
  os.default = os;
  const url = { fileURLToPath: (u) => String(u).replace(/^file:\/\//, ''), pathToFileURL: (p) => ({ href: 'file://' + p, toString: () => 'file://' + p }) };
  url.default = url;
  const util = { inspect: String, format: (...a) => a.map(String).join(' '), promisify: (f) => f, deprecate: (f) => f, types: {} };
  util.default = util;
  // The values of a .env file are never known here, as those of process.env are not.
  const parsed = () => (other ? new Proxy({}, { get: (t, k) => (typeof k === 'string' ? 'other-' + k : undefined) }) : {});
  const dotenv = { config: () => ({ parsed: parsed() }), parse: parsed, populate: quiet };
  dotenv.default = dotenv;

  const builtin = ['assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'console', 'crypto', 'dgram', 'diagnostics_channel', 'dns', 'domain', 'events', 'fs', 'fs/promises', 'http', 'http2', 'https',
    'inspector', 'net', 'perf_hooks', 'punycode', 'querystring', 'readline', 'repl', 'stream', 'string_decoder', 'timers', 'tls', 'tty', 'v8', 'vm', 'wasi', 'worker_threads', 'zlib'];
  // A module may be required without harm; calling what it offers is refused.
  const refusing = (name) => new Proxy(function () {}, {
    get(t, k) {
      if (typeof k === 'symbol' || k === '__esModule' || k === 'then' || k === 'toJSON') return undefined;
      if (k === 'default') return refusing(name);
      return refusing(name + '.' + k);
    },
    apply() { host.refuse('calls ' + name); },
    construct() { host.refuse('calls new ' + name); return {}; },
  });

  const requireFrom = (from) => {
    const require = (name) => {
      name = String(name);
      if (name === '.' || name === '..' || name.startsWith('./') || name.startsWith('../') || name.startsWith(root + '/')) return host.load(from, name);
      const bare = name.replace(/^node:/, '');
      switch (bare) {
        case 'path': case 'path/posix': return path;
        case 'os': return os;
        case 'url': return url;
        case 'util': return util;
        case 'process': return process;
        case 'module': return { createRequire: () => require, builtinModules: builtin };
        case 'dotenv': case 'dotenv-flow': if (bare === name) { host.read('.env'); return dotenv; } break;
        case 'dotenv/config': host.read('.env'); return {};
      }
      if (builtin.includes(bare)) return refusing(bare);
      return host.refuse(name[0] === '/' ? 'requires an absolute path' : 'needs the package ' + name);
    };
    require.resolve = (name) => { if (name[0] === '.') { host.load(from, name); return path.resolve(root, path.dirname(from), name); } return host.refuse('resolves the package ' + name); };
    require.cache = {};
    require.extensions = {};
    require.main = undefined;
    return require;
  };

  const console = {};
  for (const k of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table', 'time', 'timeEnd', 'group', 'groupEnd', 'assert']) console[k] = quiet;
  Object.assign(global, { process, console, global, setTimeout: quiet, setInterval: quiet, setImmediate: quiet, clearTimeout: quiet, clearInterval: quiet, clearImmediate: quiet, queueMicrotask: quiet });
  for (const k of ['fetch', 'WebSocket', 'XMLHttpRequest']) global[k] = () => host.refuse('calls ' + k);
  // What Node has and the sandbox lacks (https://nodejs.org/api/globals.html): not "not defined".
  for (const k of ['AbortController', 'AbortSignal', 'Atomics', 'Blob', 'BroadcastChannel', 'Buffer', 'CustomEvent', 'DOMException', 'Event', 'EventTarget', 'File', 'FinalizationRegistry', 'FormData', 'Headers',
    'Intl', 'MessageChannel', 'MessageEvent', 'MessagePort', 'Request', 'Response', 'ReadableStream', 'SharedArrayBuffer', 'TextDecoder', 'TextEncoder', 'TransformStream', 'URL', 'URLSearchParams',
    'WeakRef', 'WebAssembly', 'WritableStream', 'atob', 'btoa', 'crypto', 'performance', 'structuredClone'].filter((k) => !(k in global))) {
    Object.defineProperty(global, k, { configurable: true, get: () => host.refuse('uses ' + k), set: (v) => { Object.defineProperty(global, k, { value: v, writable: true, configurable: true }); } });
  }
  global.require = requireFrom('.');
  return requireFrom;
})
