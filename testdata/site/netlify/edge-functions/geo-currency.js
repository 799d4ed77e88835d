const currencies = { GB: 'GBP', US: 'USD', CH: 'CHF' };

export default async (request, context) => {
  const response = await context.next();
  response.headers.set('x-currency', currencies[context.geo?.country?.code] ?? 'EUR');
  return response;
};
