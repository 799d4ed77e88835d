const { nextOrder, markDone, markFailed } = require('./lib/queue');

let running = true;
process.on('SIGINT', () => { running = false; });

async function main() {
  while (running) {
    const order = await nextOrder();
    if (!order) {
      await new Promise((resolve) => setTimeout(resolve, 2000));
      continue;
    }
    try {
      await order.process();
      await markDone(order);
    } catch (err) {
      await markFailed(order, err);
    }
  }
}

main().catch((err) => {
  console.error('worker:', err);
  process.exit(1);
});
