async function pendingMails() {
  return [];
}

async function send(mail) {
  if (!process.env.SMTP_URL) throw new Error('SMTP_URL is not set');
  console.log(`sent ${mail.id}`);
}

module.exports = { pendingMails, send };
