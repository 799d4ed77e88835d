import { readFile } from 'node:fs/promises';

const pages = process.argv.slice(2);
let broken = 0;
for (const page of pages.length ? pages : ['web/index.html']) {
  const html = await readFile(page, 'utf8');
  for (const [, url] of html.matchAll(/href="(https?:[^"]+)"/g)) {
    const response = await fetch(url, { method: 'HEAD' });
    if (response.ok) continue;
    broken += 1;
    console.log(`${page}: ${url} ${response.status}`);
  }
}
process.exitCode = broken ? 1 : 0;
