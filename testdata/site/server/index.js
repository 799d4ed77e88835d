const express = require('express');
const { products, findProduct } = require('./lib/catalogue');
const { priceOf } = require('./lib/cart');

const app = express();
app.use(express.json({ limit: '64kb' }));

app.get('/healthz', (_req, res) => res.json({ ok: true }));

app.get('/api/products', (_req, res) => res.json(products()));

app.get('/api/products/:id', (req, res) => {
  const product = findProduct(req.params.id);
  if (!product) return res.status(404).json({ error: 'no such product' });
  return res.json(product);
});

app.post('/api/cart/price', (req, res) => {
  try {
    res.json({ total: priceOf(req.body.lines || []) });
  } catch (err) {
    res.status(400).json({ error: err.message });
  }
});

const server = app.listen(process.env.PORT || 3000, () => {
  if (process.send) process.send('ready');
});

process.on('SIGINT', () => server.close(() => process.exit(0)));
