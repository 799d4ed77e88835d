const fs = require('fs/promises');
const path = require('path');

const folder = path.join(__dirname, '..', '..', 'backups', 'queue');

async function nextOrder() {
  const names = await fs.readdir(folder).catch(() => []);
  const name = names.filter((n) => n.endsWith('.json')).sort()[0];
  if (!name) return null;
  const file = path.join(folder, name);
  const data = JSON.parse(await fs.readFile(file, 'utf8'));
  return { file, data, process: async () => data.lines.length };
}

async function markDone(order) {
  await fs.rename(order.file, `${order.file}.done`);
}

async function markFailed(order, err) {
  console.error(`order ${order.data.id}: ${err.message}`);
  await fs.rename(order.file, `${order.file}.failed`);
}

module.exports = { nextOrder, markDone, markFailed };
