import { money } from './money.js';

const response = await fetch('/api/products');
const list = document.querySelector('#products');
for (const product of await response.json()) {
  const row = document.createElement('p');
  row.textContent = `${product.name}: ${money(product.cents)}`;
  list.append(row);
}
