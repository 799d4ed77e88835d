import type { Config, Context } from '@netlify/functions';

interface Status {
  id: string;
  state: 'received' | 'packed' | 'sent';
}

export default async (_request: Request, context: Context): Promise<Response> => {
  const id = context.params.id;
  if (!/^[0-9]{6,10}$/.test(id)) return new Response('not an order number', { status: 400 });
  const status: Status = { id, state: 'received' };
  return Response.json(status);
};

export const config: Config = {
  path: '/api/orders/:id',
};
