// Writes the list of our functions for the status page, without a time stamp,
// so that it changes only when the list does.
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const folder = 'netlify/functions';
const names = new Set();
for (const entry of await readdir(folder, { withFileTypes: true })) {
  if (entry.isDirectory()) names.add(entry.name);
  else if (/\.[cm]?[jt]s$/.test(entry.name)) names.add(path.parse(entry.name).name);
}
const manifest = { functions: [...names].sort() };
await writeFile(`${folder}/functions-manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
