import catalogue from '../../server/lib/catalogue.js';

export const handler = async (event) => {
  const id = event.path.split('/').pop();
  const product = catalogue.findProduct(id);
  if (!product) return { statusCode: 404, body: 'no such product' };
  return { statusCode: 200, body: String(product.stock) };
};
