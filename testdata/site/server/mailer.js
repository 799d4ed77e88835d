const { pendingMails, send } = require('./lib/mail');

async function main() {
  let failed = 0;
  for (const mail of await pendingMails()) {
    try {
      await send(mail);
    } catch (err) {
      failed += 1;
      console.error(`mail ${mail.id}: ${err.message}`);
    }
  }
  if (failed > 0) process.exitCode = 1;
}

main();
