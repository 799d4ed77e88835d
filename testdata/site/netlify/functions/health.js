exports.handler = async () => ({
  statusCode: 200,
  headers: { 'cache-control': 'no-store' },
  body: JSON.stringify({ ok: true, commit: process.env.COMMIT_REF || null }),
});
