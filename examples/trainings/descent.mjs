// A descent in JavaScript that prints objects; with an argument, one JSON object a line.
let weight = 4.0;
for (let epoch = 1; epoch <= 10; epoch += 1) {
  weight -= 0.1 * 2 * weight;
  const metrics = { loss: weight ** 2, weight };
  if (process.argv.length > 2) console.log(JSON.stringify({ level: "info", epoch, metrics }));
  else console.log("epoch", epoch, metrics);
}
