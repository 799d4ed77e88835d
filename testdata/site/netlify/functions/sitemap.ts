import type { Handler } from '@netlify/functions';

const pages = ['/', '/shop', '/delivery', '/contact'];

export const handler: Handler = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<urlset>${pages.map((p) => `<url><loc>https://fernhill.example${p}</loc></url>`).join('')}</urlset>`,
});
