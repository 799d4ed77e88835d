const { priceOf } = require('../../server/lib/cart');

exports.handler = async (event) => {
  if (event.httpMethod !== 'POST') return { statusCode: 405, body: 'POST only' };
  try {
    const { lines } = JSON.parse(event.body);
    return { statusCode: 200, body: JSON.stringify({ total: priceOf(lines) }) };
  } catch (err) {
    return { statusCode: 400, body: JSON.stringify({ error: err.message }) };
  }
};
