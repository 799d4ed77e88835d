const { products } = require('../../server/lib/catalogue');

exports.handler = async () => {
  const cheap = products().filter((p) => p.cents < 500);
  return { statusCode: 200, body: JSON.stringify(cheap.map((p) => p.id)) };
};

exports.config = { schedule: '5 * * * *' };
