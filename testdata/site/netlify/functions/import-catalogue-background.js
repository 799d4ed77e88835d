exports.handler = async (event) => {
  const rows = JSON.parse(event.body || '[]');
  let bad = 0;
  for (const row of rows) {
    if (!row.id || !Number.isInteger(row.cents)) bad += 1;
  }
  console.log(`catalogue: ${rows.length} rows, ${bad} refused`);
};
