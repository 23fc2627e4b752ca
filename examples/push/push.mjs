// Pushes metrics with Node 18 or newer.
for (let step = 1; step <= 3; step++) {
  const response = await fetch(process.env.TRIALWATCH_METRICS_URL, {
    method: "POST",
    body: JSON.stringify({ loss: 1 / step, step }),
  });
  if (!response.ok) throw new Error(await response.text());
}
