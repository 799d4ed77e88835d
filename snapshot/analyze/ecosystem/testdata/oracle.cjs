// What PM2 itself makes of process files: node oracle.cjs PM2FOLDER < cases.
//
// It follows lib/API.js _startJson of 7.0.4 up to the point at which apps are
// started: parseConfig, the choice of apps, verifyConfs, static pages, and the
// two things without which prepareAppConf refuses an app.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');

const pm2 = process.argv[2];
const tracing = require.resolve(path.join(pm2, 'lib/OtelManager.js'));
require.cache[tracing] = { id: tracing, filename: tracing, loaded: true, exports: { ensureInstalled: () => true } }; // else npm install
const Common = require(path.join(pm2, 'lib/Common.js'));
os.cpus = () => [{}, {}]; // as many as the sandbox has

const quiet = () => {};
for (const k of Object.keys(console)) console[k] = quiet;
for (const k of Object.keys(process.env)) if (k.startsWith('PM2_') && k !== 'PM2_HOME') delete process.env[k];
process.env.PM2_SILENT = 'true';
process.exit = () => { throw new Error('exit'); };

function apps(c) {
  process.chdir(c.dir);
  const config = Common.parseConfig(fs.readFileSync(c.path), c.path);
  void config.deploy; // throws where there is no configuration
  let list = config.apps ? config.apps : config.pm2 ? config.pm2 : config;
  if (!Array.isArray(list)) list = [list];
  list = Common.verifyConfs(list);
  if (list instanceof Error) throw list;
  (config.static || []).forEach((s) => list.push({ name: s.name ? s.name : `static-page-server-${s.port}`, script: 'serve', static: true }));
  return list.map((a) => {
    if (!a.namespace) a.namespace = 'default';
    if (!a.script) throw new Error('No script path - aborting');
    if (!a.name) throw new TypeError("Cannot read properties of undefined (reading 'replace')");
    for (const k in a.env) if (typeof a.env[k] === 'object') a.env[k] = JSON.stringify(a.env[k]);
    return a;
  });
}

const out = JSON.parse(fs.readFileSync(0, 'utf8')).map((c) => {
  try {
    return { apps: apps(c) };
  } catch (e) {
    return { refused: String(e && e.message).slice(0, 200) };
  }
});
fs.writeSync(1, JSON.stringify(out));
