function escape(text) {
  return String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

exports.render = (order) => `<h1>Invoice ${escape(order.id)}</h1><p>${escape(order.name)}</p>`;
