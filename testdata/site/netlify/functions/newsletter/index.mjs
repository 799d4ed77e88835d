import { accept } from './address.mjs';

export default async (request) => {
  const form = await request.formData();
  const address = accept(form.get('email'));
  if (!address) return new Response('not an address', { status: 400 });
  return new Response(null, { status: 303, headers: { location: '/thanks' } });
};
