const test = require('node:test');
const assert = require('node:assert/strict');
const { priceOf } = require('../server/lib/cart');

test('adds up lines', () => {
  assert.equal(priceOf([{ id: 'spade-28', quantity: 2 }, { id: 'twine-3', quantity: 1 }]), 10250);
});

test('refuses what is not sold', () => {
  assert.throws(() => priceOf([{ id: 'tractor', quantity: 1 }]), /no such product/);
});
