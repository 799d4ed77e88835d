const { findProduct } = require('./catalogue');

// priceOf returns the total of the lines in cents.
function priceOf(lines) {
  return lines.reduce((sum, line) => {
    const product = findProduct(line.id);
    if (!product) throw new Error(`no such product: ${line.id}`);
    if (!Number.isInteger(line.quantity) || line.quantity < 1) throw new Error(`bad quantity of ${line.id}`);
    return sum + product.cents * line.quantity;
  }, 0);
}

module.exports = { priceOf };
