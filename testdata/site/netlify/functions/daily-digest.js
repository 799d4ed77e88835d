const { send } = require('../../server/lib/mail');

exports.handler = async () => {
  await send({ id: 'digest' });
  return { statusCode: 200 };
};
