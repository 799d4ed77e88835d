const items = [
  { id: 'spade-28', name: 'Border spade', cents: 4900, stock: 31 },
  { id: 'fork-28', name: 'Border fork', cents: 5200, stock: 18 },
  { id: 'twine-3', name: 'Jute twine, three ply', cents: 450, stock: 240 },
  { id: 'trug-l', name: 'Trug, large', cents: 2600, stock: 0 },
];

function products() {
  return items.filter((item) => item.stock > 0);
}

function findProduct(id) {
  return items.find((item) => item.id === id);
}

module.exports = { products, findProduct };
