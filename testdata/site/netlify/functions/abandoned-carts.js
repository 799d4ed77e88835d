const { schedule } = require('@netlify/functions');
const { pendingMails, send } = require('../../server/lib/mail');

// One reminder, in the early evening, for carts left for a day.
exports.handler = schedule('20 17 * * *', async () => {
  for (const mail of await pendingMails()) await send(mail);
  return { statusCode: 200 };
});
