import { mkdir, writeFile } from 'node:fs/promises';

const orders = [
  { id: '100001', lines: [{ id: 'spade-28', quantity: 1 }] },
  { id: '100002', lines: [{ id: 'twine-3', quantity: 12 }] },
];

await mkdir('backups/queue', { recursive: true });
for (const order of orders) {
  await writeFile(`backups/queue/${order.id}.json`, JSON.stringify(order));
}
console.log(`seeded ${orders.length} orders`);
