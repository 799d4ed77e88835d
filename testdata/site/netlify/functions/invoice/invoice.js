const { render } = require('./template');

exports.handler = async (event) => {
  const order = JSON.parse(event.body);
  return { statusCode: 200, headers: { 'content-type': 'text/html' }, body: render(order) };
};
