// Evaluates one process file in real Node, as PM2 would, and writes what it
// declares behind a mark on standard output, where the file itself may write too.
'use strict';
const fs = require('fs'), vm = require('vm'), types = require('util').types;
const { path, json, mark, limit } = JSON.parse(fs.readFileSync(0, 'utf8'));
const { stringify } = JSON, { writeSync } = fs;
process.stdout.write = process.stderr.write = () => true; // console writes there

const isObject = (v) => v !== null && typeof v === 'object';
const block = (b) => {
  if (!isObject(b) || Array.isArray(b)) return b;
  const out = {};
  for (const k of Object.keys(b)) {
    if (isObject(b[k])) out[k] = stringify(b[k]); // as PM2 does, in the order of the file
    else if (typeof b[k] !== 'function') out[k] = b[k];
  }
  return out;
};
const app = (a) => {
  if (!isObject(a) || Array.isArray(a)) return a;
  const out = {};
  for (const k in a) out[k] = k === 'env' || /^env_\S*$/.test(k) ? block(a[k]) : a[k];
  return out;
};
const read = () => {
  const load = require('module').createRequire(path);
  let c = json ? vm.runInThisContext('(' + fs.readFileSync(path, 'utf8') + ')') : load(path), isDefault = false;
  if (isObject(c) && c['module.exports']) c = c['module.exports'];
  if (isObject(c) && !c.apps && !c.pm2 && c.default && (c.__esModule || types.isModuleNamespaceObject(c))) [c, isDefault] = [c.default, true];
  if (types.isPromise(c)) return { failed: 'exports a promise, for which PM2 does not wait' };
  if (typeof c === 'function') return { failed: 'exports a function, which PM2 does not call' };
  if (!isObject(c)) return { failed: 'exports no object' };
  const list = c.apps || c.pm2 || c;
  return { apps: Array.isArray(list) ? list.map(app) : app(list), static: c.static, default: isDefault };
};

let answer;
globalThis.__auditRead = () => {
  delete globalThis.__auditRead;
  answer = stringify(read());
};
try {
  vm.runInThisContext('__auditRead()', { timeout: limit });
} catch (e) {
  const word = (s) => (typeof s === 'string' && /^\w{1,60}$/.test(s) ? s : '');
  const why = word(e && (e.permission || e.code)), name = word(e && e.name) || 'a value that is no Error';
  const slow = e && e.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT', denied = e && e.code === 'ERR_ACCESS_DENIED';
  answer = stringify(slow ? { slow: true } : { failed: (denied ? 'wants what only PM2 may give it: ' : 'throws ' + name) + (denied ? why : why && ` (${why})`) });
}
let rest = Buffer.from('\n' + mark + answer + '\n');
while (rest.length > 0) {
  try {
    rest = rest.subarray(writeSync(1, rest));
  } catch (e) {
    if (e.code !== 'EAGAIN') break; // the pipe is full: it is being read
  }
}
process.reallyExit(0);
