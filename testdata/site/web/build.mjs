import { cp, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

await mkdir('dist', { recursive: true });
await cp('index.html', 'dist/index.html');
await cp('src', 'dist/src', { recursive: true });

if (process.argv.includes('--serve')) {
  createServer(async (req, res) => {
    const file = req.url === '/' ? '/index.html' : new URL(req.url, 'http://localhost').pathname;
    try {
      res.end(await readFile(`dist${file}`));
    } catch {
      res.writeHead(404).end();
    }
  }).listen(4000);
}
